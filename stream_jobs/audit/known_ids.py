"""The ids that were counted within the dedup window, in generations, so that old ones go by the table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from stream_jobs.audit.rows import is_reversal

# So many ids make a generation: a larger tree would cost more to write into, more trees more to look into.
GENERATION_IDS: Final = 16_000_000
GENERATION_MS: Final = 86_400_000
_MASK: Final = 2**64 - 1
_REVERSAL: Final = 0xD1B54A32D192ED03

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS generations (number INTEGER PRIMARY KEY, first_ms INT, last_ms INT, ids INT);
"""


class KnownIds:
    """64 bits of each id, and 64 of what its event said."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def find(self, ids: Iterable[bytes], since_ms: int) -> dict[bytes, int]:
        """Those of the ids that were counted at or after an instant, with their content."""
        keys = {_key(id_): id_ for id_ in ids}
        found: dict[bytes, int] = {}
        recent = self._db.execute(
            "SELECT number FROM generations WHERE last_ms >= ? ORDER BY number DESC", (since_ms,)
        ).fetchall()
        for (number,) in recent:
            if not keys:
                break
            rows = self._db.execute(
                f"SELECT key, content FROM known_{number} "  # noqa: S608 # a number of our own
                "WHERE key IN (SELECT value FROM json_each(?))",
                (orjson.dumps(sorted(keys)).decode(),),
            )
            for key, content in rows.fetchall():
                found[keys.pop(key)] = content
        return found

    def forget_before(self, instant_ms: int) -> None:
        """Drop the generations of ids that ended before an instant."""
        old = self._db.execute("SELECT number FROM generations WHERE last_ms < ?", (instant_ms,))
        for (number,) in old.fetchall():
            self._db.execute(f"DROP TABLE IF EXISTS known_{number}")
            self._db.execute("DELETE FROM generations WHERE number = ?", (number,))

    def add(self, counted: Mapping[bytes, int], now_ms: int) -> None:
        """Ids that were counted now."""
        if not counted:
            return
        row = self._db.execute(
            "SELECT number, first_ms, ids FROM generations ORDER BY number DESC LIMIT 1"
        ).fetchone()
        if row is None or row[2] >= GENERATION_IDS or now_ms - row[1] > GENERATION_MS:
            number = 1 if row is None else row[0] + 1
            self._db.execute(f"CREATE TABLE known_{number} (key INTEGER PRIMARY KEY, content INT)")
            self._db.execute(
                "INSERT INTO generations VALUES (?, ?, ?, 0)", (number, now_ms, now_ms)
            )
        else:
            number = row[0]
        rows = sorted((_key(id_), content) for id_, content in counted.items())
        self._db.executemany(f"INSERT OR REPLACE INTO known_{number} VALUES (?, ?)", rows)  # noqa: S608
        self._db.execute(
            "UPDATE generations SET last_ms = ?, ids = ids + ? WHERE number = ?",
            (now_ms, len(rows), number),
        )


def _key(id_: bytes) -> int:
    """64 bits of an id: ids that share a half fall apart, as random ones do."""
    halves = int.from_bytes(id_[:8], "big"), int.from_bytes(id_[8:16], "big")
    folded = (halves[0] * 0x9E3779B97F4A7C15 + halves[1] + _REVERSAL * is_reversal(id_)) & _MASK
    return folded - 2**64 if folded >= 2**63 else folded
