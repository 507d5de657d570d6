"""What the audit must not forget, in one SQLite file: written with the offsets it belongs to, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from stream_jobs.audit.finding_table import FindingTable
from stream_jobs.audit.findings import Finding, Kind
from stream_jobs.audit.hour_table import HourTable
from stream_jobs.audit.interval_table import IntervalTable
from stream_jobs.audit.intervals import HOUR_MS
from stream_jobs.audit.known_ids import KnownIds
from stream_jobs.audit.open_ids import OpenIds
from stream_jobs.audit.outcome import Open, Outcome
from stream_jobs.audit.reversal_table import ReversalTable
from stream_jobs.audit.rows import id_text

VERSION: Final = 2
CACHE_KIB: Final = 65_536
HOURS_A_TIME: Final = 48
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (topic TEXT, partition INT, offset INT, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conflicts (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class StateError(Exception):
    """The file was written by another version; the message says what to do."""


class State:
    """The file, opened for one process; every call is short, and every writing one is all or nothing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._db.executescript(SCHEMA)
        if self.number("version", VERSION) != VERSION:
            raise StateError(f"{path} is of another version: delete it, and all is compared anew")
        self.known_ids = KnownIds(self._db)
        self.open_ids = OpenIds(self._db)
        self.reversals = ReversalTable(self._db)
        self.findings = FindingTable(self._db)
        self.hours = HourTable(self._db)
        self.intervals = IntervalTable(self._db, self.hours)

    def close(self) -> None:
        self._db.close()

    def size_bytes(self) -> int:
        """The size of the file."""
        pages, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        return int(pages * size)

    def number(self, name: str, default: int = 0) -> int:
        """A number of `meta`."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else int(row[0])

    def positions(self, topic: str) -> dict[int, int]:
        """The offset of the next record of each kafka partition."""
        rows = self._db.execute("SELECT partition, offset FROM positions WHERE topic = ?", (topic,))
        return dict(rows.fetchall())

    def write(
        self,
        outcome: Outcome,
        opened: Mapping[bytes, Open],
        positions: Mapping[str, Mapping[int, int]],
        round_: int,
        now_ms: int,
    ) -> list[Finding]:
        """One batch and the offsets behind it; returns the findings that are new."""
        with self._transaction():
            self.known_ids.add(outcome.counted, now_ms)
            self.open_ids.write(outcome.closed, opened)
            self.reversals.heard_of(outcome.counted, now_ms)
            self.reversals.write(outcome.reversals, now_ms)
            self.intervals.add(outcome.changes, round_)
            self.findings.heal(outcome.healed)
            new = self.findings.add(outcome.findings, now_ms)
            self._db.executemany(
                "INSERT OR IGNORE INTO conflicts VALUES (?)",
                [(id_text(id_),) for id_ in outcome.conflicts],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)",
                [(t, p, offset) for t, each in positions.items() for p, offset in each.items()],
            )
            self._set("duplicates", self.number("duplicates") + outcome.duplicates)
            self._set("matched", self.number("matched") + outcome.matched)
            self._set("round", round_)
            self._set("version", VERSION)
        return new

    def write_whole(self, verdicts: Mapping[int, Sequence[Finding]], now_ms: int) -> list[Finding]:
        """The verdicts on intervals as a whole, in place of earlier ones; returns what is new."""
        new = []
        with self._transaction():
            for interval_ms, findings in verdicts.items():
                new += self.findings.replace_whole(interval_ms, findings, now_ms)
                self.intervals.set_whole_checked(interval_ms)
        return new

    def write_pinot(self, verdicts: Mapping[int, Sequence[Finding]], now_ms: int) -> list[Finding]:
        """Pinot's verdicts on intervals, in place of earlier ones; what is wrong stays due."""
        new = []
        with self._transaction():
            for interval_ms, findings in verdicts.items():
                new += self.findings.replace_pinot(interval_ms, findings, now_ms)
                self.intervals.set_pinot_checked(interval_ms, now_ms, again=bool(findings))
        return new

    def write_hour(self, hour_ms: int, findings: Sequence[Finding], now_ms: int) -> list[Finding]:
        """Pinot's verdict on a whole hour, in place of an earlier one; returns what is new."""
        with self._transaction():
            return self.findings.replace_pinot(hour_ms, findings, now_ms)

    def write_whole_hour(
        self, hour_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """The verdict on a whole hour's entries, unless single ids explain it; returns what is new."""
        explained = self.findings.has_id_finding(hour_ms, hour_ms + HOUR_MS)
        left = [f for f in findings if f.kind is not Kind.UNEXPLAINED or not explained]
        with self._transaction():
            return self.findings.replace_whole(hour_ms, left, now_ms)

    def add_up_before(self, instant_ms: int) -> int:
        """Keep of hours that ended before an instant only their sums; how many were added up now."""
        hours = self.intervals.closed_hours(instant_ms, self.number("round"), HOURS_A_TIME)
        for hour_ms in hours:
            with self._transaction():
                self.intervals.add_up(hour_ms)
        return len(hours)

    def mark_pinot_due(self, interval_ms: Iterable[int]) -> None:
        """Have intervals compared with Pinot again, also such as nothing is known of."""
        with self._transaction():
            self.intervals.mark_pinot_due(interval_ms)

    def mark_pinot_turn(self, interval_ms: Iterable[int]) -> None:
        """Have intervals compared with Pinot once more, since their turn has come."""
        with self._transaction():
            self.intervals.mark_pinot_turn(interval_ms)

    def write_pinot_through(self, instant_ms: int) -> None:
        """All that arrived before an instant is compared in all tiers."""
        self._set("through_ms", instant_ms)

    def conflicts(self) -> tuple[int, tuple[str, ...]]:
        """How many ids came with different contents, and some of them."""
        count = self._db.execute("SELECT count(*) FROM conflicts").fetchone()[0]
        some = self._db.execute("SELECT id FROM conflicts LIMIT 20").fetchall()
        return int(count), tuple(row[0] for row in some)

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def _set(self, name: str, value: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


class _Transaction:
    """BEGIN … COMMIT, or ROLLBACK if anything is raised."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, failure: object, *_: object) -> None:
        self._db.execute("COMMIT" if failure is None else "ROLLBACK")
