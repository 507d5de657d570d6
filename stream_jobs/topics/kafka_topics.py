"""Offsets and records of one Kafka, for those who read it once and do not follow it."""

from __future__ import annotations

from collections.abc import Iterator

from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.offsets import Offsets
from stream_jobs.topics.reader import Record, read


class KafkaTopics:
    """`beginning.Kafka` on a real cluster, and what `Frontier` asks of it."""

    def __init__(self, kafka_servers: str, offsets: KafkaOffsets) -> None:
        self._kafka_servers = kafka_servers
        self.starts = offsets.starts
        self.ends = offsets.ends
        self.stable_ends = offsets.stable_ends
        self.committed = offsets.committed
        self.at_time = offsets.at_time
        self.first_records = offsets.first_records

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterator[Record]:
        """The committed records between two offsets."""
        return read(self._kafka_servers, topic, starts, ends)
