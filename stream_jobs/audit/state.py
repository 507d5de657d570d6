"""What the audit keeps, in one SQLite file: written with the offsets it belongs to, in one transaction.

It is a convenience, not a truth: deleted, the audit begins anew and says from where on it vouches.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stream_jobs.audit.erased import ErasedTable
from stream_jobs.audit.expected import Expected, Waits
from stream_jobs.audit.finding_table import FindingTable
from stream_jobs.audit.findings import Finding, Kind
from stream_jobs.audit.hour import Hour
from stream_jobs.audit.outcomes import Source
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Cell, Counted, Sums
from stream_jobs.audit.suspects import Suspect
from stream_jobs.audit.taken import Taken
from stream_jobs.audit.told_entry import ErasedEntry
from stream_jobs.events.erased_rows import ErasedRows
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.offsets import Offsets

VERSION: Final = 4
BUSY_S: Final = 30.0
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
  topic TEXT, partition INT, restart INT, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frontier (partition INTEGER PRIMARY KEY, begin INT, closed INT);
CREATE TABLE IF NOT EXISTS cells (
  hour_ms INT, partition INT, direction TEXT, rows INT, amount TEXT, mix TEXT, first_offset INT, last_offset INT,
  PRIMARY KEY (hour_ms, partition, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
  partition INT, offset INT, recorded_ms INT, value BLOB, sides INT, wrong INT, held INT, why INT,
  PRIMARY KEY (partition, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS suspects (
  number INTEGER PRIMARY KEY, partition INT, offset INT, recorded_ms INT, value BLOB, kind TEXT, why TEXT,
  committed TEXT);
"""


class StateError(Exception):
    """The file was written by another version."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each topic is read on from after a restart, and what has been taken from there on before.

    What lies past `restart` is read again for the raw records that were not closed yet; outcomes of closed ones are
    passed over if they were taken.
    """

    restart: Mapping[str, Offsets] = field(default_factory=dict)
    taken: Sequence[Taken] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """How far, what it counted, what no longer waits and what does, and what it found."""

    positions: Positions
    vouched: Sequence[Stretch]
    counted: Mapping[Cell, Counted] = field(default_factory=dict)
    came: Sequence[Source] = ()
    waits: Sequence[tuple[Expected, Waits]] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    healed: Sequence[Source] = ()
    suspects: Sequence[Suspect] = ()


