"""The ids whose events and entries do not match (yet), as the file has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import orjson

from stream_jobs.audit.outcome import Open
from stream_jobs.audit.rows import Entry, Transfer

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS open (id BLOB PRIMARY KEY, round INT, judged INT, body BLOB) WITHOUT ROWID;
"""


class OpenIds:
    """One row an id."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def count(self) -> int:
        """How many ids are open in the file."""
        return int(self._db.execute("SELECT count(*) FROM open").fetchone()[0])

    def load(self, ids: Sequence[bytes]) -> dict[bytes, Open]:
        """Those of the ids that are open in the file."""
        found: dict[bytes, Open] = {}
        for start in range(0, len(ids), 1000):
            some = ids[start : start + 1000]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"SELECT id, body FROM open WHERE id IN ({marks})", some)  # noqa: S608
            found.update((id_, _open(body)) for id_, body in rows.fetchall())
        return found

    def undecided(self, round_: int, limit: int) -> dict[bytes, Open]:
        """Some open ids that were not touched since a round began, and are to be judged; reversals last."""
        rows = self._db.execute(
            "SELECT id, body FROM open WHERE judged = 0 AND round < ? ORDER BY length(id) LIMIT ?",
            (round_, limit),
        )
        return {id_: _open(body) for id_, body in rows.fetchall()}

    def write(self, closed: Iterable[bytes], opened: Mapping[bytes, Open]) -> None:
        """Take away what is closed, put in what is open."""
        self._db.executemany("DELETE FROM open WHERE id = ?", [(id_,) for id_ in closed])
        self._db.executemany(
            "INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?)",
            [(id_, each.round, each.rests, _body(each)) for id_, each in opened.items()],
        )


def _body(open_: Open) -> bytes:
    return orjson.dumps(
        [
            open_.round,
            [_transfer_fields(each) for each in open_.candidates],
            [
                (
                    *(each.direction, *_transfer_fields(each.transfer)),
                    *(each.partition, each.offset, str(each.mix)),
                )
                for each in open_.entries
            ],
            [open_.optional, open_.judged, open_.told, open_.held, open_.suspect],
        ]
    )


def _transfer_fields(transfer: Transfer) -> tuple[str, str, str, int, str]:
    # The amount as text: orjson's numbers end at 64 bits.
    return (
        transfer.from_account_id,
        transfer.to_account_id,
        str(transfer.amount),
        transfer.time_ms,
        transfer.reverses,
    )


def _open(body: bytes) -> Open:
    round_, candidates, entries, (optional, judged, told, held, suspect) = orjson.loads(body)
    return Open(
        round_,
        [
            Transfer(payer, payee, int(amount), time_ms, reverses)
            for payer, payee, amount, time_ms, reverses in candidates
        ],
        [
            Entry(
                direction,
                Transfer(payer, payee, int(amount), time_ms, reverses),
                partition,
                offset,
                int(mixed),
            )
            for direction, payer, payee, amount, time_ms, reverses, partition, offset, mixed in entries
        ],
        optional,
        judged,
        told,
        held,
        suspect,
        stored=True,
        dirty=False,
    )
