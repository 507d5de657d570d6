"""The state an audit goes on with, or a new one where Kafka no longer has what was to be read next."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from stream_jobs.audit.beginning import Beginning, beginning
from stream_jobs.audit.settings import AuditSettings
from stream_jobs.audit.state import State, StateError
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.kafka_topics import KafkaTopics
from stream_jobs.topics.offsets import Offsets

RETRY_S: Final = 0.5

log = logging.getLogger("audit")


def opened(
    settings: AuditSettings, kafka: KafkaOffsets, stop: threading.Event
) -> tuple[State, Beginning] | None:
    """The state, and where each topic is read from, once Kafka tells; None if stopped before."""
    while not stop.is_set():
        try:
            return _opened(settings, kafka)
        except (KafkaOffsetsError, KafkaException) as fault:
            log.warning("waiting for Kafka: %s", fault)
            stop.wait(RETRY_S)
    return None


def _opened(settings: AuditSettings, kafka: KafkaOffsets) -> tuple[State, Beginning]:
    names = settings.names
    firsts = {t: kafka.starts(t) for t in (names.transactions_topic, *names.outcomes)}
    state = state_at(settings.state)
    positions = state.positions().restart
    if positions and _is_there(positions, firsts):
        raw = {each.partition: each.start for each in state.vouched()}
        starts = {topic: {**firsts[topic], **positions[topic]} for topic in firsts}
        return state, Beginning(starts, raw, None, state.number("whole_from_ms"))
    if positions:
        log.critical("Kafka no longer has what was to be read next: the audit begins anew")
        state.close()
        _remove(settings.state)
        state = State(settings.state)
    begun = beginning(KafkaTopics(settings.kafka_servers, kafka), names)
    state.begin(begun.whole_from_ms)
    log.info("vouching from raw offsets %s", dict(begun.raw))
    return state, begun


def state_at(path: Path) -> State:
    """The file at `path`, or a new one in place of what another version wrote: it is no truth of its own."""
    try:
        return State(path)
    except StateError as fault:
        log.critical("%s: the audit begins anew", fault)
        _remove(path)
        return State(path)


def _is_there(positions: Mapping[str, Offsets], firsts: Mapping[str, Offsets]) -> bool:
    return all(
        offset >= firsts[topic].get(partition, 0)
        for topic, offsets in positions.items()
        for partition, offset in offsets.items()
    )


def _remove(state: Path) -> None:
    for file in state.parent.glob(f"{state.name}*"):
        file.unlink()
    shutil.rmtree(state.with_suffix(".ids"), ignore_errors=True)
