"""The job's metrics as Prometheus reads them from the progress tracker's process; docs/operations.md lists them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stream_jobs.events.reasons import RejectReason
from stream_jobs.progress.job_watch import TRANSACTIONS, JobLook, JobWatch, Look

LOOK_EVERY_S = 2.0
REASONS = frozenset[str](RejectReason)
OTHER = "other"
"""A reason that this version does not know."""

log = logging.getLogger("job")


class JobMetrics(Collector):
    """The newest look, shared by the thread that looks and those that answer; `None`: Kafka is away."""

    def __init__(self) -> None:
        self.look: Look | None = None

    def collect(self) -> Iterator[Metric]:
        """All metrics; without a look only that there was none."""
        look = self.look
        meaning = "1 while Kafka could be asked at the last look."
        yield GaugeMetricFamily("pipeline_watch_up", meaning, int(look is not None))
        if look is not None:
            yield from _of_kafka(look)
            yield from _of_rejects(look)
            running = int(look.job is not None and look.job.running)
            meaning = "1 while every task of the job runs."
            yield GaugeMetricFamily("pipeline_job_running", meaning, running)
            if look.job is not None:
                yield from _of_job(look.job)


def _of_kafka(look: Look) -> Iterator[Metric]:
    finished, sent = sum(look.finished.values()), sum(look.raw_ends.values())
    meaning = "Raw events that the job has finished."
    yield CounterMetricFamily("pipeline_events_total", meaning, finished)
    yield CounterMetricFamily("pipeline_events_sent_total", "Raw events that reached Kafka.", sent)
    lag = GaugeMetricFamily(
        "pipeline_kafka_lag_events",
        "Raw events the job has not finished, by partition.",
        labels=["topic", "partition"],
    )
    for partition, end in look.raw_ends.items():
        behind = max(0, end - look.finished[partition])
        lag.add_metric([TRANSACTIONS, str(partition)], behind)
    yield lag
    undecided = GaugeMetricFamily(
        "pipeline_undecided_offsets",
        "Offsets behind an open transaction, by topic; readers wait there.",
        labels=["topic"],
    )
    for topic, offsets in look.undecided.items():
        undecided.add_metric([topic], offsets)
    yield undecided


def _of_rejects(look: Look) -> Iterator[Metric]:
    rejected = CounterMetricFamily(
        "pipeline_rejected_total", "Rejected events, by reason.", labels=["reason"]
    )
    for reason, number in sorted(_known(look.rejected).items()):
        rejected.add_metric([reason], number)
    yield rejected
    yield GaugeMetricFamily(
        "pipeline_reject_ratio",
        "Rejected events of the last minute to all of them.",
        look.reject_share,
    )
    yield GaugeMetricFamily(
        "pipeline_reject_flood", "1 while most of the input is garbage.", int(look.reject_flood)
    )


def _known(rejected: Mapping[str, int]) -> dict[str, int]:
    """Whatever the rows say, no more reasons than there are."""
    told = {reason: number for reason, number in rejected.items() if reason in REASONS}
    others = sum(rejected.values()) - sum(told.values())
    return {**told, OTHER: others} if others else told


def _of_job(job: JobLook) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "pipeline_job_parallelism", "How many tasks run side by side.", job.parallelism
    )
    yield CounterMetricFamily(
        "pipeline_checkpoints_failed_total", "Checkpoints that failed.", job.failed_checkpoints
    )
    if job.restarts is not None:
        yield CounterMetricFamily(
            "pipeline_job_restarts_total", "Restarts of the job by Flink.", job.restarts
        )
    for name, meaning, value in (
        ("checkpoint_age_seconds", "Since the last completed checkpoint.", job.checkpoint_age_s),
        ("checkpoint_duration_seconds", "How long the last checkpoint took.", job.checkpoint_s),
        ("state_bytes", "The job's state at its last checkpoint.", job.state_bytes),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"pipeline_{name}", meaning, value)


def watch(
    job: JobWatch,
    metrics: JobMetrics,
    clock_ms: Callable[[], int],
    stop: threading.Event,
    faults: tuple[type[Exception], ...],
) -> None:
    """Look every two seconds until `stop` is set; a flood is one line when it begins and when it ends."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            look = metrics.look = job.look(clock_ms())
        except faults:
            metrics.look = None
            continue
        if job.flood_changed and look.reject_flood:
            log.error(
                "REJECT FLOOD: %.0f %% of the events of the last minute were rejected; by reason so far: %s",
                100 * look.reject_share,
                dict(look.rejected),
            )
        elif job.flood_changed:
            log.warning("the reject flood is over: %.0f %% rejected", 100 * look.reject_share)
