"""Reads topics from given offsets, committed records only, in batches; commits and joins nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias, cast

from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from stream_jobs.topics.clients import consumer, explained, is_forbidden
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.offsets import Offsets

Headers: TypeAlias = list[tuple[str, bytes | None]]


class Record(NamedTuple):
    """One record; `time_ms` is its timestamp. Headers are read where they were asked for."""

    topic: str
    partition: int
    offset: int
    time_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class Reader:
    """One consumer of some topics, from where it stopped last time; memory is bounded by librdkafka's queue.

    `group` is never joined and never committed to.
    """

    def __init__(
        self,
        kafka_servers: str,
        starts: Mapping[str, Offsets],
        group: str = "audit",
        *,
        with_headers: bool = False,
    ) -> None:
        self._with_headers = with_headers
        self._positions: dict[str, dict[int, int]] = {topic: {} for topic in starts}
        self._paused: dict[str, set[int]] = {topic: set() for topic in starts}
        self._consumer = consumer(
            kafka_servers,
            {
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                # A position that Kafka no longer has is a gap in the evidence: told, not skipped.
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 16_384,
                "fetch.min.bytes": 65_536,
                "fetch.wait.max.ms": 200,
            },
        )
        for topic, offsets in starts.items():
            self.add(topic, offsets)

    def add(self, topic: str, starts: Offsets) -> None:
        """Read further kafka partitions of a topic; those that are read already stay where they are."""
        fresh = {p: offset for p, offset in starts.items() if p not in self._positions[topic]}
        if not fresh:
            return
        self._positions[topic].update(fresh)
        self._consumer.incremental_assign(
            [
                TopicPartition(topic, partition, offset if offset > 0 else OFFSET_BEGINNING)
                for partition, offset in sorted(fresh.items())
            ]
        )

    def pause(self, topic: str, partitions: set[int]) -> None:
        """Read no more of these kafka partitions of a topic, and of all others."""
        before = self._paused[topic]
        if partitions == before:
            return
        self._paused[topic] = set(partitions)
        if rest := [TopicPartition(topic, p) for p in sorted(partitions - before)]:
            self._consumer.pause(rest)
        if further := [TopicPartition(topic, p) for p in sorted(before - partitions)]:
            self._consumer.resume(further)

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        """The next records, at most `limit`. Raises KafkaOffsetsError if a position is gone."""
        records = []
        positions = self._positions
        for message in self._consumer.consume(limit, timeout=timeout_s):
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                gone = error.code() == KafkaError._AUTO_OFFSET_RESET
                if error.fatal() or gone or is_forbidden(error):
                    why = explained(self._consumer, error)
                    raise KafkaOffsetsError(f"{topic} [{partition}]: {why}")
                continue  # the broker is away; librdkafka tries again
            if topic is None or partition is None or offset is None:
                continue
            if error is not None:
                positions[topic][partition] = max(positions[topic][partition], offset)
                continue
            positions[topic][partition] = offset + 1
            headers = cast("Headers | None", message.headers()) if self._with_headers else None
            key, value, time_ms = message.key(), message.value(), message.timestamp()[1]
            records.append(Record(topic, partition, offset, time_ms, key, value, headers))
        return records

    def positions(self, topic: str) -> Offsets:
        """The offset behind the last record read of each kafka partition, or behind what is no record."""
        return self._positions[topic]

    def close(self) -> None:
        """Give the connections back."""
        self._consumer.close()
