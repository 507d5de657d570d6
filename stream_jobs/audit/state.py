"""What the audit must not forget, in one SQLite file: written with the offsets it belongs to, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from stream_jobs.audit.findings import Finding, Kind, Mismatch, Tier
from stream_jobs.audit.intervals import (
    HOUR_MS,
    INTERVAL_MS,
    Cell,
    CellChange,
    Changes,
    Sums,
    Tiers,
)
from stream_jobs.audit.matching import Open, Outcome
from stream_jobs.audit.rows import Entry, Transfer

VERSION: Final = 1
# So many ids make a generation: a larger tree would cost more to write into, more trees more to look into.
GENERATION_IDS: Final = 16_000_000
GENERATION_MS: Final = 86_400_000
_MASK: Final = 2**64 - 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (topic TEXT, partition INT, offset INT, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations (number INTEGER PRIMARY KEY, first_ms INT, last_ms INT, ids INT);
CREATE TABLE IF NOT EXISTS open (id BLOB PRIMARY KEY, round INT, judged INT, body BLOB) WITHOUT ROWID;
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
CREATE TABLE IF NOT EXISTS findings (
  tier TEXT, kind TEXT, interval_ms INT, partition INT, id TEXT, detail TEXT, found_ms INT,
  PRIMARY KEY (interval_ms, tier, kind, id, partition)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS findings_by_id ON findings (id);
CREATE TABLE IF NOT EXISTS conflicts (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class StateError(Exception):
    """The file was written by another version; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of one interval; `round` is the check in which something last came into it."""

    interval_ms: int
    round: int
    rows: int


class State:
    """The file, opened for one process; every call is short."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._path = path
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA cache_size=-65536")  # 64 MiB
        self._db.executescript(SCHEMA)
        if self.number("version", VERSION) != VERSION:
            raise StateError(f"{path} is of another version: delete it, and all is compared anew")
        self._generations = [row[0] for row in self._db.execute("SELECT number FROM generations")]

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

    # --- ids that were counted

    def known(self, ids: Iterable[bytes], since_ms: int) -> dict[bytes, int]:
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

    # --- ids that are open

    def stored_open(self) -> int:
        """How many ids are open in the file."""
        return int(self._db.execute("SELECT count(*) FROM open").fetchone()[0])

    def load_open(self, ids: Sequence[bytes]) -> dict[bytes, Open]:
        """Those of the ids that are open in the file."""
        found: dict[bytes, Open] = {}
        for start in range(0, len(ids), 1000):
            some = ids[start : start + 1000]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"SELECT id, body FROM open WHERE id IN ({marks})", some)  # noqa: S608
            found.update((id_, _open(body)) for id_, body in rows.fetchall())
        return found

    def load_undecided(self, round_: int, limit: int) -> dict[bytes, Open]:
        """Some open ids that were not touched since a round began, and not judged."""
        rows = self._db.execute(
            "SELECT id, body FROM open WHERE judged = 0 AND round < ? LIMIT ?", (round_, limit)
        )
        return {id_: _open(body) for id_, body in rows.fetchall()}

    # --- intervals

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

    def hours(self, before_round: int) -> tuple[dict[tuple[int, str], tuple[int, int]], set[int]]:
        """Count and amount of the entries by hour and direction, and the hours that are not at rest."""
        sums, moving = {}, set()
        for hour_ms, direction, round_, count, amount in self._db.execute("SELECT * FROM hours"):
            sums[hour_ms, direction] = (count, int(amount))
            if round_ >= before_round:
                moving.add(hour_ms)
        return sums, moving

    def intervals(self, start_ms: int, limit: int) -> list[Interval]:
        """All intervals from an instant on, oldest first."""
        rows = self._db.execute(
            "SELECT interval_ms, round, rows FROM intervals WHERE interval_ms >= ? "
            "ORDER BY interval_ms LIMIT ?",
            (start_ms, limit),
        )
        return [Interval(*row) for row in rows.fetchall()]

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

    def counted_intervals(self) -> int:
        """How many intervals were compared in all tiers."""
        rows = self._db.execute("SELECT count(*) FROM intervals WHERE checked_ms IS NOT NULL")
        return int(rows.fetchone()[0])

    # --- findings

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
        return tuple(row[0] for row in rows.fetchall())

    def finding_counts(self) -> dict[tuple[str, str], int]:
        """Open findings by tier and kind."""
        rows = self._db.execute("SELECT tier, kind, count(*) FROM findings GROUP BY tier, kind")
        return {(tier, kind): count for tier, kind, count in rows.fetchall()}

    def open_intervals(self) -> tuple[int, int | None]:
        """How many intervals have findings, and the first of them."""
        row = self._db.execute(
            "SELECT count(DISTINCT interval_ms), min(interval_ms) FROM findings"
        ).fetchone()
        return int(row[0]), row[1]

    def has_id_finding(self, interval_ms: int) -> bool:
        """Whether something wrong in an interval has been explained id by id."""
        row = self._db.execute(
            "SELECT 1 FROM findings WHERE interval_ms = ? AND tier = 'ENTRIES' "
            "AND kind NOT IN ('UNEXPLAINED', 'UNBALANCED') LIMIT 1",
            (interval_ms,),
        ).fetchone()
        return row is not None

    # --- writing

    def write(
        self,
        outcome: Outcome,
        opened: Mapping[bytes, Open],
        positions: Mapping[str, Mapping[int, int]],
        round_: int,
        now_ms: int,
    ) -> list[Finding]:
        """One batch and the offsets behind it, all or nothing; returns the findings that are new."""
        with self._transaction():
            self._write_known(outcome.counted, now_ms)
            self._write_open(outcome, opened)
            self._write_changes(outcome.changes, round_)
            self._write_healed(outcome.healed)
            new = self._write_findings(outcome.findings, now_ms)
            self._db.executemany(
                "INSERT OR IGNORE INTO conflicts VALUES (?)",
                [(id_.hex(),) for id_ in outcome.conflicts],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)",
                [(t, p, offset) for t, each in positions.items() for p, offset in each.items()],
            )
            self._add("duplicates", outcome.duplicates)
            self._add("matched", outcome.matched)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('round', ?)", (round_,))
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (VERSION,))
        return new

    def write_whole(
        self, interval_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """The verdict on an interval as a whole, in place of an earlier one."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM findings WHERE interval_ms = ? AND tier = 'ENTRIES' "
                "AND kind IN ('UNEXPLAINED', 'UNBALANCED')",
                (interval_ms,),
            )
            self._db.execute(
                "UPDATE intervals SET whole_due = 0 WHERE interval_ms = ?", (interval_ms,)
            )
            return self._write_findings(findings, now_ms)

    def write_pinot(
        self, interval_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """Pinot's verdict on an interval, in place of an earlier one; a wrong one stays due."""
        with self._transaction():
            before = self._db.execute(
                "SELECT kind, id, partition FROM findings WHERE interval_ms = ? AND tier = 'PINOT'",
                (interval_ms,),
            ).fetchall()
            self._db.execute(
                "DELETE FROM findings WHERE interval_ms = ? AND tier = 'PINOT'", (interval_ms,)
            )
            self._write_findings(findings, now_ms)
            self._db.execute(
                "UPDATE intervals SET pinot_due = ?, checked_ms = ? WHERE interval_ms = ?",
                (int(bool(findings)), now_ms, interval_ms),
            )
        known = set(before)
        return [f for f in findings if (f.kind, f.transaction_id, _partition(f)) not in known]

    def mark_pinot_due(self, interval_ms: Iterable[int]) -> None:
        """Have intervals compared with Pinot again, also such as nothing is known of."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO intervals VALUES (?, 0, 0, 0, 1, NULL) "
                "ON CONFLICT (interval_ms) DO UPDATE SET pinot_due = 1",
                [(each,) for each in interval_ms],
            )

    def write_pinot_through(self, instant_ms: int) -> None:
        """All that arrived before an instant is compared in all tiers."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('through_ms', ?)", (instant_ms,))

    def conflicts(self) -> tuple[int, tuple[str, ...]]:
        """How many ids came with different contents, and some of them."""
        count = self._db.execute("SELECT count(*) FROM conflicts").fetchone()[0]
        some = self._db.execute("SELECT id FROM conflicts LIMIT 20").fetchall()
        return int(count), tuple(row[0] for row in some)

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def _write_known(self, counted: Mapping[bytes, int], now_ms: int) -> None:
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

    def _write_open(self, outcome: Outcome, opened: Mapping[bytes, Open]) -> None:
        self._db.executemany("DELETE FROM open WHERE id = ?", [(id_,) for id_ in outcome.closed])
        self._db.executemany(
            "INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?)",
            [
                (id_, each.round, each.judged and each.told == len(each.entries), _body(each))
                for id_, each in opened.items()
            ],
        )

    def _write_changes(self, changes: Changes, round_: int) -> None:
        rows_in: dict[int, int] = {}
        hours: dict[tuple[int, str], Sums] = {}
        for cell, change in changes.cells.items():
            self._add_to_cell(cell, change)
            rows_in[cell.interval_ms] = rows_in.get(cell.interval_ms, 0) + change.entries.rows
            hour = (cell.interval_ms - cell.interval_ms % HOUR_MS, cell.direction)
            hours[hour] = hours.get(hour, Sums()).plus(*change.entries)
        for (hour_ms, direction), sums in hours.items():
            self._add_to_hour(hour_ms, direction, sums, round_)
        self._db.executemany(
            "INSERT INTO intervals VALUES (?, ?, ?, 1, 1, NULL) ON CONFLICT (interval_ms) DO UPDATE "
            "SET round = excluded.round, rows = rows + excluded.rows, whole_due = 1, pinot_due = 1",
            [(interval_ms, round_, rows) for interval_ms, rows in rows_in.items()],
        )

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

    def _write_findings(self, findings: Sequence[Finding], now_ms: int) -> list[Finding]:
        new = []
        for each in findings:
            done = self._db.execute(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(each.tier, each.kind, each.interval_ms, _partition(each)),
                    *(each.transaction_id, each.detail, now_ms),
                ),
            )
            if done.rowcount:
                new.append(each)
        return new

    def _write_healed(self, ids: Iterable[bytes]) -> None:
        from stream_jobs.audit.rows import id_text

        for id_ in ids:
            self._db.execute(
                "DELETE FROM findings WHERE id = ? AND tier = 'ENTRIES'", (id_text(id_),)
            )

    def _add(self, name: str, amount: int) -> None:
        if amount:
            self._db.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, self.number(name) + amount)
            )


