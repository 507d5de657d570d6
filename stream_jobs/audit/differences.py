"""How Pinot's rows of an hour differ from those that counted, row by row where both can be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from stream_jobs.audit.erased import Gained, restored
from stream_jobs.audit.findings import NOWHERE, Finding, Kind, Tier
from stream_jobs.audit.hour import Hour
from stream_jobs.audit.pinot_tier import PinotTier
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Cell, Row, Sums
from stream_jobs.events.money import unscaled

# Rows of an hour that are fetched to name the ids.
MAX_EXPLAINED_ROWS: Final = 200_000
MAX_NAMED: Final = 1_000

RowsOfRaw = Callable[[int, Sequence[Stretch]], "Counter[Row] | None"]
"""The rows of an hour that these raw records would leave if all of them counted; None if Kafka has them no more."""


class Differences:
    """Asks for the rows, and says what is wrong with which."""

    def __init__(self, pinot: PinotTier, rows_of_raw: RowsOfRaw) -> None:
        self._pinot = pinot
        self._rows_of_raw = rows_of_raw

    def by_raw(self, hour_ms: int, hour: Hour) -> list[Finding]:
        """What differs in an hour of which only the sums are kept: the raw records are judged once more."""

        def raw() -> Counter[Row] | None:
            return self._rows_of_raw(hour_ms, hour.stretches)

        return self._of(hour_ms, hour.stretches, hour.cells, hour.gained, raw, self._that_count)

    def of(
        self,
        hour_ms: int,
        stretches: Sequence[Stretch],
        wanted: Mapping[Cell, Sums],
        gained: Sequence[Gained],
        counted: Counter[Row],
    ) -> list[Finding]:
        """What differs in an hour of rows that all counted."""
        return self._of(hour_ms, stretches, wanted, gained, lambda: counted, lambda rows, _: rows)

    def _of(
        self,
        hour_ms: int,
        stretches: Sequence[Stretch],
        wanted: Mapping[Cell, Sums],
        gained: Sequence[Gained],
        raw_rows: Callable[[], Counter[Row] | None],
        that_count: Callable[[Counter[Row], Counter[Row]], Counter[Row]],
    ) -> list[Finding]:
        rows = self._pinot.rows(hour_ms, stretches, MAX_EXPLAINED_ROWS)
        raw = None if rows is None else raw_rows()
        if rows is not None and raw is not None:
            got = restored(raw, rows, gained)
            found = list(_explained(that_count(raw, got), got))[:MAX_NAMED]
            if found:
                return found
        return list(_unexplained(wanted, self._pinot.sums([hour_ms], stretches)))

    def _that_count(self, raw: Counter[Row], rows: Counter[Row]) -> Counter[Row]:
        """Without the duplicates, and without reversals, which have reasons of their own to leave no rows."""
        missing = [row for row in raw if row not in rows]
        # All of them: of a duplicate that is not looked up nothing would say that it is one.
        ids = sorted({row.transaction_id for row in missing})
        of_ids: dict[str, set[tuple[int, int]]] = {}
        for first in range(0, len(ids), MAX_NAMED):
            for row in self._pinot.rows_of_ids(ids[first : first + MAX_NAMED]):
                of_ids.setdefault(row.transaction_id, set()).add((row.partition, row.offset))

        def counts(row: Row) -> bool:
            elsewhere = of_ids.get(row.transaction_id, set()) - {(row.partition, row.offset)}
            return row in rows or not (row.reverses or elsewhere)

        return Counter(filter(counts, raw))


def _explained(wanted: Counter[Row], got: Counter[Row]) -> Iterator[Finding]:
    """What differs, row by row."""
    missing, extra = wanted - got, got - wanted
    changed = {(row.partition, row.offset, row.direction): row for row in extra}
    wrong = set()
    for row in sorted(missing):
        place = (row.partition, row.offset, row.direction)
        wrong.add(place)
        other = changed.get(place)
        if other is None:
            yield row_finding(Kind.LOST, row, f"Pinot does not have {said(row)}")
        else:
            yield row_finding(
                Kind.CHANGED, row, f"Pinot has {said(other)} of {other.transaction_id}"
            )
    for row in sorted(extra):
        if (row.partition, row.offset, row.direction) in wrong:
            continue
        if row in wanted:
            yield row_finding(Kind.DOUBLED, row, f"Pinot has {said(row)} {got[row]} times")
        else:
            yield row_finding(Kind.UNKNOWN, row, f"Pinot has {said(row)}, and no entry says so")


def row_finding(kind: Kind, row: Row, detail: str) -> Finding:
    """What is wrong with one row of Pinot."""
    source = (row.partition, row.offset)
    return Finding(Tier.PINOT, kind, row.time_ms, *source, row.transaction_id, detail)


def said(row: Row) -> str:
    """The row in a few words."""
    return f"{row.direction} of {row.account_id!r}, {unscaled(row.amount)}"


def _unexplained(wanted: Mapping[Cell, Sums], got: Mapping[Cell, Sums]) -> Iterator[Finding]:
    for cell in sorted(wanted.keys() | got.keys()):
        left, right = wanted.get(cell, Sums()), got.get(cell, Sums())
        if left != right:
            detail = (
                f"{cell.direction}: entries {left.rows} x, {unscaled(left.amount)}; "
                f"Pinot {right.rows} x, {unscaled(right.amount)}"
            )
            where = (cell.partition, NOWHERE)
            yield Finding(Tier.PINOT, Kind.UNEXPLAINED, cell.hour_ms, *where, "", detail)
