"""How many rows the broker serves of each class of accounts, counted only where something was read since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from stream_jobs.progress.pinot_served import (
    ConsumingSegment,
    PinotServed,
    refuse_silent,
    whole,
)
from stream_jobs.progress.segments import NotServedError, TableSegments
from stream_jobs.progress.side_by_side import SideBySide
from stream_jobs.topics.murmur2 import account_id_in
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets

_Counted = dict[tuple[str, str | None], tuple[object, int]]
"""Rows by table and account, with the segments and offsets at which they were counted."""


@dataclass
class PinotTable:
    """One look at what Pinot has of a topic."""

    name: str
    consuming: tuple[ConsumingSegment, ...]
    segments: TableSegments
    consumed: Offsets = field(default_factory=dict)

    @cached_property
    def whole(self) -> frozenset[str]:
        """Of `consuming` those that are filled, and in memory only until they are built."""
        return whole(self.consuming, self.segments)

    @cached_property
    def filling(self) -> tuple[ConsumingSegment, ...]:
        """Of `consuming` the others."""
        return tuple(each for each in self.consuming if each.name not in self.whole)


@dataclass(frozen=True, slots=True)
class Docs:
    """Rows that Pinot served. `entries` is by class of accounts, which is mostly a kafka partition.

    `shared` of these are counted more than once, since they are in segments that several classes read.
    `in_memory`, by class: how many segments a query may read that are in memory: the one that is being filled, and those
    that are filled and not replaced yet; empty: one each.
    """

    entries: tuple[int, ...]
    rejected: int
    shared: int = 0
    in_memory: tuple[int, ...] = ()

    def fewer_than(self, before: Docs, tables: Mapping[str, PinotTable]) -> str | None:
        """Rows never become fewer, unless the table forgets them: what is said if they did."""
        entries, rejected = tables.values()
        pairs = [(entries, sum(before.entries) - before.shared, sum(self.entries) - self.shared)]
        if len(before.entries) == len(self.entries):
            each = zip(before.entries, self.entries, strict=True)
            pairs += [(entries, was, now) for was, now in each]
        pairs.append((rejected, before.rejected, self.rejected))
        for table, was, now in pairs:
            if now < was and table.segments.retention_ms is None:
                return f"Pinot had {was} rows of {table.name}, now {now}"
        return None


class RowCounts:
    """Counts by one broker query a class, side by side."""

    def __init__(self, pinot: PinotServed, names: Names, side_by_side: SideBySide) -> None:
        self._pinot = pinot
        self._names = names
        self._all = side_by_side
        self._kept: _Counted = {}
        self._new: _Counted = {}

    def keep(self) -> None:
        """What was counted last holds until something is read: no server had begun anew."""
        self._kept = self._new

    def count(self, tables: Mapping[str, PinotTable]) -> Docs:
        """Rows by class of accounts; of the rejected, which no query prunes, all in one."""
        entries, rejected = (
            tables[topic] for topic in (self._names.entries_topic, self._names.rejected_topic)
        )
        for table in (entries, rejected):
            refuse_silent(table.consuming, table.segments)
            _refuse_other_modulus(table)
        classes, every = entries.segments.by_class, entries.segments.names
        asked: list[tuple[PinotTable, str | None, frozenset[str]]] = [
            (entries, account_id_in(number, len(classes)), held)
            for number, held in enumerate(classes)
        ]
        asked.append((rejected, None, rejected.segments.names))
        overlap = sum(map(len, classes)) != len(every)
        if overlap:
            asked.append((entries, None, every))
        self._new = {}
        rows = self._all([partial(self._rows, *each) for each in asked])
        docs = tuple(rows[: len(classes)])
        filled = entries.whole
        in_memory = tuple(1 + len(filled & held) for held in classes) if filled else ()
        return Docs(docs, rows[len(classes)], sum(docs) - rows[-1] if overlap else 0, in_memory)

    def _rows(self, table: PinotTable, account_id: str | None, held: frozenset[str]) -> int:
        consuming = _held(table.consuming, held)
        seen = held, tuple(tuple(sorted(each.server_offsets.items())) for each in consuming)
        known = self._kept.get((table.name, account_id))
        if known is None or known[0] != seen:
            most, least = len(consuming), len(_held(table.filling, held))
            known = seen, self._asked(table, account_id, held, range(least, most + 1))
        self._new[table.name, account_id] = known
        return known[1]

    def _asked(
        self, table: PinotTable, account_id: str | None, held: frozenset[str], consuming: range
    ) -> int:
        count = self._pinot.count(table.name, account_id)
        replaced = not held.isdisjoint(table.segments.from_elsewhere)
        covered = count.segments == len(held) or (replaced and count.segments < len(held))
        if not covered or count.consuming not in consuming:
            raise NotServedError(
                f"a count of {table.name} covered {count.segments} of {len(held)} segments, "
                f"{count.consuming} of {consuming[-1]} that are being filled"
            )
        return count.rows


def _held(consuming: tuple[ConsumingSegment, ...], held: frozenset[str]) -> list[ConsumingSegment]:
    return [each for each in consuming if each.name in held]


def _refuse_other_modulus(table: PinotTable) -> None:
    """While the topic has more partitions than a segment that is filled is looked for by, it is looked for wrongly."""
    partitions = len(table.consumed)
    for each in table.consuming:
        segment = table.segments.by_name.get(each.name)
        if segment is None or not (segment.consuming or each.name in table.whole):
            raise NotServedError(f"segment {each.name} is being handed over")
        if segment.modulus not in (0, partitions):
            raise NotServedError(
                f"the topic has {partitions} partitions and segment {each.name} is looked for by "
                f"{segment.modulus}: give the table as many, and have its segments finished"
            )