class State:
    """The file, used by one thread; every call is short, and every writing one is all or nothing.

    Each thread opens its own, and reads what the other has written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It may be opened for another thread than the one that opens it.
        self._db = sqlite3.connect(path, BUSY_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        if self.number("version", VERSION) != VERSION:
            self._db.close()
            raise StateError(f"{path} was written by another version")
        self.findings = FindingTable(self._db)
        self.erased = ErasedTable(self._db)
        hours = self._db.execute("SELECT DISTINCT hour_ms FROM cells").fetchall()
        # Told every second, which must not cost more the more cells there are.
        self._hours: set[int] = {row[0] for row in hours}

    def close(self) -> None:
        """Close the file."""
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

    def begin(self, whole_from_ms: int) -> None:
        """A new audit, which vouches for all rows only from an hour on."""
        with self._transaction():
            for name, value in (("whole_from_ms", whole_from_ms), ("version", VERSION)):
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def positions(self) -> Positions:
        """Where to read on; empty if nothing was written yet."""
        restart: dict[str, dict[int, int]] = {}
        for topic, partition, at in self._db.execute("SELECT * FROM positions").fetchall():
            restart.setdefault(topic, {})[partition] = at
        row = self._db.execute("SELECT value FROM meta WHERE name = 'taken'").fetchone()
        taken = [] if row is None else json.loads(row[0])
        return Positions(restart, [Taken.of(each) for each in taken])

    def vouched(self) -> list[Stretch]:
        """What is closed of every raw partition, from where the audit vouches."""
        rows = self._db.execute("SELECT partition, begin, closed FROM frontier ORDER BY partition")
        return [Stretch(*row) for row in rows.fetchall()]

    def waiting(self, rules: EventRules) -> dict[Waits, dict[Source, Expected]]:
        """The closed records that still wait, by what for."""
        found: dict[Waits, dict[Source, Expected]] = {why: {} for why in Waits}
        for row in self._db.execute("SELECT * FROM waiting").fetchall():
            partition, offset, recorded_ms, value, sides, wrong, is_held, why = row
            expected = Expected(value, partition, offset, recorded_ms, rules)
            expected.sides, expected.wrong, expected.held = sides, wrong, bool(is_held)
            found[Waits(why)][(partition, offset)] = expected
        return found

    def write(self, closing: Closing, now_ms: int) -> list[Finding]:
        """One closing, with all it found; returns the findings that are new."""
        positions = closing.positions
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)",
                [
                    (topic, p, at)
                    for topic, offsets in positions.restart.items()
                    for p, at in offsets.items()
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO frontier VALUES (?, ?, ?)", closing.vouched
            )
            self._db.executemany(
                "DELETE FROM waiting WHERE partition = ? AND offset = ?", closing.came
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(each.partition, each.offset, each.recorded_ms, each.value),
                        *(each.sides, each.wrong, each.held, why),
                    )
                    for each, why in closing.waits
                ],
            )
            self._count(closing.counted)
            self._db.executemany(
                "INSERT INTO suspects (partition, offset, recorded_ms, value, kind, why, committed) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(each.expected.partition, each.expected.offset),
                        *(each.expected.recorded_ms, each.expected.value),
                        *(each.kind, each.why, json.dumps(each.committed)),
                    )
                    for each in closing.suspects
                ],
            )
            taken = json.dumps([each.plain() for each in positions.taken])
            for name, value in (*closing.numbers.items(), ("version", VERSION), ("taken", taken)):
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            self.findings.heal(closing.healed)
            new = self.findings.add(closing.findings, now_ms)
        self._hours.update(cell.hour_ms for cell in closing.counted)
        return new

    def suspects(self, limit: int, rules: EventRules) -> dict[int, Suspect]:
        """The first records that look wrong, by their number."""
        rows = self._db.execute(
            "SELECT number, partition, offset, recorded_ms, value, kind, why, committed FROM suspects "
            "ORDER BY number LIMIT ?",
            (limit,),
        )
        return {
            number: Suspect(
                Expected(value, partition, offset, recorded_ms, rules),
                Kind(kind),
                why,
                {int(p): end for p, end in json.loads(committed).items()},
            )
            for number, partition, offset, recorded_ms, value, kind, why, committed in rows.fetchall()
        }

    def count_suspects(self) -> int:
        """How many records look wrong and have not been looked at."""
        return int(self._db.execute("SELECT count(*) FROM suspects").fetchone()[0])

    def looked_at(
        self, suspects: Iterable[int], findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """What some suspects proved to be; returns what is new."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM suspects WHERE number = ?", [(number,) for number in suspects]
            )
            return self.findings.add(findings, now_ms)

    def add_findings(self, findings: Sequence[Finding], now_ms: int) -> list[Finding]:
        """Keep findings; returns those that are new."""
        with self._transaction():
            return self.findings.add(findings, now_ms)

    def write_pinot(
        self, start_ms: int, end_ms: int, findings: Sequence[Finding], now_ms: int
    ) -> list[Finding]:
        """Pinot's verdict on some time, in place of an earlier one; returns what is new."""
        with self._transaction():
            return self.findings.replace_pinot(start_ms, end_ms, findings, now_ms)

    def take_erased(
        self, records: Sequence[tuple[int, ErasedRows]], read_to: int, now_ms: int
    ) -> None:
        """Rows of which erasures were announced, and up to where that is read."""
        with self._transaction():
            self.erased.take(records, now_ms)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('erased_to', ?)", (read_to,))

    def tell_erased(self, entries: Iterable[ErasedEntry], now_ms: int) -> None:
        """Entries that tell a pseudonym, so that Pinot's rows of them must."""
        with self._transaction():
            self.erased.tell(entries, now_ms)

    def settle_erased(self, before_ms: int) -> None:
        """What was announced before an instant becomes part of the sums."""
        with self._transaction():
            self.erased.settle(self.vouched(), before_ms)

    def hours_from(self, hour_ms: int, limit: int) -> list[int]:
        """The next hours with cells."""
        rows = self._db.execute(
            "SELECT DISTINCT hour_ms FROM cells WHERE hour_ms >= ? ORDER BY hour_ms LIMIT ?",
            (hour_ms, limit),
        )
        return [row[0] for row in rows.fetchall()]

    def hour(self, hour_ms: int, now_ms: int, partition: int | None = None) -> Hour:
        """What counted in an hour, of all raw partitions or of one, as of one closing."""
        with self._transaction("BEGIN"):
            vouched = self.vouched()
            rows = self._db.execute("SELECT * FROM cells WHERE hour_ms = ?", (hour_ms,)).fetchall()
            aside = self._db.execute(
                "SELECT 1 FROM waiting WHERE why = ? LIMIT 1", (Waits.SET_ASIDE,)
            ).fetchone()
            own = [each for each in vouched if partition in (None, each.partition)]
            gained = self.erased.of(hour_ms, own, now_ms)
        cells: dict[Cell, Sums] = {}
        spans: dict[int, Stretch] = {}
        for hour, number, direction, count, amount, mix, first, last in rows:
            if partition in (None, number):
                cells[Cell(hour, number, direction)] = Sums(count, int(amount), int(mix))
                span = spans.get(number, Stretch(number, first, last + 1))
                start, end = min(span.start, first), max(span.end, last + 1)
                spans[number] = Stretch(number, start, end)
        frontier = {each.partition: each.end for each in vouched}
        ordered = [spans[number] for number in sorted(spans)]
        return Hour(frontier, aside is not None, own, cells, ordered, gained)

    def cell_after(self, hour_ms: int, partition: int) -> tuple[int, int, int] | None:
        """The next hour and raw partition with rows, and how many they are."""
        row = self._db.execute(
            "SELECT hour_ms, partition, sum(rows) FROM cells WHERE (hour_ms, partition) > (?, ?) "
            "GROUP BY hour_ms, partition ORDER BY hour_ms, partition LIMIT 1",
            (hour_ms, partition),
        ).fetchone()
        return None if row is None else (int(row[0]), int(row[1]), int(row[2]))

    def checked_hours(self) -> int:
        """How many hours have been compared."""
        return len(self._hours)

    def _count(self, cells: Mapping[Cell, Counted]) -> None:
        key = "hour_ms = ? AND partition = ? AND direction = ?"
        for cell, new in cells.items():
            row = self._db.execute(
                f"SELECT rows, amount, mix, first_offset, last_offset FROM cells WHERE {key}",  # noqa: S608
                cell,
            ).fetchone()
            total = new if row is None else new.plus(_counted(row))
            self._db.execute(
                "INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(*cell, total.sums.rows, str(total.sums.amount), str(total.sums.mix)),
                    *(total.first, total.last),
                ),
            )

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _counted(row: tuple[int, str, str, int, int]) -> Counted:
    rows, amount, mix, first, last = row
    return Counted(Sums(rows, int(amount), int(mix)), first, last)
