"""Which slots a series asks for: as few as will do, an edge at each of its buckets', in every zone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import DAY_MS, HOUR_MS, epoch_ms
from gateway.analytics.model import Calendar, Direction, Entry, Granularity, Interval, Window
from gateway.analytics.query_plan import SlotsPlan
from gateway.analytics.slots import fold, grid
from gateway.analytics.window import buckets, edges
from gateway.errors import BadUserInputError
from tests.reference import evaluate, slot_start
from tests.scopes import of

START, END = "2025-03-08T09:41:07.123+00:00", "2026-03-09T09:41:07.123+00:00"


def window(zone: str, start: str = START, end: str = END) -> Window:
    moments = [epoch_ms(datetime.fromisoformat(each)) for each in (start, end)]
    return Window(Interval(*moments), Calendar(ZoneInfo(zone)))


def asked(over: Window, granularity: Granularity, max_points: int = 1_500) -> SlotsPlan:
    """The plan that a series of an account takes."""
    chosen = grid(edges(over, granularity, max_points))
    return SlotsPlan(of("alice"), Direction.RECEIVED, over.interval, *chosen)


def most_rows(plan: SlotsPlan) -> int:
    """The most slots that a store can answer."""
    return sum(
        (piece.interval.end_ms - piece.interval.start_ms) // piece.slot_ms + 2
        for piece in plan.pieces
    )


@pytest.mark.parametrize(
    ("zone", "granularity", "width_ms", "pieces", "rows"),
    [
        ("UTC", "DAY", DAY_MS, 1, 368),
        ("Asia/Ho_Chi_Minh", "DAY", DAY_MS, 1, 368),
        ("Asia/Kathmandu", "DAY", DAY_MS, 1, 368),
        ("America/Caracas", "WEEK", 7 * DAY_MS, 1, 54),
        ("Europe/Berlin", "DAY", DAY_MS, 3, 372),
        ("America/New_York", "DAY", DAY_MS, 4, 374),
        ("Pacific/Chatham", "DAY", DAY_MS, 3, 372),
        ("Australia/Lord_Howe", "DAY", DAY_MS, 3, 372),
        ("Europe/Berlin", "WEEK", 7 * DAY_MS, 3, 60),
        ("Europe/Berlin", "MONTH", DAY_MS, 2, 370),
        ("Asia/Kolkata", "MONTH", DAY_MS, 1, 368),
        ("Asia/Kathmandu", "QUARTER", DAY_MS, 1, 368),
    ],
)
def test_a_year_takes_about_as_many_slots_as_it_has_days(
    zone: str, granularity: str, width_ms: int, pieces: int, rows: int
) -> None:
    plan = asked(window(zone), Granularity(granularity))
    assert (plan.slot_ms, len(plan.pieces)) == (width_ms, pieces)
    assert most_rows(plan) <= rows


def test_four_years_of_days_do_not_take_their_hours() -> None:
    over = window("Europe/Berlin", "2022-02-01T00:00+01:00", "2026-02-01T00:00+01:00")
    assert most_rows(asked(over, Granularity.DAY)) < 1_500
    ten = window("America/New_York", "2016-02-01T00:00-05:00", "2026-02-01T00:00-05:00")
    assert most_rows(asked(ten, Granularity.WEEK)) < 600


def test_where_finer_slots_are_few_one_look_is_enough() -> None:
    over = window("Europe/Berlin", "2026-03-20T00:00+01:00", "2026-04-03T00:00+02:00")
    plan = asked(over, Granularity.DAY)
    assert (plan.slot_ms, len(plan.pieces)) == (HOUR_MS, 1)
    assert plan.origins == ()


@pytest.mark.parametrize("granularity", Granularity)
def test_one_bucket_is_one_slot(granularity: Granularity) -> None:
    over = window("Asia/Kathmandu", "2026-01-01T00:00:10+05:45", "2026-01-01T00:00:50+05:45")
    plan = asked(over, granularity)
    assert len({slot_start(each, *plan_grid(plan)) for each in range(*bounds(over), 1_000)}) == 1


def plan_grid(plan: SlotsPlan) -> tuple[int, tuple[int, ...]]:
    return plan.slot_ms, plan.origins


def bounds(over: Window) -> tuple[int, int]:
    return over.interval.start_ms, over.interval.end_ms


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    start_ms=st.integers(31_622_400_000, 2_000_000_000_000),
    length_ms=st.one_of(st.integers(1, 3 * DAY_MS), st.integers(1, 3_660 * DAY_MS)),
    granularity=st.sampled_from(Granularity),
    data=st.data(),
)
def test_slots_are_parts_of_buckets_in_every_zone(
    zone: str, start_ms: int, length_ms: int, granularity: Granularity, data: st.DataObject
) -> None:
    over = Window(Interval(start_ms, start_ms + length_ms), Calendar(ZoneInfo(zone)))
    try:
        cut = buckets(over, granularity, start_ms + length_ms, 500)
    except BadUserInputError:
        return
    plan = asked(over, granularity, 500)
    near = [each for bucket in cut[:40] for each in (bucket.start_ms, bucket.end_ms - 1)]
    drawn = data.draw(st.lists(st.integers(start_ms, start_ms + length_ms - 1), max_size=20))
    entries = [
        Entry("alice", "bob", Direction.RECEIVED, str(number), Decimal(1), at_ms)
        for number, at_ms in enumerate([*near, *drawn])
    ]
    points = fold(cut, tuple(evaluate(plan, entries)))
    for point in points:
        inside = [
            e for e in entries if point.bucket.start_ms <= e.event_time_ms < point.bucket.end_ms
        ]
        assert point.measures.transaction_count == len(inside)
    in_pieces = [row for piece in plan.pieces for row in evaluate(piece, entries)]
    assert in_pieces == evaluate(plan, entries)
    assert len(plan.pieces) <= 40
