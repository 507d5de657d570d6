"""Raw topic, outcomes and Pinot in memory, behind the audit's own ports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream_jobs.audit.readers import Record
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import HOUR_MS, Cell, Row, Sums
from stream_jobs.events.money import scaled
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets
from stream_jobs.topics.reader import Record as PlainRecord

BEGIN_MS = 1_795_000_000_000
RAW, ENTRIES = NAMES.transactions_topic, NAMES.entries_topic
REJECTED, UNCOUNTED = NAMES.rejected_topic, NAMES.uncounted_topic
ANNOUNCED, ERASURES = NAMES.erased_outcomes_topic, NAMES.erasures_topic


@dataclass
class MemoryKafka:
    """Topics whose records are there at once; the job has finished as far as `committed` says."""

    partitions: int = 4
    logs: dict[str, list[list[Record]]] = field(default_factory=dict)
    firsts: dict[tuple[str, int], int] = field(default_factory=dict)
    job: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        topics = (RAW, ENTRIES, REJECTED, UNCOUNTED)
        self.logs = {topic: [[] for _ in range(self.partitions)] for topic in topics}
        self.logs |= {ANNOUNCED: [[]], ERASURES: [[]]}

    def append(
        self,
        topic: str,
        partition: int,
        time_ms: int,
        value: bytes | None,
        key: bytes | None = None,
    ) -> Record:
        log = self.logs[topic][partition]
        record = Record(topic, partition, len(log), time_ms, key, value)
        log.append(record)
        return record

    def starts(self, topic: str) -> Offsets:
        return {p: self.firsts.get((topic, p), 0) for p in range(len(self.logs[topic]))}

    def ends(self, topic: str) -> Offsets:
        return {partition: len(log) for partition, log in enumerate(self.logs[topic])}

    stable_ends = ends

    def committed(self, topic: str) -> Offsets:
        return {p: self.job.get(p, end) for p, end in self.ends(topic).items()}

    def at_time(self, topic: str, time_ms: int) -> Offsets:
        return {
            p: next((r.offset for r in log if r.time_ms >= time_ms), len(log))
            for p, log in enumerate(self.logs[topic])
        }

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterator[PlainRecord]:
        for partition, end in ends.items():
            for r in self.logs[topic][partition][starts[partition] : end]:
                yield PlainRecord(r.partition, r.offset, r.time_ms, r.value)

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        return {partition: gap.start for partition, gap in gaps.items()}


@dataclass
class MemoryPinot:
    """Rows with how often each is there."""

    rows_: Counter[Row] = field(default_factory=Counter)
    statements: int = 0
    has_read_all: bool = True
    followed: MemoryKafka | None = None
    read: dict[int, int] = field(default_factory=dict)

    def follow(self, kafka: MemoryKafka) -> None:
        """From now on have no entry more than it was seen to have reached."""
        self.followed, self.read, self.rows_ = kafka, {}, Counter()

    def has_reached(self, entry_ends: Offsets) -> bool:
        if self.followed is not None:
            logs = self.followed.logs[ENTRIES]
            for partition, end in entry_ends.items():
                fresh = logs[partition][self.read.get(partition, 0) : end]
                self.rows_.update(row for row in map(row_of, fresh) if row is not None)
                self.read[partition] = max(end, self.read.get(partition, 0))
        return self.has_read_all

    def sums(self, hours: Sequence[int], stretches: Sequence[Stretch]) -> dict[Cell, Sums]:
        self.statements += 1
        found: dict[Cell, Sums] = {}
        rows = (row for hour in hours for row in self._of(hour, stretches).elements())
        for row in rows:
            one = Sums(1, row.amount, row.mix)
            found[row.cell] = found.get(row.cell, Sums()).plus(one)
        return found

    def coarse(self, hours: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for row in self.rows_.elements():
            hour_ms = row.time_ms - row.time_ms % HOUR_MS
            if min(hours) <= hour_ms <= max(hours):
                count, amount = found.get((hour_ms, row.direction), (0, 0))
                found[hour_ms, row.direction] = (count + 1, amount + row.amount)
        return found

    def rows(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> Counter[Row] | None:
        found = self._of(hour_ms, stretches)
        return None if found.total() > limit else found

    def strange(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> list[Row]:
        inside = self._of(hour_ms, stretches)
        return [row for row in self.rows_ if in_hour(row, hour_ms) and row not in inside][:limit]

    def rows_of_ids(self, transaction_ids: Sequence[str]) -> list[Row]:
        ids = set(transaction_ids)
        return [r for r in self.rows_.elements() if r.transaction_id in ids or r.reverses in ids]

    def _of(self, hour_ms: int, stretches: Sequence[Stretch]) -> Counter[Row]:
        return Counter(
            {
                row: times
                for row, times in self.rows_.items()
                if in_hour(row, hour_ms)
                and any(
                    s.partition == row.partition and s.start <= row.offset < s.end
                    for s in stretches
                )
            }
        )


def in_hour(row: Row, hour_ms: int) -> bool:
    return hour_ms <= row.time_ms < hour_ms + HOUR_MS


class MemoryReader:
    """Reads all topics, a stretch of each partition in turn."""

    def __init__(self, kafka: MemoryKafka, starts: Mapping[str, Offsets]) -> None:
        self._kafka = kafka
        self._positions = {topic: dict(offsets) for topic, offsets in starts.items()}
        self.paused: dict[str, set[int]] = {}
        # Of these kafka partitions nothing comes.
        self.stuck: set[tuple[str, int]] = set()

    def add(self, topic: str, starts: Offsets) -> None:
        for partition, offset in starts.items():
            self._positions[topic].setdefault(partition, offset)

    def pause(self, topic: str, partitions: set[int]) -> None:
        self.paused[topic] = set(partitions)

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        records: list[Record] = []
        for topic, positions in self._positions.items():
            for partition, offset in positions.items():
                if partition in self.paused.get(topic, ()) or (topic, partition) in self.stuck:
                    continue
                some = self._kafka.logs[topic][partition][offset : offset + limit // 16]
                positions[partition] += len(some)
                records += some
        return records

    def positions(self, topic: str) -> Offsets:
        return self._positions[topic]

    def close(self) -> None:
        """Nothing is held."""


def row_of(record: Record) -> Row | None:
    """The row that Pinot makes of an entry."""
    try:
        body: dict[str, Any] = json.loads(record.value or b"")
        return Row(
            body["account_id"],
            body["counterparty_id"],
            body["direction"],
            body["transaction_id"],
            body["event_time_ms"],
            body["kind"],
            body["reverses"] or "",
            -1 if body["kafka_partition"] is None else body["kafka_partition"],
            -1 if body["kafka_offset"] is None else body["kafka_offset"],  # as Pinot's default
            scaled(body["amount"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def serve(kafka: MemoryKafka) -> MemoryPinot:
    """A Pinot that has exactly the entries."""
    rows = (row_of(record) for log in kafka.logs[ENTRIES] for record in log)
    return MemoryPinot(Counter(row for row in rows if row is not None))
