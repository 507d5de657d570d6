"""The arithmetic of sizes, with numbers that can be checked by head."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinot_config.sizing import arithmetic as a
from pinot_config.sizing.arithmetic import Load, Measured

# Ten rows a day in each of two partitions, ten rows a segment.
SMALL = Load(
    transactions=3_650,
    queries=1_000,
    window=30,
    partitions=2,
    replicas=3,
    segment_rows=10,
    merged_rows=70,
    merged_after=30,
    bucket=7,
    late=30,
    raw_days=14,
    entries_days=7,
    ids_days=15,
)
KNOWN = Measured(
    row_bytes=100,
    build_us=20,
    raw_bytes=200,
    entry_bytes=300,
    ideal_state_bytes=10,
    gateway_miss_ms=3,
    gateway_hit_ms=0.2,
    pinot_miss_ms=6,
    pinot_hit_ms=0.3,
    statements=2,
    broker_us=0.5,
    named_us=1,
    opened_us=10,
)


def test_a_transaction_is_two_rows() -> None:
    assert a.rows(SMALL, 1) == 20
    assert a.rows(Load(), 365) == 29.2e9


def test_old_rows_lie_in_larger_segments() -> None:
    assert a.segments(SMALL, 365, merged=False) == 730
    assert a.of_a_partition(SMALL, 365, merged=False) == 365
    assert a.segments(SMALL, 30, merged=True) == 60
    assert a.segments(SMALL, 30 + 7, merged=True) == 60 + 2
    assert a.segments(SMALL, 30, merged=True, rows_before=1_400) == 60 + 20


def test_a_window_of_today_is_in_the_newest_segments() -> None:
    assert a.executed(SMALL, 365, 1, merged=False) == 1
    assert a.executed(SMALL, 10, 365, merged=False) == 10


def test_a_window_of_long_ago_is_in_all_that_could_hold_what_came_late_unless_merged() -> None:
    assert a.executed_long_ago(SMALL, 1, merged=False) == 31
    assert a.executed_long_ago(SMALL, 1, merged=True) == 1
    assert a.executed_long_ago(SMALL, 8, merged=True) == 2
    assert a.executed_long_ago(replace(SMALL, merged_rows=35), 1, merged=True) == 2


def test_a_segment_fills_by_what_comes_into_its_partition() -> None:
    assert a.fill_hours(SMALL, 10 / 3_600) == 1
    assert a.average(replace(SMALL, transactions=365 * 86_400)) == 1
    assert a.pause_s(replace(SMALL, segment_rows=1e6), KNOWN) == 20


def test_bytes() -> None:
    assert a.table_bytes(SMALL, KNOWN, 1) == 2_000
    assert a.kafka_bytes(SMALL, KNOWN) == 3 * (10 * 14 * 200 + 20 * 7 * 300)
    assert a.ids(SMALL) == 150
    assert a.segments_that_fit(KNOWN) == 104_857.6


def test_cores_follow_the_hits_and_the_segments() -> None:
    assert a.gateway_cores(SMALL, KNOWN, 0) == 3
    assert a.gateway_cores(SMALL, KNOWN, 1) == pytest.approx(0.2)
    assert a.gateway_cores(SMALL, KNOWN, 0.5) == pytest.approx(1.6)
    # 100 days: the broker looks at 200 segments, names 100, and the server opens 30 of them.
    assert a.statement_ms(SMALL, KNOWN, 100, merged=False) == pytest.approx(0.1 + 0.1 + 0.3)
    assert a.pinot_cores(SMALL, KNOWN, 0, 100, merged=False) == pytest.approx(7)
    assert a.pinot_cores(SMALL, KNOWN, 1, 100, merged=False) == pytest.approx(0.3 * 7 / 6)
    assert a.half_idle(1.6) == 4


@pytest.mark.parametrize(
    ("hits", "gateway_ms", "pinot_ms"), [(0.54, 1.4, 2.8), (0.92, 0.36, 0.67), (0.987, 0.22, 0.43)]
)
def test_what_is_reckoned_is_near_what_was_measured_between(
    hits: float, gateway_ms: float, pinot_ms: float
) -> None:
    """docs/benchmarks.md, "The real Pinot behind it"; a new table has hardly any segments."""
    load, measured = Load(queries=1_000), Measured()
    assert a.gateway_cores(load, measured, hits) == pytest.approx(gateway_ms, rel=0.15)
    reckoned = a.pinot_cores(load, measured, hits, 0, merged=False)
    assert reckoned == pytest.approx(pinot_ms, rel=0.2)
