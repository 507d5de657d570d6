"""The audit's process: everything wired, and one loop until SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException

from stream_jobs.audit.auditor import Auditor
from stream_jobs.audit.frontier import Frontier, Topics
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.pinot_rows import EntriesInKafka
from stream_jobs.audit.pinot_tier import HttpPinotTier
from stream_jobs.audit.publish import (
    JsonLines,
    MetricsServer,
    PublishError,
    StatePublisher,
    metrics,
    record_value,
    report,
)
from stream_jobs.audit.readers import Reader
from stream_jobs.audit.settings import AuditSettings, parsed
from stream_jobs.audit.state import State
from stream_jobs.json_http import JsonHttpError
from stream_jobs.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.offsets import Offsets, Reached
from stream_jobs.pinot_served import NotServedError

LOOK_EVERY_S = 0.25
PUBLISH_EVERY_S = 1.0
FORGET_EVERY_S = 600.0
READ_TIMEOUT_S = 0.1
RETRY_S = 0.5

# What a step may end with while parts are down or start anew; the last are answers of a shape that Pinot
# gives while it starts.
FAULTS = (
    JsonHttpError,
    KafkaOffsetsError,
    NotServedError,
    PublishError,
    KafkaException,
    ValueError,
    KeyError,
    TypeError,
)
log = logging.getLogger("audit")


class Steps:
    """What is done now and then beside reading; a fault is one line when it begins and one when it ends."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._due_s: dict[str, float] = {}
        self._faults: dict[str, str] = {}

    def run(self, name: str, every_s: float, step: Callable[[], object]) -> None:
        """Do `step` unless it was done within `every_s`."""
        now_s = self._monotonic()
        if now_s < self._due_s.get(name, 0.0):
            return
        self._due_s[name] = now_s + every_s
        try:
            more = step()
        except FAULTS as fault:
            said = f"{type(fault).__name__}: {fault}"
            self._due_s[name] = now_s + max(every_s, RETRY_S)
            if self._faults.get(name) != said:
                self._faults[name] = said
                log.warning("cannot %s: %s", name, said)
        else:
            if more is True:
                self._due_s[name] = 0.0
            if self._faults.pop(name, None):
                log.info("can %s again", name)


def run(settings: AuditSettings, stop: threading.Event) -> None:
    """Audits until `stop` is set. Raises KafkaOffsetsError if Kafka has not what must be read."""
    state = State(settings.state)
    kafka = KafkaOffsets(settings.kafka_servers, settings.consumer_group)
    topics = settings.topics
    starts = _starts(kafka, state, topics, stop)
    if stop.is_set():
        return
    reader = Reader(settings.kafka_servers, starts)
    pinot = HttpPinotTier(
        settings.controller_url,
        settings.broker_url,
        Reached(topics.entries, kafka.first_records),
        settings.table,
    )
    entries_of = EntriesInKafka(settings.kafka_servers, topics.entries, state)
    auditor = Auditor(
        state,
        reader,
        Frontier(kafka, topics, reader.positions, now_ms),
        PinotCheck(state, pinot, entries_of, now_ms),
        now_ms,
        topics=topics,
        partitions=len(starts[topics.entries]),
        window=settings.window,
    )
    publisher = StatePublisher(settings.kafka_servers, settings.audit_topic)
    started_ms = now_ms()
    said = report(state, 0, started_ms, started_ms)
    server = MetricsServer(settings.host, settings.metrics_port, lambda: metrics(said, now_ms()))
    log.info("auditing; metrics on http://%s:%d/metrics", settings.host, server.port)

    def publish() -> None:
        nonlocal said
        said = report(state, auditor.through_ms, started_ms, now_ms())
        publisher.publish(record_value(said))

    def forget() -> None:
        window = settings.window
        horizon_ms = now_ms() - window.window_ms - window.slack_ms
        state.known_ids.forget_before(horizon_ms)
        state.reversals.forget_before(horizon_ms)
        state.add_up_before(horizon_ms)

    steps = Steps(time.monotonic)
    try:
        while not stop.is_set():
            auditor.read(READ_TIMEOUT_S)
            steps.run("follow the job", LOOK_EVERY_S, auditor.look)
            steps.run("compare with Pinot", LOOK_EVERY_S, auditor.compare)
            steps.run("publish", PUBLISH_EVERY_S, publish)
            steps.run("forget", FORGET_EVERY_S, forget)
        auditor.write()
    finally:
        server.close()
        reader.close()
        state.close()


def _starts(
    kafka: KafkaOffsets, state: State, topics: Topics, stop: threading.Event
) -> dict[str, Offsets]:
    """Where each topic is read from, once Kafka tells."""
    while not stop.is_set():
        try:
            first = {topic: kafka.starts(topic) for topic in (topics.raw, topics.entries)}
        except (KafkaOffsetsError, KafkaException) as fault:
            log.warning("waiting for Kafka: %s", fault)
            stop.wait(RETRY_S)
            continue
        if any(first[topics.entries].values()) and not state.positions(topics.entries):
            raise KafkaOffsetsError(
                f"{topics.entries} does not begin at its first record any more: what events left there "
                "cannot be told. Begin the audit with the pipeline, or with the state it had"
            )
        return {topic: {**offsets, **state.positions(topic)} for topic, offsets in first.items()}
    return {}


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; exit code 2 for a wrong argument, 1 if it can not go on."""
    settings = parsed(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(settings, stop)
    except KafkaOffsetsError as fault:
        log.critical("cannot go on: %s", fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
