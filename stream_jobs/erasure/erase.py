"""One erasure: what holds the id, and each segment of it replaced; I/O by its arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import lcm
from typing import Final, Protocol

from stream_jobs.erasure.records import Erasure, Stage, erased_row
from stream_jobs.erasure.segments import Rewritten
from stream_jobs.erasure.tables import Held
from stream_jobs.events.erased_rows import ErasedRow
from stream_jobs.events.erased_text import Replacement
from stream_jobs.progress.segments import Segment, TableSegments, place_of

LOOK_EVERY_S: Final = 0.5
# Each replica is asked in turn: so many answers without the id say that all of them have the new segment.
LOOKS_A_REPLICA: Final = 3


class ErasureError(Exception):
    """A segment is not what it must be, or does not become it in time; the message says what stands now."""


class Rows(Protocol):
    """pinot_rows.PinotRows."""

    def holding(self, table: str, held: Held, account_id: str) -> dict[str, int]: ...

    def held_in(self, table: str, held: Held, segment: str, account_id: str) -> int: ...

    def sums(self, table: str, held: Held, segment: str) -> list[str]: ...


class Cluster(Protocol):
    """cluster.Cluster."""

    def segments(self, table: str) -> TableSegments: ...

    def replicas(self, table: str) -> int: ...

    def commit(self, table: str) -> None:
        """Have the segments that are being filled finished, and others begun."""


class Files(Protocol):
    """segments.Segments."""

    def crc(self, table: str, segment: str) -> str: ...

    def rewrite(
        self, table: str, held: Held, segment: str, replacement: Replacement
    ) -> Rewritten: ...

    def replace(self, table: str, rewritten: Rewritten, crc: str) -> None: ...


class Records(Protocol):
    """records.KafkaRecords."""

    def write(self, erasure: Erasure) -> None: ...

    def write_rows(self, pseudonym: str, segment: str, rows: Sequence[ErasedRow]) -> None: ...


@dataclass(frozen=True, slots=True)
class Holding:
    """The rows of one table that hold the id, by segment; `filling` of these are not finished."""

    table: str
    held: Held
    rows: Mapping[str, int]
    filling: frozenset[str]

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def in_filling(self) -> int:
        return sum(self.rows[segment] for segment in self.filling)

    @property
    def finished(self) -> list[str]:
        return sorted(self.rows.keys() - self.filling)


def classes_of(tables: Sequence[TableSegments]) -> int:
    """The classes that accounts fall into, for all segments there are."""
    moduli = [each.modulus for table in tables for each in table.segments if each.modulus]
    return reduce(lcm, moduli, 1)


class Eraser:
    """Looks and replaces; `tell` hears of each segment."""

    def __init__(
        self,
        rows: Rows,
        cluster: Cluster,
        files: Files,
        records: Records,
        tell: Callable[[str], None],
        timeout_s: float,
    ) -> None:
        self._rows = rows
        self._cluster = cluster
        self._files = files
        self._records = records
        self._tell = tell
        self._timeout_s = timeout_s

    def look(self, tables: Mapping[str, Held], account_id: str) -> list[Holding]:
        """What holds the id now."""
        return [self._held(table, held, account_id) for table, held in tables.items()]

    def erase(
        self,
        tables: Mapping[str, Held],
        replacement: Replacement,
        tag: str,
        by: str,
        clock_ms: Callable[[], int],
    ) -> Erasure:
        """All that is there now. Raises ErasureError, and what the collaborators raise; begun again it goes on."""
        begun = Erasure(replacement.pseudonym, tag, Stage.BEGUN, clock_ms(), by, {}, {}, 0)
        self._records.write(begun)
        changed: dict[str, int] = {}
        segments = 0
        for table, held in tables.items():
            self._finish(table, held, replacement.account_id)
            holding = self._held(table, held, replacement.account_id)
            for segment in holding.finished:
                rewritten = self._replace(table, held, segment, replacement)
                changed[table] = changed.get(table, 0) + rewritten.changed
                segments += 1
        left = {each.table: each.total for each in self.look(tables, replacement.account_id)}
        done = replace(
            begun, state=Stage.DONE, at_ms=clock_ms(), rows=changed, left=left, segments=segments
        )
        self._records.write(done)
        return done

    def _held(self, table: str, held: Held, account_id: str) -> Holding:
        rows = self._rows.holding(table, held, account_id)
        known = self._cluster.segments(table).by_name
        filling = frozenset(name for name in rows if name not in known or known[name].in_memory)
        return Holding(table, held, rows, filling)

    def _finish(self, table: str, held: Held, account_id: str) -> None:
        """Rows in segments that are being filled can be replaced once these are finished."""
        waiting = self._held(table, held, account_id).filling
        if not waiting:
            return
        self._tell(f"{table}: finishing {len(waiting)} segments that are being filled")
        self._cluster.commit(table)

        def finished() -> bool:
            known = self._cluster.segments(table).by_name
            return all(name in known and not known[name].in_memory for name in waiting)

        self._wait(finished, f"{table}: {sorted(waiting)} are not finished")

    def _replace(self, table: str, held: Held, segment: str, replacement: Replacement) -> Rewritten:
        self._refuse_last(table, segment)
        started_s = time.monotonic()
        sums, crc = self._rows.sums(table, held, segment), self._files.crc(table, segment)
        rewritten = self._files.rewrite(table, held, segment, replacement)
        if rewritten.docs != int(sums[0]):
            raise ErasureError(
                f"{segment} has {sums[0]} rows, rewritten {rewritten.docs}; it stands as it was"
            )
        id_, name = replacement.account_id, replacement.pseudonym
        # Before: the audit waits for what is announced, and takes for damage what is not.
        erased = [erased_row(row, id_, name) for row in rewritten.rows]
        self._records.write_rows(name, segment, erased)
        self._files.replace(table, rewritten, crc)
        self._await(table, held, segment, id_)
        if self._rows.sums(table, held, segment) != sums:
            raise ErasureError(
                f"{segment} was replaced, and its sums are not what they were: {sums}"
            )
        took_s = time.monotonic() - started_s
        self._tell(f"{segment}: {rewritten.changed} of {rewritten.docs} rows, {took_s:.1f} s")
        return rewritten

    def _refuse_last(self, table: str, segment: str) -> None:
        """Pinot does not go on behind a replaced segment that is a kafka partition's last one."""
        place = place_of(segment)
        later = (place_of(each.name) for each in _filled(self._cluster.segments(table)))
        if place and not any(each and each[0] == place[0] and each[1] > place[1] for each in later):
            raise ErasureError(
                f"nothing is read behind {segment}: resume {table}'s consumption, then repeat"
            )

    def _await(self, table: str, held: Held, segment: str, account_id: str) -> None:
        looks = LOOKS_A_REPLICA * self._cluster.replicas(table)

        def replaced() -> bool:
            ask = self._rows.held_in
            return not any(ask(table, held, segment, account_id) for _ in range(looks))

        self._wait(replaced, f"{segment} was sent to Pinot, and not all its servers have it")

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        give_up_s = time.monotonic() + self._timeout_s
        while not condition():
            if time.monotonic() > give_up_s:
                raise ErasureError(f"{otherwise} after {self._timeout_s:.0f} s; repeat the command")
            time.sleep(LOOK_EVERY_S)


def _filled(table: TableSegments) -> list[Segment]:
    return [each for each in table.segments if each.consuming]
