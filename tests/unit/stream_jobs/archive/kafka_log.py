"""A topic in memory with markers of transactions between its records, and a reader of it as Kafka's clients read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from stream_jobs.archive.archiving import Archiver
from stream_jobs.archive.columns import records_of
from stream_jobs.archive.layout import Part
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store
from stream_jobs.archive.telling import ArchiveMetrics
from stream_jobs.audit.readers import Record
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Offsets

HOUR_MS = 3_600_000
# 2026-11-23T07:00:00Z
SEVEN_MS = 1_795_417_200_000
TOPIC = NAMES.entries_topic


def record(partition: int, offset: int, time_ms: int, value: bytes | None = b"x") -> Record:
    return Record(TOPIC, partition, offset, time_ms, b"key", value, None)


@dataclass
class KafkaLog:
    """By kafka partition its records and where it ends; `first`: what was deleted before."""

    records: dict[int, list[Record]]
    end: dict[int, int]
    first: dict[int, int] = field(default_factory=dict)

    def starts(self, topic: str) -> Offsets:
        return {partition: self.first.get(partition, 0) for partition in self.end}

    def ends(self, topic: str) -> Offsets:
        return dict(self.end)

    stable_ends = ends

    def reader(self, starts: Mapping[str, Offsets]) -> LogReader:
        return LogReader(self, dict(starts[TOPIC]))


@dataclass
class LogReader:
    log: KafkaLog
    at: dict[int, int]

    def add(self, topic: str, starts: Offsets) -> None:
        self.at |= starts

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        """A few records of each partition; then, at its end, behind the markers."""
        found = []
        for partition, at in self.at.items():
            some = [each for each in self.log.records[partition] if each.offset >= at][:3]
            found += some
            self.at[partition] = some[-1].offset + 1 if some else self.log.end[partition]
        return found

    def positions(self, topic: str) -> Offsets:
        return self.at

    def close(self) -> None:
        pass


def metrics() -> ArchiveMetrics:
    return ArchiveMetrics(lambda: 0.0)


def archiver(log: KafkaLog, store: Store, limits: Limits, *, accept_loss: bool = False) -> Archiver:
    return Archiver(log, log.reader, store, NAMES, limits, metrics(), accept_loss=accept_loss)


def archived(store: Store, partition: int) -> tuple[list[Part], list[Record]]:
    """The files of a partition, and the records in them."""
    parts = list(store.parts(TOPIC, partition))
    found: list[Record] = []
    for part in parts:
        with store.open(part) as file:
            found += records_of(part, pq.read_table(file))
    return parts, found


def files(folder: Path) -> Sequence[Path]:
    return sorted(folder.rglob("*.parquet"))
