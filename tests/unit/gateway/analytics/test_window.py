"""Windows: what they mean in a zone and its calendar, and what is outside the limits."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import DAY_MS, HOUR_MS
from gateway.analytics.earlier import earlier
from gateway.analytics.model import (
    BetweenWindow,
    Calendar,
    CalendarPeriod,
    Comparison,
    Granularity,
    Interval,
    LastWindow,
    TimeUnit,
    WeekStart,
    WholeUnits,
    WindowChoice,
)
from gateway.analytics.window import buckets, resolve, turn_ms
from gateway.errors import BadUserInputError
from tests.unit.gateway.analytics.wall_clock import BERLIN, NOW_MS, UTC_ZONE, ms, shown

SAIGON = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("choice", "zone", "start", "end"),
    [
        (LastWindow(30, TimeUnit.DAY), "UTC", "2026-03-01T10:20:30.400", "2026-03-31T10:20:30.400"),
        # The clock went forward on the 29th: a day is 24 hours, not a date.
        (
            LastWindow(3, TimeUnit.DAY),
            "Europe/Berlin",
            "2026-03-28T11:20:30.400",
            "2026-03-31T12:20:30.400",
        ),
        (LastWindow(2, TimeUnit.WEEK), "UTC", "2026-03-17T10:20:30.400", "2026-03-31T10:20:30.400"),
        (
            LastWindow(90, TimeUnit.MINUTE),
            "UTC",
            "2026-03-31T08:50:30.400",
            "2026-03-31T10:20:30.400",
        ),
        # There is no 31st of February: its last day stands in.
        (
            LastWindow(1, TimeUnit.MONTH),
            "UTC",
            "2026-02-28T10:20:30.400",
            "2026-03-31T10:20:30.400",
        ),
        # The same wall clock time, though the offset was another.
        (
            LastWindow(1, TimeUnit.MONTH),
            "Europe/Berlin",
            "2026-02-28T12:20:30.400",
            "2026-03-31T12:20:30.400",
        ),
        (LastWindow(2, TimeUnit.YEAR), "UTC", "2024-03-31T10:20:30.400", "2026-03-31T10:20:30.400"),
        (CalendarPeriod.TODAY, "Asia/Ho_Chi_Minh", "2026-03-31T00:00", "2026-04-01T00:00"),
        (CalendarPeriod.YESTERDAY, "UTC", "2026-03-30T00:00", "2026-03-31T00:00"),
        (CalendarPeriod.THIS_WEEK, "UTC", "2026-03-30T00:00", "2026-04-06T00:00"),
        (CalendarPeriod.LAST_WEEK, "Europe/Berlin", "2026-03-23T00:00", "2026-03-30T00:00"),
        (CalendarPeriod.THIS_MONTH, "UTC", "2026-03-01T00:00", "2026-04-01T00:00"),
        (CalendarPeriod.LAST_MONTH, "UTC", "2026-02-01T00:00", "2026-03-01T00:00"),
        (CalendarPeriod.THIS_QUARTER, "UTC", "2026-01-01T00:00", "2026-04-01T00:00"),
        (CalendarPeriod.LAST_QUARTER, "UTC", "2025-10-01T00:00", "2026-01-01T00:00"),
        (CalendarPeriod.THIS_YEAR, "UTC", "2026-01-01T00:00", "2027-01-01T00:00"),
        (CalendarPeriod.LAST_YEAR, "UTC", "2025-01-01T00:00", "2026-01-01T00:00"),
    ],
)
def test_a_window_is_what_the_zone_says(
    choice: WindowChoice, zone: str, start: str, end: str
) -> None:
    window = resolve(choice, NOW_MS, Calendar(ZoneInfo(zone)), 3660)
    width = len(start)
    assert [text[:width] for text in shown(window)] == [start, end]


@pytest.mark.parametrize(
    ("choice", "zone", "start", "end"),
    [
        (WholeUnits(12, TimeUnit.MONTH), "UTC", "2025-03-01T00:00", "2026-03-01T00:00"),
        (WholeUnits(30, TimeUnit.DAY), "UTC", "2026-03-01T00:00", "2026-03-31T00:00"),
        # The clock went forward on the 29th: 30 days all the same.
        (WholeUnits(30, TimeUnit.DAY), "Europe/Berlin", "2026-03-01T00:00", "2026-03-31T00:00"),
        (WholeUnits(1, TimeUnit.WEEK), "UTC", "2026-03-23T00:00", "2026-03-30T00:00"),
        (WholeUnits(4, TimeUnit.QUARTER), "UTC", "2025-01-01T00:00", "2026-01-01T00:00"),
        (WholeUnits(2, TimeUnit.YEAR), "UTC", "2024-01-01T00:00", "2026-01-01T00:00"),
        (WholeUnits(5, TimeUnit.MINUTE), "UTC", "2026-03-31T10:15", "2026-03-31T10:20"),
        # Hours of the wall clock, which is a quarter of an hour off UTC's.
        (WholeUnits(3, TimeUnit.HOUR), "Asia/Kathmandu", "2026-03-31T13:00", "2026-03-31T16:00"),
        (WholeUnits(1, TimeUnit.MONTH, True), "UTC", "2026-03-01T00:00", "2026-04-01T00:00"),
        (WholeUnits(3, TimeUnit.MONTH, True), "UTC", "2026-01-01T00:00", "2026-04-01T00:00"),
        (WholeUnits(2, TimeUnit.DAY, True), "Asia/Tokyo", "2026-03-30T00:00", "2026-04-01T00:00"),
        (LastWindow(1, TimeUnit.QUARTER), "UTC", "2025-12-31T10:20", "2026-03-31T10:20"),
    ],
)
def test_whole_units_are_the_calendars(
    choice: WindowChoice, zone: str, start: str, end: str
) -> None:
    window = resolve(choice, NOW_MS, Calendar(ZoneInfo(zone)), 3660)
    assert [text[:16] for text in shown(window)] == [start, end]


@pytest.mark.parametrize(
    ("choice", "week_start", "month", "start", "end"),
    [
        # NOW_MS is a Tuesday.
        (CalendarPeriod.THIS_WEEK, "SUNDAY", 1, "2026-03-29", "2026-04-05"),
        (CalendarPeriod.THIS_WEEK, "SATURDAY", 1, "2026-03-28", "2026-04-04"),
        (CalendarPeriod.LAST_WEEK, "SUNDAY", 1, "2026-03-22", "2026-03-29"),
        (WholeUnits(2, TimeUnit.WEEK), "SUNDAY", 1, "2026-03-15", "2026-03-29"),
        (CalendarPeriod.THIS_YEAR, "MONDAY", 4, "2025-04-01", "2026-04-01"),
        (CalendarPeriod.LAST_YEAR, "MONDAY", 3, "2025-03-01", "2026-03-01"),
        (CalendarPeriod.THIS_YEAR, "MONDAY", 3, "2026-03-01", "2027-03-01"),
        (CalendarPeriod.THIS_QUARTER, "MONDAY", 2, "2026-02-01", "2026-05-01"),
        (CalendarPeriod.LAST_QUARTER, "MONDAY", 12, "2025-12-01", "2026-03-01"),
        (WholeUnits(2, TimeUnit.QUARTER), "MONDAY", 3, "2025-09-01", "2026-03-01"),
        (CalendarPeriod.THIS_MONTH, "SUNDAY", 7, "2026-03-01", "2026-04-01"),
    ],
)
def test_weeks_and_years_begin_as_the_caller_says(
    choice: WindowChoice, week_start: str, month: int, start: str, end: str
) -> None:
    calendar = Calendar(ZoneInfo("UTC"), WeekStart(week_start), month)
    window = resolve(choice, NOW_MS, calendar, 3660)
    assert [text[:10] for text in shown(window)] == [start, end]


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now_ms=st.integers(1_100 * DAY_MS, 4_000_000_000_000),
    unit=st.sampled_from(TimeUnit),
    count=st.integers(1, 8),
    week_start=st.sampled_from(WeekStart),
    month=st.integers(1, 12),
)
def test_whole_units_make_points_that_are_all_whole(
    zone: str, now_ms: int, unit: TimeUnit, count: int, week_start: WeekStart, month: int
) -> None:
    calendar = Calendar(ZoneInfo(zone), week_start, month)
    count = min(count, 2) if unit is TimeUnit.YEAR else count
    full = resolve(WholeUnits(count, unit), now_ms, calendar, 3660)
    cut = buckets(full, Granularity(unit.value), now_ms, 500)
    assert not any(each.partial for each in cut)
    assert full.interval.end_ms <= now_ms
    # A zone may have left out a date, or changed its clock by a part of an hour.
    assert abs(len(cut) - count) <= 1
    running = resolve(WholeUnits(1, unit, True), now_ms, calendar, 3660)
    assert full.interval.end_ms == running.interval.start_ms <= now_ms < running.interval.end_ms
    both = resolve(WholeUnits(count + 1, unit, True), now_ms, calendar, 3660)
    assert both.interval == Interval(full.interval.start_ms, running.interval.end_ms)


def test_a_calendar_day_is_as_long_as_the_clock_makes_it() -> None:
    spring = resolve(CalendarPeriod.YESTERDAY, ms("2026-03-30T10:00+00:00"), BERLIN, 3660).interval
    autumn = resolve(CalendarPeriod.TODAY, ms("2026-10-25T10:00+00:00"), BERLIN, 3660).interval
    assert spring.end_ms - spring.start_ms == 23 * HOUR_MS
    assert autumn.end_ms - autumn.start_ms == 25 * HOUR_MS


def test_between_takes_the_milliseconds_inside() -> None:
    start = datetime(2026, 1, 1, 0, 0, 0, 500, tzinfo=UTC)
    end = datetime(2026, 1, 1, 0, 0, 0, 1_001, tzinfo=UTC)
    interval = resolve(BetweenWindow(start, end), NOW_MS, UTC_ZONE, 3660).interval
    assert interval == Interval(
        ms("2026-01-01T00:00:00.001+00:00"), ms("2026-01-01T00:00:00.002+00:00")
    )


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (LastWindow(0, TimeUnit.DAY), "window.last.count: must be 1 or more"),
        (LastWindow(-5, TimeUnit.YEAR), "window.last.count: must be 1 or more"),
        (
            LastWindow(3661, TimeUnit.DAY),
            "window.last.count: is too large; a window may be up to 3660 days long",
        ),
        (
            LastWindow(2**31 - 1, TimeUnit.YEAR),
            "window.last.count: is too large; a window may be up to 3660 days long",
        ),
        (WholeUnits(0, TimeUnit.DAY), "window.lastFull.count: must be 1 or more"),
        (
            WholeUnits(3661, TimeUnit.DAY, True),
            "window.lastWithRunning.count: is too large; a window may be up to 3660 days long",
        ),
        (
            BetweenWindow(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
            "window.between: end must be later than start",
        ),
        (
            BetweenWindow(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
            "window.between: end must be later than start",
        ),
        (
            BetweenWindow(datetime(2000, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
            "window: is too long; a window may be up to 3660 days long",
        ),
        (
            BetweenWindow(datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)),
            "window: must lie between the years 1970 and 9000",
        ),
        (
            BetweenWindow(datetime(9999, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
            "window: must lie between the years 1970 and 9000",
        ),
    ],
)
def test_a_window_outside_the_limits_names_them(choice: WindowChoice, message: str) -> None:
    with pytest.raises(BadUserInputError) as caught:
        resolve(choice, NOW_MS, SAIGON, 3660)
    assert str(caught.value) == message


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now_ms=st.integers(70 * DAY_MS, 4_000_000_000_000),
    periods=st.sampled_from(
        [
            (CalendarPeriod.TODAY, CalendarPeriod.YESTERDAY),
            (CalendarPeriod.THIS_WEEK, CalendarPeriod.LAST_WEEK),
            (CalendarPeriod.THIS_MONTH, CalendarPeriod.LAST_MONTH),
        ]
    ),
)
def test_a_period_holds_now_and_the_last_one_ends_where_it_begins(
    zone: str, now_ms: int, periods: tuple[CalendarPeriod, CalendarPeriod]
) -> None:
    this, last = (resolve(period, now_ms, Calendar(ZoneInfo(zone)), 3660) for period in periods)
    assert this.interval.start_ms <= now_ms < this.interval.end_ms
    assert last.interval.start_ms < last.interval.end_ms == this.interval.start_ms
    assert earlier(periods[0], this, Comparison.PREVIOUS_PERIOD, now_ms) == last


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now_ms=st.integers(1_200 * DAY_MS, 4_000_000_000_000),
    period=st.one_of(
        st.sampled_from(CalendarPeriod),
        st.builds(WholeUnits, st.integers(1, 2), st.sampled_from(TimeUnit), st.booleans()),
    ),
)
def test_a_period_turns_into_another_one_at_its_turn_and_no_earlier(
    zone: str, now_ms: int, period: CalendarPeriod | WholeUnits
) -> None:
    meant = resolve(period, now_ms, Calendar(ZoneInfo(zone)), 3660)
    turns_ms = turn_ms(period, now_ms, Calendar(ZoneInfo(zone)))
    assert now_ms < turns_ms
    assert resolve(period, turns_ms - 1, Calendar(ZoneInfo(zone)), 3660) == meant
    assert resolve(period, turns_ms, Calendar(ZoneInfo(zone)), 3660) != meant
