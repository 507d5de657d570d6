"""Records come back byte for byte, DuckDB reads exact amounts, and the audit's comparison finds what differs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stream_jobs.archive.comparing import compare, rows
from stream_jobs.archive.filling import batches
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store
from stream_jobs.audit.readers import Record
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import CellSums, Row, Sums
from stream_jobs.events.entries import entry_values
from stream_jobs.events.rules import TransactionEvent
from tests.unit.stream_jobs.archive.kafka_log import (
    SEVEN_MS,
    TOPIC,
    KafkaLog,
    archived,
    archiver,
)

ID = "0b0e9a4c-2f3a-4f0e-9d57-3f0c0f8a1b2{}"
LARGEST = "999999999999999999.99999999"


def entries(number: int, amount: str, reverses: str | None = None) -> list[Record]:
    """Both entries of an event that stood at [1] 10 + number."""
    event = TransactionEvent(
        ID.format(number), 'qu"ote', "änn\\", amount, SEVEN_MS + number, reverses
    )
    sides = (event.to_account_id, event.from_account_id)
    return [
        Record(TOPIC, 0, 3 * number + side, SEVEN_MS, account.encode(), value, None)
        for side, (account, value) in enumerate(
            zip(sides, entry_values(event, 1, 10 + number), strict=True)
        )
    ]


def store_of(folder: Path, records: Sequence[Record], rows_a_file: int = 4) -> Store:
    store = Store(str(folder))
    log = KafkaLog({0: list(records)}, {0: records[-1].offset + 1})
    limits = Limits(rows_a_file, 10, 10**9)
    archiver(log, store, limits).run([TOPIC], threading.Event(), once=True)
    return store


COUNTED = [
    *entries(0, LARGEST),
    *entries(1, "0.10"),
    *entries(2, LARGEST),
    *entries(3, "0.10", ID.format(1)),
]


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    odd = [
        Record(TOPIC, 0, 1, -1, None, None, None),
        Record(TOPIC, 0, 2, 2**61, b"\xff\x00", b"", []),
        Record(TOPIC, 0, 9, 5, b"", b"{no json", [("h", b"1"), ("h", None), ("", b"\xfe")]),
        Record(TOPIC, 0, 10, 5, b"", b'{"amount": 1.5, "kafka_offset": "7"}', None),
    ]
    records = [*odd, *(each._replace(offset=each.offset + 20) for each in COUNTED)]
    _, found = archived(store_of(tmp_path, records), 0)
    assert found == records


def test_duckdb_sums_to_the_last_digit(tmp_path: Path) -> None:
    store_of(tmp_path, COUNTED)
    told = duckdb.execute(
        "SELECT account_id, direction, sum(amount), count(*), min(hour), any_value(date)::VARCHAR "
        f"FROM read_parquet('{tmp_path}/{TOPIC}/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    total = 2 * Decimal(LARGEST)
    assert told == [
        ('qu"ote', "SENT", total, 4, "07", "2026-11-23"),
        ("änn\\", "RECEIVED", total, 4, "07", "2026-11-23"),
    ]


class Pinot:
    """Rows in memory, summed up as Pinot does."""

    def __init__(self, has: Sequence[Row]) -> None:
        self._rows = has

    def sums(self, hours: Sequence[int], stretches: Sequence[Stretch]) -> CellSums:
        found = CellSums()
        for row in self._rows:
            inside = any(p == row.partition and a <= row.offset < b for p, a, b in stretches)
            if inside and row.cell.hour_ms in hours:
                found[row.cell] = found.get(row.cell, Sums()).plus(Sums(1, row.amount, row.mix))
        return found

    def coarse(self, hours: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for row in self._rows:
            key = (row.cell.hour_ms, row.direction)
            count, amount = found.get(key, (0, 0))
            found[key] = (count + 1, amount + row.amount)
        return {key: sums for key, sums in found.items() if hours[0] <= key[0] <= hours[-1]}

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked")


def test_pinot_that_has_the_archived_rows_is_exact(tmp_path: Path) -> None:
    store = store_of(tmp_path, COUNTED)
    has = [row for row in rows(store, TOPIC) if row]
    said = compare(store, TOPIC, Pinot(has))
    assert (said.entries, said.hours, said.malformed, said.differing) == (8, 1, 0, [])
    assert compare(store, TOPIC, Pinot(has[::-1])).differing == []


@pytest.mark.parametrize(
    ("changed", "sums"),
    [
        ({"transaction_id": ID.format(9)}, 1),
        ({"account_id": "somebody"}, 1),
        ({"time_ms": SEVEN_MS + 3}, 1),
        ({"amount": 1}, 2),
        ({"offset": 500}, 1),
        ({"time_ms": SEVEN_MS + 3_600_000}, 4),
    ],
)
def test_one_row_that_is_otherwise_is_found(
    tmp_path: Path, changed: dict[str, Any], sums: int
) -> None:
    store = store_of(tmp_path, COUNTED)
    first, *rest = [row for row in rows(store, TOPIC) if row]
    said = compare(store, TOPIC, Pinot([first._replace(**changed), *rest]))
    assert len(said.differing) == sums


def test_a_row_too_many_or_too_few_is_found_and_a_record_that_is_none_is_counted(
    tmp_path: Path,
) -> None:
    strange = Record(TOPIC, 0, 99, SEVEN_MS, b"", b"{}", None)
    store = store_of(tmp_path, [*COUNTED, strange])
    has = [row for row in rows(store, TOPIC) if row]
    assert compare(store, TOPIC, Pinot(has)).malformed == 1
    assert compare(store, TOPIC, Pinot([*has, has[0]])).differing
    assert compare(store, TOPIC, Pinot(has[1:])).differing
    far = has[0]._replace(partition=5, time_ms=7)
    assert "1970-01-01T00Z" in compare(store, TOPIC, Pinot([*has, far])).differing[0]


def test_filling_goes_on_behind_the_offset_that_was_reached(tmp_path: Path) -> None:
    store = store_of(tmp_path, COUNTED, rows_a_file=3)
    whole = list(batches(store, TOPIC, {}))
    assert [end for _, end, _ in whole] == [4, 8, 11]
    assert [each for *_, records in whole for each in records] == COUNTED
    for done in range(13):
        left = [each for *_, records in batches(store, TOPIC, {0: done}) for each in records]
        assert left == [each for each in COUNTED if each.offset >= done]
