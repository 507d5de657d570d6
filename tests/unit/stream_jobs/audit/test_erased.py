"""Rows in which a pseudonym was announced are right with it; anything else about them is found as ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from stream_jobs.audit.erased import UNDER_WAY_MS
from stream_jobs.audit.sums import Row
from stream_jobs.erasure.records import erased_row
from stream_jobs.events.erased_rows import ErasedRow, ErasedRows, of_value, value
from tests.audit_bench import Bench
from tests.audit_job import Job, fill, transfer
from tests.audit_tiers import BEGIN_MS, MemoryKafka

ID, NAME = "ann", "erased-x"
SEVERAL = [
    transfer("00000000-0000-4000-8000-000000000001", "5", "ann", "bob"),
    transfer("00000000-0000-4000-8000-000000000002", "7.5", "bob", "ann"),
    transfer("00000000-0000-4000-8000-000000000003", "0.1", "ann", "ann"),
    transfer("00000000-0000-4000-8000-000000000004", "3", "bob", "cid"),
    transfer("00000000-0000-4000-8000-000000000001", "5", "ann", "bob"),
]


@pytest.fixture
def bench(kafka: MemoryKafka, job: Job, audit: Callable[[], Bench]) -> Bench:
    fill(kafka, [(each, BEGIN_MS + n) for n, each in enumerate(SEVERAL)])
    job.run()
    return audit()


def touched(bench: Bench) -> list[Row]:
    return [row for row in bench.pinot.rows_ if ID in (row.account_id, row.counterparty_id)]


def announce(bench: Bench, rows: list[Row], number: int = 0) -> None:
    erased = ErasedRows(NAME, "segment", [erased_row(row, ID, NAME) for row in rows])
    bench.state.take_erased([(number, of_value(value(erased)))], number + 1, bench.now())


def replace(bench: Bench, rows: list[Row]) -> None:
    for row in rows:
        changed = row._replace(
            account_id=NAME if row.account_id == ID else row.account_id,
            counterparty_id=NAME if row.counterparty_id == ID else row.counterparty_id,
        )
        bench.pinot.rows_[changed] = bench.pinot.rows_.pop(row)


def test_rows_that_were_announced_are_right_with_the_pseudonym(bench: Bench) -> None:
    bench.look(3)
    announce(bench, touched(bench))
    replace(bench, touched(bench))
    bench.look(3)
    bench.clock_ms += UNDER_WAY_MS
    bench.look(3)
    assert len(bench.pinot.rows_) == 8
    assert not touched(bench)
    assert bench.kinds() == Counter()


def test_what_was_announced_is_right_as_it_was_until_it_must_have_come(bench: Bench) -> None:
    bench.look(3)
    announce(bench, touched(bench))
    bench.look(3)
    assert bench.kinds() == Counter()
    bench.clock_ms += UNDER_WAY_MS
    bench.look(4)
    assert bench.kinds() == Counter({"PINOT UNEXPLAINED": 3})
    replace(bench, touched(bench))
    bench.look(4)
    assert bench.kinds() == Counter()


def test_rows_that_nobody_announced_are_changed(bench: Bench) -> None:
    bench.look(3)
    replace(bench, touched(bench))
    bench.look(4)
    assert bench.kinds() == Counter({"PINOT CHANGED": 3})


def test_what_else_is_wrong_is_named_and_nothing_that_was_announced(bench: Bench) -> None:
    bench.look(3)
    announce(bench, touched(bench))
    replace(bench, touched(bench))
    other = next(row for row in bench.pinot.rows_ if row.counterparty_id == "cid")
    bench.pinot.rows_[other._replace(kind="REVERSAL")] = bench.pinot.rows_.pop(other)
    bench.look(4)
    assert bench.kinds() == Counter({"PINOT CHANGED": 1})
    assert bench.told() == {other.transaction_id}


def test_another_pseudonym_than_the_announced_one_is_found(bench: Bench) -> None:
    bench.look(3)
    announce(bench, touched(bench))
    replace(bench, touched(bench))
    row = next(row for row in bench.pinot.rows_ if NAME in (row.account_id, row.counterparty_id))
    other = row._replace(account_id="someone", counterparty_id="else")
    bench.pinot.rows_[other] = bench.pinot.rows_.pop(row)
    bench.clock_ms += UNDER_WAY_MS
    bench.look(4)
    assert bench.told() == {row.transaction_id}


def test_an_audit_that_begins_later_expects_the_pseudonym_as_well(bench: Bench) -> None:
    announce(bench, touched(bench))
    replace(bench, touched(bench))
    bench.look(4)
    assert bench.check.through_ms > 0
    assert bench.kinds() == Counter()


def test_announced_again_a_row_counts_once_and_two_accounts_of_a_row_both(bench: Bench) -> None:
    bench.look(3)
    rows = touched(bench)
    announce(bench, rows)
    announce(bench, rows, number=1)
    replace(bench, rows)
    seconds = [row for row in bench.pinot.rows_ if "bob" in (row.account_id, row.counterparty_id)]
    erased = ErasedRows(
        "erased-y", "segment", [erased_row(row, "bob", "erased-y") for row in seconds]
    )
    bench.state.take_erased([(2, erased)], 3, bench.now())
    for row in seconds:
        account = "erased-y" if row.account_id == "bob" else row.account_id
        other = "erased-y" if row.counterparty_id == "bob" else row.counterparty_id
        changed = row._replace(account_id=account, counterparty_id=other)
        bench.pinot.rows_[changed] = bench.pinot.rows_.pop(row)
    bench.clock_ms += UNDER_WAY_MS
    bench.look(3)
    assert bench.kinds() == Counter()


def test_what_was_announced_long_ago_is_part_of_the_sums(bench: Bench) -> None:
    bench.look(3)
    announce(bench, touched(bench))
    replace(bench, touched(bench))
    bench.state.settle_erased(bench.now())
    hour = bench.state.hour(BEGIN_MS - BEGIN_MS % 3_600_000, bench.now())
    assert hour.gained == []
    bench.look(3)
    assert bench.kinds() == Counter()


def test_a_record_says_what_it_was_made_of() -> None:
    row = ErasedRow(3, 9, BEGIN_MS, "SENT", 2, -(2**90))
    assert of_value(value(ErasedRows(NAME, "s", [row]))) == ErasedRows(NAME, "s", [row])
