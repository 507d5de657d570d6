"""The job's metrics as Prometheus reads them, on a loopback port of the progress tracker's process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stream_jobs.job_watch import JobWatch, Look

LOOK_EVERY_S = 2.0
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = logging.getLogger("job")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `kind` is Prometheus's. README and docs/operations.md have the same list."""

    name: str
    kind: str
    help: str


EVENTS = Metric("pipeline_events_total", "counter", "Raw events that the job has finished.")
SENT = Metric("pipeline_events_sent_total", "counter", "Raw events that reached Kafka.")
REJECTED = Metric("pipeline_rejected_total", "counter", "Rejected events, by reason.")
SHARE = Metric("pipeline_reject_share", "gauge", "Share of rejected events in the last minute.")
FLOOD = Metric("pipeline_reject_flood", "gauge", "1 while most of the input is garbage.")
LAG = Metric(
    "pipeline_kafka_lag_events", "gauge", "Raw events the job has not finished, by partition."
)
UNDECIDED = Metric(
    "pipeline_undecided_offsets",
    "gauge",
    "Offsets behind an open transaction, by topic; readers wait there.",
)
RUNNING = Metric("pipeline_job_running", "gauge", "1 while every task of the job runs.")
PARALLELISM = Metric("pipeline_job_parallelism", "gauge", "How many tasks run side by side.")
RESTARTS = Metric("pipeline_job_restarts_total", "counter", "Restarts of the job by Flink.")
CHECKPOINT_AGE = Metric(
    "pipeline_checkpoint_age_seconds", "gauge", "Since the last checkpoint was completed."
)
CHECKPOINT = Metric(
    "pipeline_checkpoint_duration_seconds", "gauge", "How long the last checkpoint took."
)
FAILED = Metric("pipeline_checkpoints_failed_total", "counter", "Checkpoints that failed.")
STATE = Metric("pipeline_state_bytes", "gauge", "The job's state at its last checkpoint.")
UP = Metric("pipeline_watch_up", "gauge", "1 while Kafka could be asked at the last look.")
METRICS = (
    *(EVENTS, SENT, REJECTED, SHARE, FLOOD, LAG, UNDECIDED, RUNNING, PARALLELISM, RESTARTS),
    *(CHECKPOINT_AGE, CHECKPOINT, FAILED, STATE, UP),
)

Samples = Mapping[str, float | int | None]  # labels as Prometheus writes them: value


def text(look: Look | None) -> str:
    """All metrics; without a look only that there was none."""
    samples: dict[Metric, Samples] = {UP: {"": int(look is not None)}}
    if look is not None:
        samples |= _samples(look)
    lines = (line for metric, values in samples.items() for line in _lines(metric, values))
    return "\n".join(lines) + "\n"


def _samples(look: Look) -> dict[Metric, Samples]:
    lag = {
        f'{{topic="transactions",partition="{p}"}}': max(0, end - look.finished[p])
        for p, end in look.raw_ends.items()
    }
    samples: dict[Metric, Samples] = {
        EVENTS: {"": sum(look.finished.values())},
        SENT: {"": sum(look.raw_ends.values())},
        REJECTED: {f'{{reason="{reason}"}}': n for reason, n in sorted(look.rejected.items())},
        SHARE: {"": round(look.reject_share, 4)},
        FLOOD: {"": int(look.reject_flood)},
        LAG: lag,
        UNDECIDED: {f'{{topic="{topic}"}}': n for topic, n in look.undecided.items()},
        RUNNING: {"": int(look.job is not None and look.job.running)},
    }
    if look.job is not None:
        samples |= {
            PARALLELISM: {"": look.job.parallelism},
            RESTARTS: {"": look.job.restarts},
            CHECKPOINT_AGE: {"": look.job.checkpoint_age_s},
            CHECKPOINT: {"": look.job.checkpoint_s},
            FAILED: {"": look.job.failed_checkpoints},
            STATE: {"": look.job.state_bytes},
        }
    return samples


def _lines(metric: Metric, samples: Samples) -> Iterator[str]:
    told = {labels: value for labels, value in samples.items() if value is not None}
    if told:
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in told.items():
        yield f"{metric.name}{labels} {value}"


class Newest:
    """The newest look's text, shared by the thread that looks and those that answer."""

    def __init__(self) -> None:
        self.text = text(None)


def watch(
    job: JobWatch,
    newest: Newest,
    clock_ms: Callable[[], int],
    stop: threading.Event,
    faults: tuple[type[Exception], ...],
) -> None:
    """Look every two seconds until `stop` is set; a flood is one line when it begins and when it ends."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            look = job.look(clock_ms())
        except faults:
            newest.text = text(None)
            continue
        newest.text = text(look)
        if job.flood_changed and look.reject_flood:
            log.error(
                "REJECT FLOOD: %.0f %% of the events of the last minute were rejected; by reason so far: %s",
                100 * look.reject_share,
                dict(look.rejected),
            )
        elif job.flood_changed:
            log.warning("the reject flood is over: %.0f %% rejected", 100 * look.reject_share)


def serve(host: str, port: int, newest: Newest) -> ThreadingHTTPServer:
    """Answer `/metrics` from threads of its own; `shutdown()` ends it. Port 0 takes any free one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = newest.text.encode() if found else b"only /metrics is here\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
