"""The progress tracker's process: looks, and publishes what is proven to `pipeline-progress`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from stream_jobs import http_access
from stream_jobs.json_http import JsonHttp, pinot_http
from stream_jobs.one_of import one_of
from stream_jobs.progress.active import Active
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
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import checked
from stream_jobs.topics.fenced import EndedError, FencedError, FencedPublisher, fenced_producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.lease import POLL_S, Lease, Silence, Term, add_lease_argument, member_of
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.producer import producer_to

LOOK_EVERY_S = 0.2
LOOK_AT_LEAST_EVERY_S = 5.0

log = logging.getLogger("progress")

FAULTS = (*KAFKA_FAULTS, *PINOT_FAULTS, NotProvenError)


class Run:
    """Looks until it is stopped; a fault is one line in the log, when it begins and ends. `silence`: of any part."""

    def __init__(
        self,
        tracker: Tracker,
        publisher: Publisher,
        metrics: ProgressMetrics,
        silence: Silence | None = None,
    ) -> None:
        self._tracker = tracker
        self._publisher = publisher
        self._metrics = metrics
        self._fault = ""
        self._refusal: Progress | None = None
        self._pause_s = LOOK_EVERY_S
        self._silence = silence or Silence()

    def until(self, over: threading.Event | Term) -> None:
        """Every 200 ms; as long a pause as a look took, and longer ones while a part does not answer, up to 5 s."""
        while not over.wait(self._pause_s):
            began_s = time.monotonic()
            answered = self.once()
            self._silence.note(answered=answered)
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
    add_lease_argument(parser)
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
    process = Process(options, names, pinot, stop)
    if options.lease is None:
        process.alone()
    else:
        process.one_of_several(options.lease)
    return 0


class Process:
    """Works for as long as it runs, or for the terms for which it has the lease."""

    def __init__(
        self,
        options: argparse.Namespace,
        names: Names,
        pinot: HttpPinotServed,
        stop: threading.Event,
    ) -> None:
        self._options = options
        self._kafka: str = options.kafka
        self._names = names
        self._pinot = pinot
        self._stop = stop
        self._active = Active(
            "pipeline_tracker_active", "1 while this tracker works; 0: stands by."
        )
        self._answers = False

    def alone(self) -> None:
        """The only one, until it is stopped."""
        self._work(self._stop, None, Silence())

    def one_of_several(self, session_s: int) -> None:
        """Work term by term, until it is stopped; then another takes over at once."""
        own = self._names.tracker_lease
        lease = Lease(partial(member_of, self._kafka, own.group, session_s), own.topic)
        try:
            while not self._stop.is_set():
                number = lease.term(POLL_S)
                if lease.is_joined:
                    self._answer()
                if number:
                    self._one_term(lease, number)
        finally:
            lease.close()

    def _one_term(self, lease: Lease, number: int) -> None:
        own, silence = self._names.tracker_lease, Silence()
        try:
            publisher = FencedPublisher(fenced_producer(self._kafka, own.transactional_id))
            publisher.begin()
            self._work(Term(lease, number, self._stop, silence), publisher.publish, silence)
            if silence.is_long:
                log.warning("does not get through: it is another tracker's turn")
                lease.give_up()
        except FencedError as fenced:
            log.warning("another tracker publishes: %s", fenced)
            lease.give_up()
        # A file of a secret may be away for a moment, while it is exchanged.
        except (EndedError, AccessError) as ended:
            log.warning("cannot publish: %s", ended)
            self._stop.wait(LOOK_EVERY_S)

    def _work(
        self,
        over: threading.Event | Term,
        send: Callable[[str, bytes], None] | None,
        silence: Silence,
    ) -> None:
        found = _last_published(self._kafka, self._names, over)
        if found is None:
            return
        last, recorded_at_ms = found
        # Partitions that were added must be seen at the next look, so none are remembered.
        kafka = KafkaOffsets(self._kafka, self._names.group, partitions_known_s=0.0)
        tracker = Tracker(kafka, self._pinot, self._names, monotonic_ms, in_threads(), last)
        beats = producer_to(self._kafka)
        publisher = KafkaPublisher(beats, self._names, now_ms, recorded_at_ms, send)
        metrics = ProgressMetrics(now_ms, last.as_of_ms if last else None, tracker.unread)
        ended = threading.Event()
        self._active.told = [metrics, *self._watched(ended)]
        self._answer()
        try:
            Run(tracker, publisher, metrics, silence).until(over)
        finally:
            self._active.told = None
            ended.set()

    def _watched(self, ended: threading.Event) -> list[Collector]:
        """The job's metrics, from a thread beside the tracker's, where anybody asks for them."""
        if self._options.metrics_port is None or not self._options.flink:
            return []
        of_job = JobMetrics()
        # Connections of its own: neither these nor the tracker's may be used by two threads.
        watched = JobWatch(
            JsonHttp(self._options.flink),
            one_of(self._options.broker, pinot_http),
            KafkaOffsets(self._kafka, self._names.group),
            self._names,
        )
        arguments = (watched, of_job, now_ms, ended, FAULTS)
        threading.Thread(target=watch, args=arguments, name="watch", daemon=True).start()
        return [of_job]

    def _answer(self) -> None:
        """Answer Prometheus, from the first time on that Kafka was there."""
        if self._options.metrics_port is not None and not self._answers:
            registry = CollectorRegistry()
            registry.register(self._active)
            start_http_server(self._options.metrics_port, self._options.metrics_host, registry)
            self._answers = True


def _last_published(
    kafka: str, names: Names, over: threading.Event | Term
) -> tuple[Progress | None, int] | None:
    """What was published before this process, once Kafka tells; None if it is over before that."""
    while not over.wait(LOOK_EVERY_S):
        try:
            return last_published(kafka, names)
        except FAULTS as error:
            log.warning("not started: %s: %s", type(error).__name__, error)
    return None


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
