"""Raw topic, entries and Pinot in memory, behind the audit's own ports, and the job between them in six lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stream_jobs.audit.auditor import Auditor, RecordReader
from stream_jobs.audit.frontier import Frontier, Topics
from stream_jobs.audit.intervals import HOUR_MS, INTERVAL_MS, Cell, Sums, start_of
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.readers import Record
from stream_jobs.audit.rows import (
    RECEIVED,
    SENT,
    Malformed,
    Transfer,
    id_text,
    mixed,
    money,
    parsed_entry,
    raw_transfer,
)
from stream_jobs.audit.state import State
from stream_jobs.dedup_window import DedupWindow
from stream_jobs.murmur2 import kafka_partition
from stream_jobs.offsets import Gap, Offsets

TOPICS = Topics()
DAY_MS = 86_400_000


@dataclass
class MemoryTiers:
    """Three tiers; what is appended is there at once, and the job has always finished."""

    partitions: int = 4
    logs: dict[str, list[list[Record]]] = field(default_factory=dict)
    pinot: dict[int, Counter[Row]] = field(default_factory=dict)
    queries: int = 0

    def __post_init__(self) -> None:
        self.logs = {
            topic: [[] for _ in range(self.partitions)] for topic in (TOPICS.raw, TOPICS.entries)
        }

    def append(
        self,
        topic: str,
        partition: int,
        time_ms: int,
        value: bytes | None,
        key: bytes | None = None,
    ) -> None:
        log = self.logs[topic][partition]
        log.append(Record(topic, partition, len(log), time_ms, key, value))

    def entry(self, body: Mapping[str, object], partition: int | None = None) -> None:
        """One record of `account-entries`, where the job would put it."""
        account = str(body["account_id"])
        home = kafka_partition(account, self.partitions)
        where = home if partition is None else partition
        self.append(TOPICS.entries, where, 1, json.dumps(body).encode(), account.encode())

    def serve(self) -> None:
        """Let Pinot have exactly the entries."""
        self.pinot = {}
        for log in self.logs[TOPICS.entries]:
            for record in log:
                self.add_row(record)

    def add_row(self, record: Record, times: int = 1) -> None:
        row = row_of(record)
        if row is not None:
            self.pinot.setdefault(start_of(row.time_ms), Counter())[row] += times

    # the reader's, Kafka's and Pinot's ports

    def ends(self, topic: str) -> Offsets:
        return {partition: len(log) for partition, log in enumerate(self.logs[topic])}

    stable_ends = committed = ends

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        raise AssertionError("there are no gaps")

    def has_reached(self, entry_ends: Offsets) -> bool:
        return True

    def sums(self, start_ms: int, end_ms: int) -> dict[Cell, Sums]:
        self.queries += 1
        found: dict[Cell, Sums] = {}
        for row, times in self._rows(start_ms, end_ms).items():
            cell = Cell(start_of(row.time_ms), row.partition, row.direction)
            for _ in range(times):
                found[cell] = found.get(cell, Sums()).plus(1, row.amount, mix_of(row))
        return found

    def hours(self) -> dict[tuple[int, str], tuple[int, int]]:
        return self._grouped(HOUR_MS, self._rows(0, 2**62))

    def coarse(self, start_ms: int, end_ms: int) -> dict[tuple[int, str], tuple[int, int]]:
        return self._grouped(INTERVAL_MS, self._rows(start_ms, end_ms))

    def rows(self, start_ms: int, end_ms: int, limit: int) -> Counter[Row] | None:
        found = self._rows(start_ms, end_ms)
        return None if found.total() > limit else found

    def entries_of(self, interval_ms: int) -> Counter[Row]:
        rows = (row_of(record) for log in self.logs[TOPICS.entries] for record in log)
        return Counter(row for row in rows if row and start_of(row.time_ms) == interval_ms)

    def _rows(self, start_ms: int, end_ms: int) -> Counter[Row]:
        found: Counter[Row] = Counter()
        for interval_ms, rows in self.pinot.items():
            if start_ms <= interval_ms < end_ms:
                found.update(rows)
        return found

    @staticmethod
    def _grouped(width_ms: int, rows: Counter[Row]) -> dict[tuple[int, str], tuple[int, int]]:
        groups: dict[tuple[int, str], tuple[int, int]] = {}
        for row, times in rows.items():
            key = (row.time_ms - row.time_ms % width_ms, row.direction)
            count, amount = groups.get(key, (0, 0))
            groups[key] = (count + times, amount + row.amount * times)
        return groups


class MemoryReader:
    """Reads both topics of the tiers, a stretch of each partition in turn."""

    def __init__(self, tiers: MemoryTiers, starts: Mapping[str, Offsets]) -> None:
        self._tiers = tiers
        self._positions = {topic: dict(offsets) for topic, offsets in starts.items()}

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        records: list[Record] = []
        for topic, positions in self._positions.items():
            for partition, offset in positions.items():
                some = self._tiers.logs[topic][partition][offset : offset + limit // 8]
                positions[partition] += len(some)
                records += some
        return records

    def positions(self, topic: str) -> Offsets:
        return self._positions[topic]


class Bench:
    """One audit over tiers in memory; `clock_ms` moves by hand."""

    def __init__(
        self,
        tiers: MemoryTiers,
        file: Path,
        clock_ms: int,
        window: DedupWindow | None = None,
        reader: Callable[[MemoryReader], RecordReader] = lambda each: each,
    ) -> None:
        self.clock_ms = clock_ms
        self.tiers = tiers
        self.state = State(file)
        starts = {
            topic: {**dict.fromkeys(tiers.ends(topic), 0), **self.state.positions(topic)}
            for topic in (TOPICS.raw, TOPICS.entries)
        }
        read = reader(MemoryReader(tiers, starts))
        self.auditor = Auditor(
            self.state,
            read,
            Frontier(tiers, TOPICS, read.positions, self.now),
            PinotCheck(self.state, tiers, tiers.entries_of, self.now),
            self.now,
            topics=TOPICS,
            partitions=tiers.partitions,
            window=window or DedupWindow(14 * DAY_MS, HOUR_MS),
        )

    def now(self) -> int:
        self.clock_ms += 1
        return self.clock_ms

    def read_all(self) -> int:
        """Read what there is; how many records it was."""
        read = 0
        while some := self.auditor.read(0):
            read += some
        return read

    def check(self, times: int = 1) -> None:
        """Whole checks, each with the comparison with Pinot."""
        for _ in range(times):
            self.read_all()
            self.auditor.look()
            self.clock_ms += 1_000
            self.read_all()
            self.auditor.look()
            while self.auditor.compare():
                pass
            self.auditor.compare()
            while self.auditor.compare():
                pass

    def kinds(self) -> set[tuple[str, str, int]]:
        """Tier, kind and interval of everything open."""
        return {
            (m.tier.value, m.kind.value, m.interval_ms)
            for m in self.state.findings.mismatches(10**6, 1)
        }


def count_events(tiers: MemoryTiers, seen: set[bytes] | None = None) -> None:
    """What the job does: the first of each id leaves two entries, of reversals the first that fits."""
    known = set() if seen is None else seen
    events: dict[bytes, Transfer] = {}
    for log in tiers.logs[TOPICS.raw]:
        for record in log:
            found = raw_transfer(record.value, record.time_ms)
            if found is not None:
                events.setdefault(*found)
    reversed_: set[bytes] = {e.original for id_, e in events.items() if id_ in known and e.reverses}
    for id_, event in events.items():
        if id_ in known:
            continue
        if event.reverses:
            original = events.get(event.original)
            if original is None or original.content != event.undone or event.original in reversed_:
                continue
            reversed_.add(event.original)
        known.add(id_)
        for body in bodies(id_, event):
            tiers.entry(body)


def bodies(id_: bytes, transfer: Transfer) -> list[dict[str, object]]:
    """The two entries of an event."""
    amount = money(transfer.amount)
    sides = [
        (RECEIVED, transfer.to_account_id, transfer.from_account_id),
        (SENT, transfer.from_account_id, transfer.to_account_id),
    ]
    return [
        {
            "account_id": account,
            "counterparty_id": other,
            "direction": direction,
            "transaction_id": id_text(id_),
            "amount": amount,
            "event_time_ms": transfer.time_ms,
            "kind": transfer.kind,
            "reverses": transfer.reverses or None,
        }
        for direction, account, other in sides
    ]


def row_of(record: Record) -> Row | None:
    """The row that Pinot makes of an entry."""
    parsed = parsed_entry(record.value, record.partition, record.offset, 1)
    if isinstance(parsed, Malformed):
        return None
    id_, entry = parsed
    transfer = entry.transfer
    sides = (transfer.account_id(entry.direction), transfer.counterparty_id(entry.direction))
    where = (record.partition, *sides, entry.direction, id_text(id_))
    what = (transfer.amount, transfer.time_ms, transfer.kind, transfer.reverses)
    return Row(*where, *what)


def mix_of(row: Row) -> int:
    what = (row.direction, row.transaction_id, str(row.time_ms), row.kind, row.reverses)
    return mixed((row.account_id, row.counterparty_id, *what), row.amount)


def fill(tiers: MemoryTiers, events: Iterable[tuple[bytes, int]]) -> None:
    """Events with their times, spread over the raw topic's partitions."""
    for number, (value, time_ms) in enumerate(events):
        tiers.append(TOPICS.raw, number % tiers.partitions, time_ms, value)
