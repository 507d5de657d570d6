"""Hours beyond the dedup window keep only their sums, and everything that was found before is still found."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_jobs.audit.intervals import HOUR_MS
from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.rows import raw_transfer
from tests.audit_tiers import DAY_MS, TOPICS, Bench, MemoryTiers, bodies, count_events, fill
from tests.unit.stream_jobs.audit.test_auditor import event

BEGIN_MS = 1_795_000_000_000 // HOUR_MS * HOUR_MS
COUNT = 400
APART_MS = 20_000  # over two hours
LATER_MS = BEGIN_MS + 16 * DAY_MS
HORIZON_MS = LATER_MS - 14 * DAY_MS - HOUR_MS


def time_of(number: int) -> int:
    return BEGIN_MS + number * APART_MS


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An audit that has compared some hours, whose intervals were then added up."""
    tiers = MemoryTiers()
    fill(tiers, ((event(n), time_of(n)) for n in range(COUNT)))
    count_events(tiers)
    tiers.serve()
    bench = Bench(tiers, tmp_path / "audit.sqlite3", BEGIN_MS + DAY_MS)
    bench.check(2)
    bench.clock_ms = LATER_MS
    bench.check()
    assert bench.state.add_up_before(HORIZON_MS) == 3
    return bench


def check_for_a_minute(bench: Bench) -> None:
    for _ in range(6):
        bench.clock_ms += 10_000
        bench.check()


def arrive(bench: Bench, number: int, *, with_entries: bool = True) -> None:
    """An event of long ago that is sent only now."""
    late = MemoryTiers()
    fill(late, [(event(number), time_of(number % COUNT))])
    bench.tiers.append(TOPICS.raw, 0, time_of(number % COUNT), event(number))
    if with_entries:
        count_events(late)
        for log in late.logs[TOPICS.entries]:
            for record in log:
                bench.tiers.append(
                    TOPICS.entries, record.partition, 1, record.value or b"", record.key
                )
    bench.tiers.serve()


def test_added_up_hours_stay_consistent_and_their_intervals_stay_counted(bench: Bench) -> None:
    before = bench.state.intervals.checked()
    assert bench.state.intervals.beginning_at(0, 10) == []
    assert bench.state.intervals.cells(0, LATER_MS) == {}
    cells = bench.state.hours.cells(BEGIN_MS)
    assert sum(tiers.entries.rows for tiers in cells.values()) == 2 * HOUR_MS // APART_MS
    check_for_a_minute(bench)
    assert bench.kinds() == set()
    assert bench.state.intervals.checked() == before == COUNT


def test_an_hour_is_added_up_only_when_it_is_wholly_over(bench: Bench) -> None:
    arrive(bench, COUNT)  # into the first hour, which is whole already
    bench.check(2)
    assert bench.state.add_up_before(HORIZON_MS) == 0
    some = MemoryTiers()
    fill(some, [(event(COUNT + 1), HORIZON_MS + 1)])
    bench.tiers.append(TOPICS.raw, 0, HORIZON_MS + 1, event(COUNT + 1))
    count_events(some)
    for log in some.logs[TOPICS.entries]:
        for record in log:
            bench.tiers.append(TOPICS.entries, record.partition, 1, record.value or b"", record.key)
    bench.tiers.serve()
    bench.check(2)
    assert bench.state.add_up_before(HORIZON_MS) == 0
    assert bench.state.add_up_before(HORIZON_MS + HOUR_MS) == 1


def test_an_hour_with_something_wrong_in_it_keeps_its_intervals(tmp_path: Path) -> None:
    tiers = MemoryTiers()
    fill(tiers, ((event(n), time_of(n)) for n in range(COUNT)))
    count_events(tiers)
    tiers.serve()
    row = next(iter(tiers.pinot[BEGIN_MS]))
    del tiers.pinot[BEGIN_MS][row]
    bench = Bench(tiers, tmp_path / "audit.sqlite3", LATER_MS)
    bench.check(3)
    assert bench.kinds() == {("PINOT", "LOST", BEGIN_MS)}
    assert bench.state.add_up_before(HORIZON_MS) == 2
    assert bench.state.intervals.beginning_at(0, 1)[0].interval_ms == BEGIN_MS


