"""The audit's process: everything wired, and one loop until SIGTERM."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from stream_jobs.audit.announced import Announced
from stream_jobs.audit.auditor import Auditor
from stream_jobs.audit.by_key import by_key
from stream_jobs.audit.coverage import Coverage
from stream_jobs.audit.disk import DiskMetrics
from stream_jobs.audit.duty import Alone, Duty, OneOfSeveral, Quieter
from stream_jobs.audit.erasures import Erasures
from stream_jobs.audit.frontier import Frontier
from stream_jobs.audit.handover import Handover
from stream_jobs.audit.history import History
from stream_jobs.audit.ids import Ids
from stream_jobs.audit.opening import opened
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.pinot_tier import HttpPinotTier
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.publish import JsonLines, Report, report
from stream_jobs.audit.raw_rows import RawRows
from stream_jobs.audit.readers import Reader
from stream_jobs.audit.settings import AuditSettings, parsed
from stream_jobs.audit.state import State
from stream_jobs.audit.steps import Beside, Steps
from stream_jobs.audit.suspects import Proof
from stream_jobs.audit.telling import Telling
from stream_jobs.progress.faults import KAFKA_FAULTS, PINOT_FAULTS
from stream_jobs.progress.segments import NotServedError
from stream_jobs.topics.fenced import FencedPublisher, fenced_producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.kafka_topics import KafkaTopics
from stream_jobs.topics.lease import Lease, member_of
from stream_jobs.topics.offsets import Reached
from stream_jobs.topics.producer import producer_to, publish
from stream_jobs.topics.reader import last_record

LOOK_EVERY_S = 0.25
COMPARE_EVERY_S = 1.0
# Closings that wait are compared as one: a fifth of the statements, and nearly as near when it takes over.
STANDBY_COMPARE_EVERY_S = 5.0
DUTY_EVERY_S = 0.2
PUBLISH_EVERY_S = 1.0
FORGET_EVERY_S = 600.0
PARTITIONS_EVERY_S = 5.0
ERASED_EVERY_S = 1.0
READ_TIMEOUT_S = 0.1
log = logging.getLogger("audit")


def run(settings: AuditSettings, stop: threading.Event) -> None:
    """Audits until `stop` is set. Raises KafkaOffsetsError if Kafka has not what must be read."""
    kafka = KafkaOffsets(settings.kafka_servers, settings.names.group)
    begun = opened(settings, kafka, stop)
    if begun is None:
        return
    state, begin = begun
    names = settings.names
    reader = Reader(settings.kafka_servers, begin.starts)
    ids = Ids(settings.state.with_suffix(".ids"))
    frontier = {each.partition: each.end for each in state.vouched()} or dict(begin.raw)
    topics = KafkaTopics(settings.kafka_servers, kafka)
    coverage = Coverage(
        names,
        Placement(len(kafka.ends(names.entries_topic))),
        begin.raw,
        frontier,
        state.positions().taken,
        Announced(topics, names.erased_outcomes_topic),
        settings.rules,
        by_key(topics, names.erasures_topic, settings.erasure_key),
    )
    coverage.go_on_with(state.waiting(settings.rules))
    check = _pinot_check(settings, kafka, begin.whole_from_ms)
    last = partial(last_record, settings.kafka_servers, kafka, names.audit_topic)
    handover = Handover(state, last, now_ms)
    duty = _duty(settings, handover)
    comparing = Beside(
        "compare with Pinot",
        lambda: COMPARE_EVERY_S if duty.active else STANDBY_COMPARE_EVERY_S,
        partial(_heard, check, duty),
        stop,
    )
    auditor = Auditor(
        names,
        state,
        reader,
        Frontier(kafka, names, reader.positions, now_ms),
        coverage,
        History(ids),
        check,
        now_ms,
    )
    started_ms = now_ms()

    def said() -> Report:
        return report(
            state,
            auditor.counts(ids.size_bytes),
            (auditor.through_ms, check.through_ms),
            started_ms,
            handover.recorded_at_ms(),
        )

    telling = Telling(duty, said, now_ms)
    registry = _registry(telling.collector, DiskMetrics(settings.state.parent))
    server, _ = start_http_server(settings.metrics_port, settings.host, registry)
    log.info("auditing; metrics on http://%s:%d/metrics", settings.host, server.server_port)

    def find_partitions() -> None:
        raw = names.transactions_topic
        starts = {topic: kafka.starts(topic) for topic in (raw, *names.outcomes)}
        for topic, offsets in starts.items():
            reader.add(topic, offsets)
        auditor.refuse_unread(starts[raw], kafka.committed(raw))

    erasures = Erasures(settings.kafka_servers, names.erased_rows_topic, kafka, state)

    steps = Steps(time.monotonic, KAFKA_FAULTS)
    comparing.start()
    try:
        while not stop.is_set():
            auditor.read(READ_TIMEOUT_S)
            steps.run("take over", DUTY_EVERY_S, telling.take_over)
            steps.run("follow the job", LOOK_EVERY_S, auditor.look)
            comparing.refuse_its_end()
            steps.run("publish", PUBLISH_EVERY_S, telling.tell)
            steps.run("follow erasures", ERASED_EVERY_S, lambda: erasures.take(now_ms))
            steps.run("find partitions", PARTITIONS_EVERY_S, find_partitions)
            steps.run("forget", FORGET_EVERY_S, lambda: _forget(settings, state, ids))
    finally:
        duty.close()
        server.shutdown()
        server.server_close()
        reader.close()
        ids.close()
        state.close()


def _duty(settings: AuditSettings, handover: Handover) -> Duty:
    """Without a lease, this is the only one."""
    servers, names = settings.kafka_servers, settings.names
    if settings.lease_s is None:
        return Alone(partial(publish, producer_to(servers), names.audit_topic))
    own = names.audit_lease
    several = OneOfSeveral(
        Lease(partial(member_of, servers, own.group, settings.lease_s), own.topic),
        own.topic,
        lambda: FencedPublisher(fenced_producer(servers, own.transactional_id)),
        handover.take,
    )
    log.addFilter(Quieter(lambda: several.active))
    return several


def _heard(check: PinotCheck, duty: Duty) -> bool:
    """One step of the comparison; the duty is told whether Pinot answered."""
    try:
        more = check.step()
    except PINOT_FAULTS as fault:
        # Handing a segment over is an answer, too.
        duty.pinot_answered(answered=isinstance(fault, NotServedError))
        raise
    duty.pinot_answered(answered=True)
    return more


def _forget(settings: AuditSettings, state: State, ids: Ids) -> None:
    gc.collect()
    before_ms = now_ms() - settings.window.perhaps_ms
    ids.forget_before(before_ms)
    state.settle_erased(before_ms)


def _registry(*told: Collector) -> CollectorRegistry:
    """What Prometheus is told: all of these, and nothing of the process itself."""
    registry = CollectorRegistry()
    for each in told:
        registry.register(each)
    return registry


def _pinot_check(settings: AuditSettings, kafka: KafkaOffsets, whole_from_ms: int) -> PinotCheck:
    names = settings.names
    pinot = HttpPinotTier(
        settings.controller_url,
        settings.broker_url,
        Reached(names.entries_topic, kafka.first_records),
        names.entries_table,
    )
    raw = RawRows(settings.kafka_servers, names.transactions_topic, kafka, settings.rules)
    # Of its own, since it looks in a thread of its own.
    topics = KafkaTopics(settings.kafka_servers, kafka)
    known = by_key(topics, names.erasures_topic, settings.erasure_key)
    state, proof = State(settings.state), Proof(settings.window, known)
    return PinotCheck(state, pinot, raw, now_ms, whole_from_ms, proof, settings.rules)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; exit code 2 for a wrong argument, 1 if it can not go on."""
    settings = parsed(arguments)
    # Nothing that is made for an event is in a cycle, and looking for those would take a third of the time.
    gc.disable()
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
