"""Until when Kafka holds what it has of events now: topics are never rewritten, they age out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream_jobs.topics.names import Names
from stream_jobs.topics.topic import LiveTopic


@dataclass(frozen=True, slots=True)
class Kept:
    """A topic that holds ids, and the instant by which what it has now is deleted; None: never."""

    topic: str
    until_ms: int | None


def kept(names: Names, live: Mapping[str, LiveTopic], now_ms: int) -> list[Kept]:
    """By topic. A file of a log is deleted as a whole, when its newest record is too old, and it ends after `segment.ms`."""
    topics = (names.transactions_topic, names.entries_topic, names.rejected_topic)
    return [Kept(topic, _until_ms(live[topic], now_ms)) for topic in topics if topic in live]


def _until_ms(topic: LiveTopic, now_ms: int) -> int | None:
    retention_ms = int(topic.config["retention.ms"])
    if retention_ms < 0:
        return None
    return now_ms + retention_ms + int(topic.config["segment.ms"])