def some_rows(bench: Bench) -> tuple[Row, Row]:
    """Two rows of one hour and one partition with different amounts."""
    rows = sorted(row for times in bench.tiers.pinot.values() for row in times)
    one = next(row for row in rows if row.time_ms < BEGIN_MS + HOUR_MS)
    other = next(
        row
        for row in rows
        if (row.partition, row.direction) == (one.partition, one.direction)
        and row.time_ms < BEGIN_MS + HOUR_MS
        and row.amount != one.amount
    )
    return one, other


def replace(bench: Bench, row: Row, changed: Row | None) -> None:
    interval_ms = row.time_ms // 10_000 * 10_000
    bench.tiers.pinot[interval_ms][row] -= 1
    bench.tiers.pinot[interval_ms] = +bench.tiers.pinot[interval_ms]
    if changed is not None:
        bench.tiers.pinot[interval_ms][changed] += 1


@pytest.mark.parametrize("damage", ["lost", "amount", "moved"])
def test_damage_in_a_whole_hour_is_found_and_its_mending_too(bench: Bench, damage: str) -> None:
    row, _ = some_rows(bench)
    changed = {
        "lost": None,
        "amount": row._replace(amount=row.amount + 1),
        "moved": row._replace(time_ms=row.time_ms ^ 1),
    }[damage]
    replace(bench, row, changed)
    check_for_a_minute(bench)
    assert bench.kinds() == {("PINOT", "UNEXPLAINED", BEGIN_MS)}
    bench.tiers.serve()
    check_for_a_minute(bench)
    assert bench.kinds() == set()


def test_two_amounts_swapped_in_a_whole_hour_are_found_although_count_and_sum_agree(
    bench: Bench,
) -> None:
    one, other = some_rows(bench)
    replace(bench, one, one._replace(amount=other.amount))
    replace(bench, other, other._replace(amount=one.amount))
    check_for_a_minute(bench)
    assert bench.kinds() == {("PINOT", "UNEXPLAINED", BEGIN_MS)}


def test_a_difference_that_is_known_is_not_asked_about_again_and_again(bench: Bench) -> None:
    row, _ = some_rows(bench)
    replace(bench, row, None)
    check_for_a_minute(bench)
    before = bench.tiers.queries
    check_for_a_minute(bench)
    assert bench.tiers.queries - before <= 6 * 3  # turns go on: one slice at most a check


def test_an_event_that_comes_long_after_is_no_finding(bench: Bench) -> None:
    arrive(bench, COUNT + 5)
    check_for_a_minute(bench)
    assert bench.kinds() == set()
    cells = bench.state.hours.cells(BEGIN_MS)
    assert sum(tiers.raw.rows for tiers in cells.values()) == 2 * (HOUR_MS // APART_MS + 1)


def test_an_event_that_comes_long_after_and_is_lost_is_found_by_its_id(bench: Bench) -> None:
    arrive(bench, COUNT + 5, with_entries=False)
    check_for_a_minute(bench)
    interval_ms = time_of(5) // 10_000 * 10_000
    assert bench.kinds() == {("ENTRIES", "LOST", interval_ms)}


def test_what_is_added_up_outlives_the_process(bench: Bench, tmp_path: Path) -> None:
    bench.state.close()
    again = Bench(bench.tiers, tmp_path / "audit.sqlite3", LATER_MS + DAY_MS)
    arrive(again, COUNT + 5)
    row, _ = some_rows(again)
    replace(again, row, None)
    check_for_a_minute(again)
    assert again.kinds() == {("PINOT", "UNEXPLAINED", BEGIN_MS)}


def test_the_entries_of_one_side_alone_are_found_in_a_whole_hour(bench: Bench) -> None:
    arrive(bench, COUNT + 5, with_entries=False)
    found = raw_transfer(event(COUNT + 5), time_of(5))
    assert found is not None
    bench.tiers.entry(bodies(*found)[0])
    bench.tiers.serve()
    check_for_a_minute(bench)
    assert ("ENTRIES", "LOST_SIDE", time_of(5) // 10_000 * 10_000) in bench.kinds()
    assert ("ENTRIES", "UNBALANCED", BEGIN_MS) in bench.kinds()
