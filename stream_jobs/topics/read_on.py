"""A topic read as far as it goes, and again from there: for few records, looked for now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from stream_jobs.topics.offsets import Offsets
from stream_jobs.topics.reader import Record


class Readable(Protocol):
    """kafka_topics.KafkaTopics is one; `read` gives committed records between two offsets."""

    def starts(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterable[Record]: ...


class ReadOn:
    """Where it stopped in one topic, all kafka partitions of it."""

    def __init__(self, kafka: Readable, topic: str, take: Callable[[Record], None]) -> None:
        self._kafka = kafka
        self._topic = topic
        self._take = take
        self._read_to: Offsets = {}

    def __call__(self) -> None:
        """Take all that is there by now. Raises what Kafka's client raises; then some may be taken once more."""
        ends = self._kafka.stable_ends(self._topic)
        starts = {
            partition: max(start, self._read_to.get(partition, 0))
            for partition, start in self._kafka.starts(self._topic).items()
        }
        if any(starts[partition] < end for partition, end in ends.items()):
            for record in self._kafka.read(self._topic, starts, ends):
                self._take(record)
        self._read_to = ends
