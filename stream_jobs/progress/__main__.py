"""The progress tracker's process: looks, and publishes what is proven to `pipeline-progress`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, start_http_server

from stream_jobs import http_access
from stream_jobs.json_http import JsonHttp, pinot_http
from stream_jobs.one_of import one_of
from stream_jobs.progress.faults import KAFKA_FAULTS, PINOT_FAULTS
from stream_jobs.progress.job_metrics import JobMetrics, watch
from stream_jobs.progress.job_watch import JobWatch
from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.progress_metrics import ProgressMetrics
from stream_jobs.progress.publishing import (
    KafkaPublisher,
    Publisher,
    last_published,
)
from stream_jobs.progress.segments import NotServedError
from stream_jobs.progress.side_by_side import in_threads
from stream_jobs.progress.tracker import HoleError, NotProvenError, Progress, Tracker
from stream_jobs.topics.access import checked
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.producer import producer_to

LOOK_EVERY_S = 0.2
LOOK_AT_LEAST_EVERY_S = 5.0

log = logging.getLogger("progress")

FAULTS = (*KAFKA_FAULTS, *PINOT_FAULTS, NotProvenError)


class Run:
    """Looks until it is stopped; a fault is one line in the log, when it begins and ends."""

    def __init__(self, tracker: Tracker, publisher: Publisher, metrics: ProgressMetrics) -> None:
        self._tracker = tracker
        self._publisher = publisher
        self._metrics = metrics
        self._fault = ""
        self._refusal: Progress | None = None
        self._pause_s = LOOK_EVERY_S

    def until(self, stop: threading.Event) -> None:
        """Every 200 ms; as long a pause as a look took, and longer ones while a part does not answer, up to 5 s."""
        while not stop.wait(self._pause_s):
            began_s = time.monotonic()
            answered = self.once()
            took_s = time.monotonic() - began_s
            longer_s = LOOK_EVERY_S if answered else 2 * self._pause_s
            self._pause_s = min(max(took_s, longer_s, LOOK_EVERY_S), LOOK_AT_LEAST_EVERY_S)

    def once(self) -> bool:
        """One look. Whether all parts answered, if only that nothing is proven."""
        try:
            as_of_ms = self._publisher.heartbeat()
            progress = None if as_of_ms is None else self._look(as_of_ms)
            if progress is not None:
                self._publisher.publish(progress)
        except FAULTS as error:
            self._tell(error)
            return isinstance(error, (NotServedError, NotProvenError))
        finally:
            self._metrics.holes = len(self._tracker.holes)
        if progress is not None:
            self._metrics.as_of_ms = progress.as_of_ms
            if self._fault:
                log.info("proven again up to %d ms", progress.as_of_ms)
                self._fault = ""
        return True

    def _look(self, as_of_ms: int) -> Progress | None:
        try:
            progress = self._tracker.look(as_of_ms)
        except HoleError as hole:
            if hole.refusal is not None and hole.refusal != self._refusal:
                self._publisher.publish(hole.refusal)
                self._refusal = hole.refusal
            raise
        if progress is not None:
            self._refusal = None
        return progress

    def _tell(self, error: Exception) -> None:
        told, self._fault = self._fault, f"{type(error).__name__}: {error}"
        if self._fault != told:
            # Handing a segment over to the next is Pinot's daily work.
            level = logging.INFO if isinstance(error, NotServedError) else logging.WARNING
            level = logging.ERROR if isinstance(error, HoleError) else level
            log.log(level, "not proven: %s", self._fault)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; exit code 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m stream_jobs.progress", description=__doc__)
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument(
        "--controller", required=True, metavar="URL", help="Pinot's controller, or several: URL,…"
    )
    parser.add_argument("--broker", required=True, metavar="URL", help="Pinot's broker, or several")
    parser.add_argument(
        "--flink", metavar="URL", help="Flink's REST API, to tell metrics of the job"
    )
    parser.add_argument("--metrics-host", default="127.0.0.1")
    parser.add_argument("--metrics-port", type=int, help="where Prometheus may ask for the metrics")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    http_access.checked(parser)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        names = names_of(options)
        pinot = HttpPinotServed(options.controller, options.broker)
    except ValueError as mistake:
        parser.error(str(mistake))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    found = _last_published(options.kafka, names, stop)
    if found is None:
        return 0
    last, recorded_at_ms = found
    publisher = KafkaPublisher(producer_to(options.kafka), names, now_ms, recorded_at_ms)
    # Partitions that were added must be seen at the next look, so none are remembered.
    kafka = KafkaOffsets(options.kafka, names.group, partitions_known_s=0.0)
    tracker = Tracker(kafka, pinot, names, monotonic_ms, in_threads(), last)
    metrics = ProgressMetrics(now_ms, last.as_of_ms if last else None, tracker.unread)
    if options.metrics_port is not None:
        _tell_metrics(options, names, metrics, stop)
    Run(tracker, publisher, metrics).until(stop)
    return 0


def _last_published(
    kafka: str, names: Names, stop: threading.Event
) -> tuple[Progress | None, int] | None:
    """What was published before this process, once Kafka tells; None if it is to stop before that."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            return last_published(kafka, names)
        except FAULTS as error:
            log.warning("not started: %s: %s", type(error).__name__, error)
    return None


def _tell_metrics(
    options: argparse.Namespace, names: Names, metrics: ProgressMetrics, stop: threading.Event
) -> None:
    """Answer Prometheus, and watch the job, in threads beside the tracker's."""
    registry = CollectorRegistry()
    registry.register(metrics)
    if options.flink:
        of_job = JobMetrics()
        registry.register(of_job)
        # Connections of its own: neither these nor the tracker's may be used by two threads.
        watched = JobWatch(
            JsonHttp(options.flink),
            one_of(options.broker, pinot_http),
            KafkaOffsets(options.kafka, names.group),
            names,
        )
        arguments = (watched, of_job, now_ms, stop, FAULTS)
        threading.Thread(target=watch, args=arguments, name="watch", daemon=True).start()
    start_http_server(options.metrics_port, options.metrics_host, registry)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
