"""Hours that are over for good: their intervals' sums added up, in the file, so that it does not grow for ever.

Sums add: count, amount and mixed hash of an hour are those of its intervals together, and still change with any
field of any row. What is lost is only to say in which ten seconds something differs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stream_jobs.audit.intervals import HOUR_MS, Cell, CellChange, Sums, Tiers

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS hour_cells (
  hour_ms INT, partition INT, direction TEXT, raw_count INT, raw_amount TEXT, raw_mix TEXT,
  count INT, amount TEXT, mix TEXT, PRIMARY KEY (hour_ms, partition, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whole_hours (hour_ms INTEGER PRIMARY KEY, round INT, rows INT, checked INT);
"""


@dataclass(frozen=True, slots=True)
class WholeHour:
    """An hour; `round` is the check in which something last came into it."""

    hour_ms: int
    round: int
    rows: int


class HourTable:
    """Whole hours and their sums by kafka partition and direction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        self._whole = {row[0] for row in db.execute("SELECT hour_ms FROM whole_hours")}

    def has(self, interval_ms: int) -> bool:
        """Whether an instant is in a whole hour."""
        return bool(self._whole) and interval_ms - interval_ms % HOUR_MS in self._whole

    def checked(self) -> int:
        """How many intervals were compared in all tiers before they were added up."""
        row = self._db.execute("SELECT coalesce(sum(checked), 0) FROM whole_hours").fetchone()
        return int(row[0])

    def find(self, hour_ms: int) -> WholeHour | None:
        """The whole hour that begins at an instant."""
        return self._one("hour_ms = ?", hour_ms)

    def beginning_at(self, start_ms: int) -> WholeHour | None:
        """The first whole hour from an instant on."""
        return self._one("hour_ms >= ?", start_ms)

    def _one(self, where: str, instant_ms: int) -> WholeHour | None:
        row = self._db.execute(
            f"SELECT hour_ms, round, rows FROM whole_hours WHERE {where} ORDER BY hour_ms LIMIT 1",  # noqa: S608
            (instant_ms,),
        ).fetchone()
        return None if row is None else WholeHour(*row)

    def cells(self, hour_ms: int) -> dict[Cell, Tiers]:
        """What raw and entries have in an hour."""
        rows = self._db.execute("SELECT * FROM hour_cells WHERE hour_ms = ?", (hour_ms,))
        return {
            Cell(*row[:3]): Tiers(
                Sums(row[3], int(row[4]), int(row[5])), Sums(row[6], int(row[7]), int(row[8]))
            )
            for row in rows.fetchall()
        }

    def insert(self, hour_ms: int, cells: Mapping[Cell, Tiers], checked: int) -> None:
        """An hour from the sums of its intervals, of which so many were compared."""
        added: dict[Cell, Tiers] = {}
        for cell, tiers in cells.items():
            _add(added, Cell(hour_ms, cell.partition, cell.direction), tiers)
        self._write(added)
        rows = sum(tiers.entries.rows for tiers in added.values())
        self._db.execute("INSERT INTO whole_hours VALUES (?, 0, ?, ?)", (hour_ms, rows, checked))
        self._whole.add(hour_ms)

    def add(self, changes: Mapping[Cell, CellChange], round_: int) -> None:
        """What came into whole hours after all."""
        by_hour: dict[int, dict[Cell, Tiers]] = {}
        for cell, change in changes.items():
            hour_ms = cell.interval_ms - cell.interval_ms % HOUR_MS
            hour = by_hour.setdefault(hour_ms, self.cells(hour_ms))
            whole = Cell(hour_ms, cell.partition, cell.direction)
            _add(hour, whole, Tiers(change.raw, change.entries))
        for hour_ms, hour in by_hour.items():
            self._write(hour)
            self._db.execute(
                "UPDATE whole_hours SET round = ?, rows = ? WHERE hour_ms = ?",
                (round_, sum(tiers.entries.rows for tiers in hour.values()), hour_ms),
            )

    def _write(self, cells: Mapping[Cell, Tiers]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO hour_cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*cell, *_plain(tiers.raw), *_plain(tiers.entries)) for cell, tiers in cells.items()],
        )


def _add(cells: dict[Cell, Tiers], cell: Cell, more: Tiers) -> None:
    before = cells.get(cell, Tiers(Sums(), Sums()))
    cells[cell] = Tiers(before.raw.plus(*more.raw), before.entries.plus(*more.entries))


def _plain(sums: Sums) -> tuple[int, str, str]:
    return sums.rows, str(sums.amount), str(sums.mix)
