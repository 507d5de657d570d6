"""What is wrong at present, in the file: one row a finding, each once, and of a flood only so many."""

# ruff: noqa: S608 - statements are put together out of our own words and numbers

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from stream_jobs.audit.findings import Finding, Kind, Mismatch, Tier
from stream_jobs.audit.outcomes import Source

# A flood is told by its count; that many are kept one by one.
MAX_KEPT: Final = 100_000
INTERVAL_MS: Final = 10_000
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS findings (
  tier TEXT, kind TEXT, time_ms INT, partition INT, offset INT, id TEXT, detail TEXT, found_ms INT,
  PRIMARY KEY (tier, partition, offset, kind, id, time_ms)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS findings_by_time ON findings (time_ms);
"""


class FindingTable:
    """The open findings."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM findings").fetchone()[0])

    def mismatches(self, limit: int, ids: int) -> list[Mismatch]:
        """The open findings by interval, tier and kind, newest intervals first."""
        groups = self._db.execute(
            f"SELECT tier, kind, time_ms / {INTERVAL_MS} AS slot, count(*), min(detail) FROM findings "
            "GROUP BY slot, tier, kind ORDER BY slot DESC, tier, kind LIMIT ?",
            (limit,),
        ).fetchall()
        return [
            Mismatch(
                Tier(tier),
                Kind(kind),
                slot * INTERVAL_MS,
                count,
                self._ids(tier, kind, slot, ids),
                detail,
            )
            for tier, kind, slot, count, detail in groups
        ]

    def counts(self) -> dict[tuple[str, str], int]:
        """Open findings by tier and kind."""
        rows = self._db.execute("SELECT tier, kind, count(*) FROM findings GROUP BY tier, kind")
        return {(tier, kind): count for tier, kind, count in rows.fetchall()}

    def open_intervals(self) -> tuple[int, int | None]:
        """How many intervals of 10 s have findings, and where the first of them begins."""
        row = self._db.execute(
            f"SELECT count(DISTINCT time_ms / {INTERVAL_MS}), min(time_ms) FROM findings"
        ).fetchone()
        first = row[1]
        return int(row[0]), None if first is None else first - first % INTERVAL_MS

    def pinot_hours(self, hour_ms: int) -> list[int]:
        """The hours in which Pinot differs."""
        rows = self._db.execute(
            f"SELECT DISTINCT time_ms - time_ms % {hour_ms} FROM findings WHERE tier = ?",
            (Tier.PINOT,),
        )
        return [row[0] for row in rows.fetchall()]

    def add(self, findings: Sequence[Finding], now_ms: int) -> list[Finding]:
        """Keep findings; returns those that are new."""
        room = MAX_KEPT - len(self) if findings else 0
        new: list[Finding] = []
        for each in findings:
            done = (
                self._db.execute(
                    "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(each.tier, each.kind, each.time_ms, each.partition, each.offset),
                        *(each.transaction_id, each.detail, now_ms),
                    ),
                )
                if len(new) < room
                else None
            )
            if done is not None and done.rowcount:
                new.append(each)
        return new

    def heal(self, sources: Iterable[Source]) -> None:
        """Their outcomes came after all."""
        self._db.executemany(
            "DELETE FROM findings WHERE tier = ? AND kind IN (?, ?) AND partition = ? AND offset = ?",
            [(Tier.ENTRIES, Kind.LOST, Kind.LOST_SIDE, *source) for source in sources],
        )

    def replace_pinot(
        self, start_ms: int, end_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """Pinot's verdict on some time, in place of an earlier one; returns what is new in it."""
        where = "tier = ? AND time_ms >= ? AND time_ms < ?"
        span = (Tier.PINOT, start_ms, end_ms)
        columns = "kind, partition, offset, id, time_ms"
        known = set(
            self._db.execute(f"SELECT {columns} FROM findings WHERE {where}", span).fetchall()
        )
        self._db.execute(f"DELETE FROM findings WHERE {where}", span)
        self.add(findings, now_ms)
        return [
            f
            for f in findings
            if (f.kind, f.partition, f.offset, f.transaction_id, f.time_ms) not in known
        ]

    def _ids(self, tier: str, kind: str, slot: int, limit: int) -> tuple[str, ...]:
        rows = self._db.execute(
            "SELECT DISTINCT id FROM findings WHERE time_ms >= ? AND time_ms < ? AND tier = ? AND kind = ? "
            "AND id <> '' ORDER BY id LIMIT ?",
            (slot * INTERVAL_MS, (slot + 1) * INTERVAL_MS, tier, kind, limit),
        )
        return tuple(row[0] for row in rows.fetchall())
