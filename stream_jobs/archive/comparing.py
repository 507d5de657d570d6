"""Archived entries against Pinot's rows by the audit's own measures: count, exact sum and content hash, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pyarrow.parquet as pq

from stream_jobs.archive.columns import ENTRY
from stream_jobs.archive.store import Store
from stream_jobs.audit.pinot_tier import PinotTier
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import CellSums, Row, Sums
from stream_jobs.events.money import scaled

ROWS_AT_ONCE: Final = 20_000
# As the audit asks.
HOURS_A_QUERY: Final = 200
_EVER: Final = (0, 2**53)
K = TypeVar("K", bound=tuple[Any, ...])


@dataclass(slots=True)
class Compared:
    """What the archive has, and by hour of event time where Pinot says something else."""

    entries: int = 0
    malformed: int = 0
    hours: int = 0
    differing: list[str] = field(default_factory=list)


def rows(store: Store, topic: str) -> Iterator[Row | None]:
    """Every archived entry as Pinot should have it; None for a record that is none."""
    for partition in store.partitions(topic):
        for part in store.parts(topic, partition):
            with store.open(part) as file:
                for batch in pq.ParquetFile(file).iter_batches(ROWS_AT_ONCE, columns=ENTRY.names):
                    columns = [batch.column(name).to_pylist() for name in ENTRY.names]
                    yield from map(_row, zip(*columns, strict=True))


def compare(store: Store, topic: str, pinot: PinotTier) -> Compared:
    """All of the archive with all of Pinot's table, which should have nothing else. Raises what `pinot` raises."""
    said, cells = Compared(), CellSums()
    offsets: dict[int, Stretch] = {}
    for row in rows(store, topic):
        if row is None:
            said.malformed += 1
            continue
        cells[row.cell] = cells.get(row.cell, Sums()).plus(Sums(1, row.amount, row.mix))
        known = offsets.get(row.partition, Stretch(row.partition, row.offset, 0))
        start, end = min(row.offset, known.start), max(row.offset + 1, known.end)
        offsets[row.partition] = Stretch(row.partition, start, end)
    said.entries = sum(each.rows for each in cells.values())
    ours, theirs = _by_hour(cells), pinot.coarse(_EVER)
    hours = sorted({hour_ms for hour_ms, _ in {**ours, **theirs}})
    said.hours = len(hours)
    said.differing = [_differs(key, ours, theirs) for key in _unequal(ours, theirs)]
    for first in range(0, len(hours) if offsets else 0, HOURS_A_QUERY):
        some = hours[first : first + HOURS_A_QUERY]
        got = pinot.sums(some, list(offsets.values()))
        wanted = {cell: sums for cell, sums in cells.items() if some[0] <= cell.hour_ms <= some[-1]}
        said.differing += [_differs(key, wanted, got) for key in _unequal(wanted, got)]
    return said


def _unequal(ours: Mapping[K, Any], theirs: Mapping[K, Any]) -> list[K]:
    return sorted(key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key))


def _differs(key: tuple[Any, ...], ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> str:
    hour = datetime.fromtimestamp(key[0] // 1000, UTC).strftime("%Y-%m-%dT%HZ")
    where = f"{hour}, {', '.join(map(str, key[1:]))}"
    return f"{where}: archived {ours.get(key, 'nothing')}, Pinot has {theirs.get(key, 'nothing')}"


def _by_hour(cells: CellSums) -> dict[tuple[int, str], tuple[int, int]]:
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for cell, sums in cells.items():
        count, amount = found.get((cell.hour_ms, cell.direction), (0, 0))
        found[cell.hour_ms, cell.direction] = (count + sums.rows, amount + sums.amount)
    return found


def _row(told: Sequence[Any]) -> Row | None:
    *texts, amount, time_ms, kind, reverses, partition, offset = told
    if any(each is None for each in (*texts, amount, time_ms, kind, partition, offset)):
        return None
    account, other, direction, id_ = texts
    what = (id_, time_ms, kind, reverses or "", partition, offset)
    return Row(account, other, direction, *what, scaled(format(amount, "f")))
