"""Reads kafka partitions between two offsets, committed records only, in the order of each partition."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, TopicPartition

from stream_jobs.topics.clients import consumer, explained, heard
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.offsets import Offsets

STALLED_AFTER_S = 60.0
LOOK_BACK = 16  # offsets; then so many times as many


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `time_ms` is its timestamp."""

    partition: int
    offset: int
    time_ms: int
    value: bytes | None


def read(kafka_servers: str, topic: str, starts: Offsets, ends: Offsets) -> Iterator[Record]:
    """The committed records from `starts` up to, not including, `ends`.

    Raises KafkaOffsetsError if nothing arrives for a minute.
    """
    reading = consumer(
        kafka_servers,
        {
            "group.id": "topic-reader",  # never joined, never committed to
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        },
    )
    left = {partition for partition, end in ends.items() if starts[partition] < end}
    reading.assign([TopicPartition(topic, p, starts[p]) for p in sorted(left)])
    try:
        yield from _until(reading, topic, left, ends)
    finally:
        reading.close()


def last_record(kafka_servers: str, offsets: KafkaOffsets, topic: str) -> Record | None:
    """The newest committed record of a topic's first kafka partition; None if there is none.

    What stands at its end may be markers of transactions and records that were aborted.
    """
    start, end = offsets.starts(topic)[0], offsets.stable_ends(topic)[0]
    span = LOOK_BACK
    while True:
        begin = max(start, end - span)
        found = list(read(kafka_servers, topic, {0: begin}, {0: end}))
        if found or begin == start:
            return found[-1] if found else None
        span *= LOOK_BACK


def _until(reading: Consumer, topic: str, left: set[int], ends: Offsets) -> Iterator[Record]:
    heard_at_s = time.monotonic()
    while left:
        messages = reading.consume(10_000, timeout=0.5)
        if messages:
            heard_at_s = time.monotonic()
        else:
            _refuse_silence(reading, topic, time.monotonic() - heard_at_s)
        for message in messages:
            partition, offset, error = message.partition(), message.offset(), message.error()
            if partition is None or offset is None or partition not in left:
                continue
            if offset >= ends[partition]:
                left.discard(partition)
            elif error is None:
                yield Record(partition, offset, message.timestamp()[1], message.value())
                if offset == ends[partition] - 1:
                    left.discard(partition)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaOffsetsError(f"{topic}: {explained(reading, error)}")


def _refuse_silence(reading: Consumer, topic: str, silent_s: float) -> None:
    if why := heard(reading):
        raise KafkaOffsetsError(f"{topic}: {why}")
    if silent_s > STALLED_AFTER_S:
        raise KafkaOffsetsError(f"{topic}: nothing read for {STALLED_AFTER_S:.0f} s")