class _Transaction:
    """BEGIN … COMMIT, or ROLLBACK if anything is raised."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, failure: object, *_: object) -> None:
        self._db.execute("COMMIT" if failure is None else "ROLLBACK")


def _partition(finding: Finding) -> int:
    return -1 if finding.partition is None else finding.partition


def _key(id_: bytes) -> int:
    """64 bits of an id: ids that share a half fall apart, as random ones do."""
    folded = (
        int.from_bytes(id_[:8], "big") * 0x9E3779B97F4A7C15 + int.from_bytes(id_[8:], "big")
    ) & _MASK
    return folded - 2**64 if folded >= 2**63 else folded


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
            [open_.optional, open_.judged, open_.told],
        ]
    )


def _transfer_fields(transfer: Transfer) -> tuple[str, str, str, int]:
    # The amount as text: orjson's numbers end at 64 bits.
    return (
        transfer.from_account_id,
        transfer.to_account_id,
        str(transfer.amount),
        transfer.time_ms,
    )


def _open(body: bytes) -> Open:
    round_, candidates, entries, (optional, judged, told) = orjson.loads(body)
    return Open(
        round_,
        [
            Transfer(payer, payee, int(amount), time_ms)
            for payer, payee, amount, time_ms in candidates
        ],
        [
            Entry(
                direction,
                Transfer(payer, payee, int(amount), time_ms),
                partition,
                offset,
                int(mixed),
            )
            for direction, payer, payee, amount, time_ms, partition, offset, mixed in entries
        ],
        optional,
        judged,
        told,
        stored=True,
        dirty=False,
    )
