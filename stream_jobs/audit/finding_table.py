"""What is wrong at present, in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from stream_jobs.audit.findings import Finding, Kind, Mismatch, Tier
from stream_jobs.audit.rows import id_text, is_reversal

WHOLE_KINDS: Final = (Kind.UNEXPLAINED, Kind.UNBALANCED)
# Behind a reversal's id in the file: a transfer may have the same.
_MARK: Final = "\x1fR"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS findings (
  tier TEXT, kind TEXT, interval_ms INT, partition INT, id TEXT, detail TEXT, found_ms INT,
  PRIMARY KEY (interval_ms, tier, kind, id, partition)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS findings_by_id ON findings (id);
"""


class FindingTable:
    """One row a finding, each once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def mismatches(self, limit: int, ids: int) -> list[Mismatch]:
        """The open findings by interval, tier and kind, newest intervals first."""
        groups = self._db.execute(
            "SELECT tier, kind, interval_ms, count(*), min(detail) FROM findings "
            "GROUP BY interval_ms, tier, kind ORDER BY interval_ms DESC, tier, kind LIMIT ?",
            (limit,),
        ).fetchall()
        return [
            Mismatch(
                Tier(tier), Kind(kind), start, count, self._ids(tier, kind, start, ids), detail
            )
            for tier, kind, start, count, detail in groups
        ]

    def _ids(self, tier: str, kind: str, interval_ms: int, limit: int) -> tuple[str, ...]:
        rows = self._db.execute(
            "SELECT DISTINCT id FROM findings WHERE interval_ms = ? AND tier = ? AND kind = ? AND id <> '' "
            "ORDER BY id LIMIT ?",
            (interval_ms, tier, kind, limit),
        )
        return tuple(dict.fromkeys(row[0].removesuffix(_MARK) for row in rows.fetchall()))

    def counts(self) -> dict[tuple[str, str], int]:
        """Open findings by tier and kind."""
        rows = self._db.execute("SELECT tier, kind, count(*) FROM findings GROUP BY tier, kind")
        return {(tier, kind): count for tier, kind, count in rows.fetchall()}

    def open_intervals(self) -> tuple[int, int | None]:
        """How many intervals have findings, and the first of them."""
        row = self._db.execute(
            "SELECT count(DISTINCT interval_ms), min(interval_ms) FROM findings"
        ).fetchone()
        return int(row[0]), row[1]

    def has_id_finding(self, start_ms: int, end_ms: int) -> bool:
        """Whether something wrong between two instants has been explained id by id."""
        row = self._db.execute(
            "SELECT 1 FROM findings WHERE interval_ms >= ? AND interval_ms < ? AND tier = 'ENTRIES' "
            "AND kind NOT IN ('UNEXPLAINED', 'UNBALANCED') LIMIT 1",
            (start_ms, end_ms),
        ).fetchone()
        return row is not None

    def add(self, findings: Sequence[Finding], now_ms: int) -> list[Finding]:
        """Keep findings; returns those that are new."""
        new = []
        for each in findings:
            done = self._db.execute(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(each.tier, each.kind, each.interval_ms, _partition(each)),
                    *(_id(each), each.detail, now_ms),
                ),
            )
            if done.rowcount:
                new.append(each)
        return new

    def heal(self, ids: Iterable[bytes]) -> None:
        """Their entries came after all."""
        for id_ in ids:
            told = id_text(id_) + _MARK * is_reversal(id_)
            self._db.execute("DELETE FROM findings WHERE id = ? AND tier = 'ENTRIES'", (told,))

    def replace_whole(
        self, interval_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """The verdict on an interval's entries as a whole, in place of an earlier one."""
        self._db.execute(
            "DELETE FROM findings WHERE interval_ms = ? AND tier = ? AND kind IN (?, ?)",
            (interval_ms, Tier.ENTRIES, *WHOLE_KINDS),
        )
        return self.add(findings, now_ms)

    def replace_pinot(
        self, interval_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """Pinot's verdict on an interval, in place of an earlier one; returns what is new in it."""
        known = set(
            self._db.execute(
                "SELECT kind, id, partition FROM findings WHERE interval_ms = ? AND tier = ?",
                (interval_ms, Tier.PINOT),
            ).fetchall()
        )
        self._db.execute(
            "DELETE FROM findings WHERE interval_ms = ? AND tier = ?", (interval_ms, Tier.PINOT)
        )
        self.add(findings, now_ms)
        return [f for f in findings if (f.kind, _id(f), _partition(f)) not in known]


def _id(finding: Finding) -> str:
    return finding.transaction_id + _MARK * finding.reversal


def _partition(finding: Finding) -> int:
    return -1 if finding.partition is None else finding.partition
