"""Counts, sums and hashes of every interval and hour, and which intervals are to be compared, in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stream_jobs.audit.hour_table import HourTable
from stream_jobs.audit.intervals import (
    HOUR_MS,
    INTERVAL_MS,
    Cell,
    CellChange,
    Changes,
    Sums,
    Tiers,
)

# In `pinot_due`: compared before, and only its turn has come again.
IN_TURN: Final = 2
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cells (
  interval_ms INT, partition INT, direction TEXT, raw_count INT, raw_amount TEXT, raw_mix TEXT,
  count INT, amount TEXT, mix TEXT, first_offset INT, last_offset INT,
  PRIMARY KEY (interval_ms, partition, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hours (
  hour_ms INT, direction TEXT, round INT, count INT, amount TEXT, PRIMARY KEY (hour_ms, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intervals (
  interval_ms INTEGER PRIMARY KEY, round INT, rows INT, whole_due INT, pinot_due INT, checked_ms INT);
CREATE INDEX IF NOT EXISTS whole_due ON intervals (interval_ms) WHERE whole_due;
CREATE INDEX IF NOT EXISTS pinot_due ON intervals (interval_ms) WHERE pinot_due;
"""


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of one interval; `round` is the check in which something last came into it."""

    interval_ms: int
    round: int
    rows: int


class IntervalTable:
    """Intervals, their cells, and hours; sums as text, since SQLite's numbers end at 64 bits."""

    def __init__(self, db: sqlite3.Connection, whole_hours: HourTable) -> None:
        self._db = db
        self._whole_hours = whole_hours
        db.executescript(SCHEMA)

    def due(
        self, which: str, start_ms: int, end_ms: int, before_round: int, limit: int
    ) -> list[Interval]:
        """Intervals between two instants to be compared, oldest first, that are over and at rest."""
        rows = self._db.execute(
            f"SELECT interval_ms, round, rows FROM intervals WHERE {which}_due "  # noqa: S608
            "AND interval_ms BETWEEN ? AND ? AND round < ? ORDER BY interval_ms LIMIT ?",
            (start_ms, end_ms - INTERVAL_MS, before_round, limit),
        )
        return [Interval(*row) for row in rows.fetchall()]

    def beginning_at(self, start_ms: int, limit: int) -> list[Interval]:
        """All intervals from an instant on, oldest first."""
        rows = self._db.execute(
            "SELECT interval_ms, round, rows FROM intervals WHERE interval_ms >= ? "
            "ORDER BY interval_ms LIMIT ?",
            (start_ms, limit),
        )
        return [Interval(*row) for row in rows.fetchall()]

    def hours(self, before_round: int) -> tuple[dict[tuple[int, str], tuple[int, int]], set[int]]:
        """Count and amount of the entries by hour and direction, and the hours that are not at rest."""
        sums, moving = {}, set()
        for hour_ms, direction, round_, count, amount in self._db.execute("SELECT * FROM hours"):
            sums[hour_ms, direction] = (count, int(amount))
            if round_ >= before_round:
                moving.add(hour_ms)
        return sums, moving

    def cells(self, start_ms: int, end_ms: int) -> dict[Cell, Tiers]:
        """What raw and entries have from an instant up to, not including, another."""
        rows = self._db.execute(
            "SELECT interval_ms, partition, direction, raw_count, raw_amount, raw_mix, count, amount, mix "
            "FROM cells WHERE interval_ms >= ? AND interval_ms < ?",
            (start_ms, end_ms),
        )
        return {
            Cell(*row[:3]): Tiers(
                Sums(row[3], int(row[4]), int(row[5])), Sums(row[6], int(row[7]), int(row[8]))
            )
            for row in rows.fetchall()
        }

    def offsets(self, interval_ms: int) -> dict[int, tuple[int, int]]:
        """Per kafka partition the first and last offset of an interval's entries."""
        rows = self._db.execute(
            "SELECT partition, min(first_offset), max(last_offset) FROM cells "
            "WHERE interval_ms = ? AND first_offset IS NOT NULL GROUP BY partition",
            (interval_ms,),
        )
        return {partition: (first, last) for partition, first, last in rows.fetchall()}

    def checked(self) -> int:
        """How many intervals were compared in all tiers."""
        rows = self._db.execute("SELECT count(*) FROM intervals WHERE checked_ms IS NOT NULL")
        return int(rows.fetchone()[0]) + self._whole_hours.checked()

    def mark_pinot_due(self, interval_ms: Iterable[int]) -> None:
        """Have intervals compared with Pinot again, also such as nothing is known of."""
        self._db.executemany(
            "INSERT INTO intervals VALUES (?, 0, 0, 0, 1, NULL) "
            "ON CONFLICT (interval_ms) DO UPDATE SET pinot_due = 1",
            [(each,) for each in interval_ms],
        )

    def mark_pinot_turn(self, interval_ms: Iterable[int]) -> None:
        """Have intervals compared once more though nothing speaks against them."""
        self._db.executemany(
            f"UPDATE intervals SET pinot_due = {IN_TURN} WHERE interval_ms = ? AND pinot_due = 0",  # noqa: S608
            [(each,) for each in interval_ms],
        )

    def add(self, changes: Changes, round_: int) -> None:
        """What a batch added; its intervals are to be compared."""
        rows_in: dict[int, int] = {}
        hours: dict[tuple[int, str], Sums] = {}
        of_whole_hours: dict[Cell, CellChange] = {}
        for cell, change in changes.cells.items():
            if self._whole_hours.has(cell.interval_ms):
                of_whole_hours[cell] = change
            else:
                self._add_to_cell(cell, change)
                rows_in[cell.interval_ms] = rows_in.get(cell.interval_ms, 0) + change.entries.rows
            hour = (cell.interval_ms - cell.interval_ms % HOUR_MS, cell.direction)
            hours[hour] = hours.get(hour, Sums()).plus(*change.entries)
        self._whole_hours.add(of_whole_hours, round_)
        for (hour_ms, direction), sums in hours.items():
            self._add_to_hour(hour_ms, direction, sums, round_)
        self._db.executemany(
            "INSERT INTO intervals VALUES (?, ?, ?, 1, 1, NULL) ON CONFLICT (interval_ms) DO UPDATE "
            "SET round = excluded.round, rows = rows + excluded.rows, whole_due = 1, pinot_due = 1",
            [(interval_ms, round_, rows) for interval_ms, rows in rows_in.items()],
        )

    def closed_hours(self, end_ms: int, before_round: int, limit: int) -> list[int]:
        """Hours before an instant, oldest first, in which all is compared, at rest and without a finding."""
        rows = self._db.execute(
            "SELECT interval_ms / :hour * :hour AS hour_ms FROM intervals WHERE interval_ms < :end "
            "GROUP BY hour_ms HAVING max(whole_due) = 0 AND max(pinot_due = 1) = 0 AND max(round) < :round "
            "AND hour_ms NOT IN (SELECT interval_ms / :hour * :hour FROM findings) "
            "ORDER BY hour_ms LIMIT :limit",
            {
                "hour": HOUR_MS,
                "end": end_ms - end_ms % HOUR_MS,
                "round": before_round,
                "limit": limit,
            },
        )
        return [row[0] for row in rows.fetchall()]

    def add_up(self, hour_ms: int) -> None:
        """Keep of an hour's intervals only their sums, unless its tiers differ."""
        cells = self.cells(hour_ms, hour_ms + HOUR_MS)
        if any(tiers.raw != tiers.entries for tiers in cells.values()):
            return
        bounds = (hour_ms, hour_ms + HOUR_MS)
        inside = "interval_ms >= ? AND interval_ms < ?"
        checked = self._db.execute(
            f"SELECT count(checked_ms) FROM intervals WHERE {inside}",  # noqa: S608
            bounds,
        ).fetchone()[0]
        self._whole_hours.insert(hour_ms, cells, checked)
        for table in ("cells", "intervals"):
            self._db.execute(f"DELETE FROM {table} WHERE {inside}", bounds)  # noqa: S608

    def _add_to_cell(self, cell: Cell, change: CellChange) -> None:
        row = self._db.execute(
            "SELECT raw_count, raw_amount, raw_mix, count, amount, mix, first_offset, last_offset FROM cells "
            "WHERE interval_ms = ? AND partition = ? AND direction = ?",
            cell,
        ).fetchone() or (0, 0, 0, 0, 0, 0, None, None)
        raw = change.raw.plus(row[0], int(row[1]), int(row[2]))
        entries = change.entries.plus(row[3], int(row[4]), int(row[5]))
        firsts = [each for each in (row[6], change.first_offset) if each is not None]
        lasts = [each for each in (row[7], change.last_offset) if each is not None]
        self._db.execute(
            "INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *cell,
                *(raw.rows, str(raw.amount), str(raw.mix)),
                *(entries.rows, str(entries.amount), str(entries.mix)),
                *(min(firsts, default=None), max(lasts, default=None)),
            ),
        )

    def _add_to_hour(self, hour_ms: int, direction: str, sums: Sums, round_: int) -> None:
        row = self._db.execute(
            "SELECT count, amount FROM hours WHERE hour_ms = ? AND direction = ?",
            (hour_ms, direction),
        ).fetchone() or (0, 0)
        total = sums.plus(row[0], int(row[1]), 0)
        self._db.execute(
            "INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?, ?)",
            (hour_ms, direction, round_, total.rows, str(total.amount)),
        )

    def set_whole_checked(self, interval_ms: int) -> None:
        """An interval was compared as a whole."""
        self._db.execute("UPDATE intervals SET whole_due = 0 WHERE interval_ms = ?", (interval_ms,))

    def set_pinot_checked(self, interval_ms: int, now_ms: int, *, again: bool) -> None:
        """An interval was compared with Pinot; `again` if that is to be repeated."""
        self._db.execute(
            "UPDATE intervals SET pinot_due = ?, checked_ms = ? WHERE interval_ms = ?",
            (int(again), now_ms, interval_ms),
        )
