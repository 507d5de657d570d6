"""Reads both topics from given offsets, committed records only, in batches; commits and joins nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from stream_jobs.kafka_offsets import KafkaOffsetsError
from stream_jobs.offsets import Offsets


class Record(NamedTuple):
    """One record; `time_ms` is its timestamp."""

    topic: str
    partition: int
    offset: int
    time_ms: int
    key: bytes | None
    value: bytes | None


class Reader:
    """One consumer of some topics, from where it stopped last time; memory is bounded by librdkafka's queue."""

    def __init__(self, kafka_servers: str, starts: Mapping[str, Offsets]) -> None:
        self._positions = {topic: dict(offsets) for topic, offsets in starts.items()}
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka_servers,
                "log_level": 0,
                "group.id": "audit",  # never joined, never committed to
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                # A position that Kafka no longer has is a gap in the evidence: told, not skipped.
                "auto.offset.reset": "error",
                "queued.max.messages.kbytes": 16_384,
                "fetch.wait.max.ms": 100,
            }
        )
        self._consumer.assign(
            [
                TopicPartition(topic, partition, offset if offset > 0 else OFFSET_BEGINNING)
                for topic, offsets in self._positions.items()
                for partition, offset in sorted(offsets.items())
            ]
        )

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        """The next records, at most `limit`. Raises KafkaOffsetsError if a position is gone."""
        records = []
        for message in self._consumer.consume(limit, timeout=timeout_s):
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                if error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise KafkaOffsetsError(f"{topic} [{partition}]: {error}")
                continue  # the broker is away; librdkafka tries again
            if topic is None or partition is None or offset is None:
                continue
            if error is not None:
                self._positions[topic][partition] = max(self._positions[topic][partition], offset)
                continue
            self._positions[topic][partition] = offset + 1
            key, value = message.key(), message.value()
            records.append(Record(topic, partition, offset, message.timestamp()[1], key, value))
        return records

    def positions(self, topic: str) -> Offsets:
        """The offset behind the last record read of each kafka partition, or behind what is no record."""
        return self._positions[topic]

    def close(self) -> None:
        self._consumer.close()
