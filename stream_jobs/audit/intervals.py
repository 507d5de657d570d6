"""Counts, sums and mixed hashes by interval of event time, kafka partition and direction; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from stream_jobs.audit.rows import RECEIVED, SENT, Entry, money

INTERVAL_MS: Final = 10_000
HOUR_MS: Final = 3_600_000


class Cell(NamedTuple):
    """One direction of one kafka partition in one interval."""

    interval_ms: int  # its start
    partition: int
    direction: str


class Sums(NamedTuple):
    """How many rows, their exact amount in units of 10^-8, and the sum of their mixed hashes."""

    rows: int = 0
    amount: int = 0
    mix: int = 0

    def plus(self, rows: int, amount: int, mix: int) -> Sums:
        """Both together."""
        return Sums(self.rows + rows, self.amount + amount, self.mix + mix)


NOTHING: Final = Sums()


@dataclass(slots=True)
class CellChange:
    """What one batch added to a cell of each tier, and which offsets its entries have."""

    raw: Sums = NOTHING
    entries: Sums = NOTHING
    first_offset: int | None = None
    last_offset: int | None = None


@dataclass(slots=True)
class Changes:
    """What was added since the state was last written, by cell."""

    cells: dict[Cell, CellChange] = field(default_factory=dict)

    def add_entry(self, entry: Entry) -> None:
        """An entry that was read, where it was read."""
        change = self._cell(start_of(entry.transfer.time_ms), entry.partition, entry.direction)
        change.entries = change.entries.plus(1, entry.transfer.amount, entry.mix)
        if change.first_offset is None or entry.offset < change.first_offset:
            change.first_offset = entry.offset
        if change.last_offset is None or entry.offset > change.last_offset:
            change.last_offset = entry.offset

    def add_raw(self, direction: str, partition: int, time_ms: int, amount: int, mix: int) -> None:
        """One side of an event that counts, where its entry belongs."""
        change = self._cell(start_of(time_ms), partition, direction)
        change.raw = change.raw.plus(1, amount, mix)

    def touch(self, time_ms: int) -> None:
        """An interval that is to be compared although no legal entry came into it."""
        self._cell(start_of(time_ms), 0, RECEIVED)

    def _cell(self, interval_ms: int, partition: int, direction: str) -> CellChange:
        cell = Cell(interval_ms, partition, direction)
        change = self.cells.get(cell)
        if change is None:
            change = self.cells[cell] = CellChange()
        return change


@dataclass(frozen=True, slots=True)
class Tiers:
    """A cell as raw and the entries have it."""

    raw: Sums
    entries: Sums


def start_of(time_ms: int) -> int:
    """The start of the interval that an instant is in."""
    return time_ms - time_ms % INTERVAL_MS


def whole(cells: dict[Cell, Tiers]) -> Iterator[tuple[int, str, str]]:
    """Intervals whose tiers contradict each other: start, kind and what differs."""
    by_interval: dict[int, dict[Cell, Tiers]] = {}
    for cell, tiers in cells.items():
        by_interval.setdefault(cell.interval_ms, {})[cell] = tiers
    for interval_ms, inside in by_interval.items():
        unequal = [cell for cell, tiers in inside.items() if tiers.raw != tiers.entries]
        if unequal:
            cell = min(unequal)
            yield interval_ms, "UNEXPLAINED", f"{cell.direction} of partition {cell.partition}"
        received, sent = (
            _total(tiers.entries for cell, tiers in inside.items() if cell.direction == direction)
            for direction in (RECEIVED, SENT)
        )
        if received != sent:
            yield interval_ms, "UNBALANCED", f"received {_said(received)}, sent {_said(sent)}"


def _said(total: tuple[int, int]) -> str:
    return f"{total[0]} x, {money(total[1])}"


def _total(sums: Iterator[Sums]) -> tuple[int, int]:
    count = amount = 0
    for each in sums:
        count, amount = count + each.rows, amount + each.amount
    return count, amount
