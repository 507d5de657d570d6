"""The reversals that were judged, and what became of them, in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import orjson

from stream_jobs.audit.reversal_fates import Fate
from stream_jobs.audit.rows import is_reversal
from stream_jobs.event_rules import MAX_REVERSALS

# A reversal is told of when its transfer has not come for so long.
HELD_LONG_MS: Final = 60_000
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS reversals (
  id TEXT PRIMARY KEY, original TEXT, fate TEXT, since_ms INT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reversals_by_original ON reversals (original);
CREATE INDEX IF NOT EXISTS reversals_by_fate ON reversals (fate, since_ms);
"""


class Judged(NamedTuple):
    """A reversal, the transfer that it undoes, and its fate.

    `since_ms` is when it was judged first; once its transfer has come, when that was last heard of.
    """

    id: bytes
    original: bytes
    fate: Fate
    since_ms: int


class Held(NamedTuple):
    """How many reversals are held, and since when the newest of them is."""

    number: int
    newest_ms: int | None


class ReversalTable:
    """One row a reversal; ids as hexadecimal digits."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def held(self) -> dict[bytes, bytes]:
        """The reversals whose transfers have not come, and the ids of these."""
        rows = self._db.execute("SELECT id, original FROM reversals WHERE fate = ?", (Fate.HELD,))
        return {bytes.fromhex(id_): bytes.fromhex(original) for id_, original in rows.fetchall()}

    def held_before(self, instant_ms: int) -> Held:
        """Those that are held since before an instant; of one transfer no more than the job keeps."""
        row = self._db.execute(
            "SELECT sum(min(each, ?)), max(newest_ms) FROM (SELECT count(*) AS each, max(since_ms) AS newest_ms "
            "FROM reversals WHERE fate = ? AND since_ms < ? GROUP BY original)",
            (MAX_REVERSALS, Fate.HELD, instant_ms),
        ).fetchone()
        return Held(row[0] or 0, row[1])

    def held_between(self, since_ms: int, until_ms: int, limit: int) -> tuple[bytes, ...]:
        """The newest that are held since an instant between two, the second excluded."""
        some = self._db.execute(
            "SELECT id FROM reversals WHERE fate = ? AND since_ms >= ? AND since_ms < ? "
            "ORDER BY since_ms DESC LIMIT ?",
            (Fate.HELD, since_ms, until_ms, limit),
        )
        return tuple(bytes.fromhex(row[0]) for row in some.fetchall())

    def of(self, originals: Iterable[bytes]) -> list[Judged]:
        """All that was judged of some transfers' reversals."""
        rows = self._db.execute(
            "SELECT id, original, fate, since_ms FROM reversals "
            "WHERE original IN (SELECT value FROM json_each(?))",
            (orjson.dumps([original.hex() for original in originals]).decode(),),
        )
        return [
            Judged(bytes.fromhex(id_), bytes.fromhex(original), Fate(fate), since_ms)
            for id_, original, fate, since_ms in rows.fetchall()
        ]

    def write(self, judged: Mapping[bytes, tuple[bytes, Fate]], now_ms: int) -> None:
        """New fates; the instant of the first stays."""
        self._db.executemany(
            "INSERT INTO reversals VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET original = excluded.original, fate = excluded.fate",
            [(id_.hex(), original.hex(), fate, now_ms) for id_, (original, fate) in judged.items()],
        )

    def heard_of(self, originals: Iterable[bytes], now_ms: int) -> None:
        """The job remembers these transfers for a whole window again, and what became of their reversals."""
        ids = [original.hex() for original in originals if not is_reversal(original)]
        self._db.execute(
            "UPDATE reversals SET since_ms = ? WHERE fate <> ? "
            "AND original IN (SELECT value FROM json_each(?))",
            (now_ms, Fate.HELD, orjson.dumps(ids).decode()),
        )

    def forget_before(self, instant_ms: int) -> None:
        """Drop what was decided of transfers not heard of since an instant; what is held stays."""
        self._db.execute(
            "DELETE FROM reversals WHERE fate <> ? AND since_ms < ?", (Fate.HELD, instant_ms)
        )
