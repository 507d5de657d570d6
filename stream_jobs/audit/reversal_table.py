"""The reversals that were judged, and what became of them, in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import orjson

from stream_jobs.audit.reversal_fates import Fate

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS reversals (
  id TEXT PRIMARY KEY, original TEXT, fate TEXT, since_ms INT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reversals_by_original ON reversals (original);
CREATE INDEX IF NOT EXISTS reversals_by_fate ON reversals (fate, since_ms);
"""


class Judged(NamedTuple):
    """A reversal, the transfer that it undoes, and its fate; `since_ms` is when it was judged first."""

    id: bytes
    original: bytes
    fate: Fate
    since_ms: int


class ReversalTable:
    """One row a reversal; ids as hexadecimal digits."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def held(self) -> dict[bytes, bytes]:
        """The reversals whose transfers have not come, and the ids of these."""
        rows = self._db.execute("SELECT id, original FROM reversals WHERE fate = ?", (Fate.HELD,))
        return {bytes.fromhex(id_): bytes.fromhex(original) for id_, original in rows.fetchall()}

    def held_since(self) -> tuple[int, int | None]:
        """How many are held, and since when the oldest is."""
        row = self._db.execute(
            "SELECT count(*), min(since_ms) FROM reversals WHERE fate = ?", (Fate.HELD,)
        ).fetchone()
        return int(row[0]), row[1]

    def held_before(self, instant_ms: int, limit: int) -> tuple[int, tuple[bytes, ...]]:
        """How many are held since before an instant, and some of them."""
        where = "FROM reversals WHERE fate = ? AND since_ms < ?"
        count = self._db.execute(f"SELECT count(*) {where}", (Fate.HELD, instant_ms)).fetchone()[0]
        some = self._db.execute(f"SELECT id {where} LIMIT ?", (Fate.HELD, instant_ms, limit))
        return int(count), tuple(bytes.fromhex(row[0]) for row in some.fetchall())

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

    def forget_before(self, instant_ms: int) -> None:
        """Drop what was decided before an instant; what is held stays."""
        self._db.execute(
            "DELETE FROM reversals WHERE fate <> ? AND since_ms < ?", (Fate.HELD, instant_ms)
        )
