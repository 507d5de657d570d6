"""Reads kafka partitions between two offsets, committed records only, in the order of each partition."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, TopicPartition

from stream_jobs.kafka_offsets import KafkaOffsetsError
from stream_jobs.offsets import Offsets

STALLED_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `time_ms` is its timestamp."""

    partition: int
    time_ms: int
    value: bytes | None


def read(kafka_servers: str, topic: str, starts: Offsets, ends: Offsets) -> Iterator[Record]:
    """The committed records from `starts` up to, not including, `ends`.

    Raises KafkaOffsetsError if nothing arrives for a minute.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": kafka_servers,
            "log_level": 0,
            "group.id": "topic-reader",  # never joined, never committed to
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    left = {partition for partition, end in ends.items() if starts[partition] < end}
    consumer.assign([TopicPartition(topic, p, starts[p]) for p in sorted(left)])
    try:
        yield from _until(consumer, topic, left, ends)
    finally:
        consumer.close()


def _until(consumer: Consumer, topic: str, left: set[int], ends: Offsets) -> Iterator[Record]:
    heard_at_s = time.monotonic()
    while left:
        messages = consumer.consume(10_000, timeout=0.5)
        if messages:
            heard_at_s = time.monotonic()
        elif time.monotonic() - heard_at_s > STALLED_AFTER_S:
            raise KafkaOffsetsError(f"{topic}: nothing read for {STALLED_AFTER_S:.0f} s")
        for message in messages:
            partition, offset, error = message.partition(), message.offset(), message.error()
            if partition is None or offset is None or partition not in left:
                continue
            if offset >= ends[partition]:
                left.discard(partition)
            elif error is None:
                yield Record(partition, message.timestamp()[1], message.value())
                if offset == ends[partition] - 1:
                    left.discard(partition)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaOffsetsError(f"{topic}: {error}")
