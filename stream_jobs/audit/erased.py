"""Which rows of Pinot tell a pseudonym by now, in the audit's file, and what that makes of sums and rows.

Raw records keep the id, so what counts of them is as it was before; what a row's hash gained is added to that: by an
erasure of Pinot's rows, or because the entry that the row was made of was filled from an archive and tells the pseudonym
itself. The rows are kept until their raw records are gone, and then become part of the sums.
"""

# ruff: noqa: S608 - statements are put together out of our own words

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Cell, CellSums, Row, Sums
from stream_jobs.audit.told_entry import ErasedEntry
from stream_jobs.events.erased_rows import ErasedRows

# Rows are announced before Pinot gets them: for so long both are right.
UNDER_WAY_MS: Final = 600_000
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS erased (
  hour_ms INT, partition INT, offset INT, direction TEXT, pseudonym TEXT, mix TEXT, number INT, segment TEXT,
  taken_ms INT, PRIMARY KEY (hour_ms, partition, offset, direction, pseudonym)) WITHOUT ROWID;
"""

Place = tuple[int, int, str]
"""A row's raw partition and offset, and its direction."""


@dataclass(frozen=True, slots=True)
class Gained:
    """What the hashes of one segment's rows have gained by one erasure, by place; `settled`: Pinot must have it."""

    rows: Mapping[tuple[int, Place], int]
    settled: bool


class ErasedTable:
    """The rows in the file; its caller has begun a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def take(self, records: Iterable[tuple[int, ErasedRows]], now_ms: int) -> None:
        """What was announced, by number; again, in place of what was."""
        self._db.executemany(
            "INSERT OR REPLACE INTO erased VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    *(row.hour_ms, row.partition, row.offset, row.direction),
                    *(each.pseudonym, str(row.mix), number, each.segment, now_ms),
                )
                for number, each in records
                for row in each.rows
            ),
        )

    def tell(self, entries: Iterable[ErasedEntry], now_ms: int) -> None:
        """Rows that have told a pseudonym from the beginning, before all that is announced of them."""
        self._db.executemany(
            "INSERT OR REPLACE INTO erased VALUES (?, ?, ?, ?, '', ?, -1, '', ?)",
            (
                (
                    *(was.cell.hour_ms, *_place(was)),
                    *(str(told.mix - was.mix), now_ms - UNDER_WAY_MS),
                )
                for was, told in entries
            ),
        )

    def of(self, hour_ms: int, stretches: Iterable[Stretch], now_ms: int) -> list[Gained]:
        """What rows of an hour from these raw records have gained, in the order of the announcements."""
        within: dict[int, list[Stretch]] = {}
        for each in stretches:
            within.setdefault(each.partition, []).append(each)
        rows = self._db.execute(
            "SELECT segment, pseudonym, taken_ms, partition, offset, direction, mix FROM erased "
            "WHERE hour_ms = ? ORDER BY number, segment, pseudonym",
            (hour_ms,),
        ).fetchall()
        ours = [row for row in rows if _covers(within.get(row[3], ()), row[4])]
        return [
            Gained(
                {
                    (hour_ms, (p, offset, direction)): int(mix)
                    for *_, p, offset, direction, mix in of
                },
                all(row[2] + UNDER_WAY_MS <= now_ms for row in of),
            )
            for _, group in groupby(ours, key=lambda row: row[:2])
            for of in [list(group)]
        ]

    def settle(self, vouched: Iterable[Stretch], before_ms: int) -> None:
        """What was taken before an instant becomes part of the sums, where they are vouched for."""
        ours = {each.partition: each for each in vouched}
        where = "FROM erased WHERE taken_ms < ?"
        rows = self._db.execute(f"SELECT * {where}", (before_ms,)).fetchall()
        self._db.execute(f"DELETE {where}", (before_ms,))
        for hour_ms, partition, offset, direction, _, mix, *_ in rows:
            if partition in ours and _covers([ours[partition]], offset):
                self._add((hour_ms, partition, direction), int(mix))

    def _add(self, cell: tuple[int, int, str], mix: int) -> None:
        where = "WHERE hour_ms = ? AND partition = ? AND direction = ?"
        row = self._db.execute(f"SELECT mix FROM cells {where}", cell).fetchone()
        if row is not None:  # SQLite's own numbers end at 64 bits
            total = str(int(row[0]) + mix)
            self._db.execute(f"UPDATE cells SET mix = ? {where}", (total, *cell))


def versions(counted: CellSums, gained: Sequence[Gained]) -> list[CellSums]:
    """What Pinot's sums should be, and then what else they may be, as long as announced rows are under way."""
    found = [counted]
    for each in gained:
        now = dict(found[0])
        for (hour_ms, (partition, _, direction)), mix in each.rows.items():
            cell = Cell(hour_ms, partition, direction)
            now[cell] = now.get(cell, Sums()).plus(Sums(mix=mix))
        found = [now] if each.settled else [now, *found]
    return found


def restored(raw: Counter[Row], rows: Counter[Row], gained: Iterable[Gained]) -> Counter[Row]:
    """Pinot's rows with the id again, where it is as announced: then nothing but the id has changed."""
    mixes: dict[Place, int] = {}
    for each in gained:
        for (_, place), mix in each.rows.items():
            mixes[place] = mixes.get(place, 0) + mix
    was = {place: row for row in raw if (place := _place(row)) in mixes}
    return Counter(dict(_with_id(rows, was, mixes)))


def _with_id(
    rows: Counter[Row], was: Mapping[Place, Row], mixes: Mapping[Place, int]
) -> Iterator[tuple[Row, int]]:
    for row, count in rows.items():
        before = was.get(_place(row))
        gained = before is not None and before.mix + mixes[_place(row)] == row.mix
        yield (before if before is not None and gained else row), count


def _place(row: Row) -> Place:
    return row.partition, row.offset, row.direction


def _covers(stretches: Iterable[Stretch], offset: int) -> bool:
    return any(each.start <= offset < each.end for each in stretches)
