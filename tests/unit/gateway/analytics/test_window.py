"""Windows and buckets, in zones and over the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import (
    CLOCK_STEP_MS,
    DAY_MS,
    HOUR_MS,
    epoch_ms,
    floor,
    instant,
    next_edge,
    next_edges,
)
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
    Window,
    WindowChoice,
)
from gateway.analytics.window import buckets, edges, resolve, turn_ms
from gateway.errors import BadUserInputError

UTC_ZONE = Calendar(ZoneInfo("UTC"))
BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
SAIGON = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text))


def shown(window: Window) -> tuple[str, str]:
    interval = window.interval
    return tuple(  # type: ignore[return-value]
        instant(edge, window.zone).isoformat() for edge in (interval.start_ms, interval.end_ms)
    )


NOW_MS = ms("2026-03-31T10:20:30.400+00:00")


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


QUICK = {
    "America/Noronha": "2000-10-08T02:00+00:00",  # forth and back in 167 hours
    "Asia/Gaza": "2040-10-20T00:00+00:00",
    "Africa/Casablanca": "2026-02-15T02:00+00:00",
    "Australia/Lord_Howe": "2026-04-05T00:00+00:00",
    "Pacific/Apia": "2011-12-30T10:00+00:00",  # a day is left out
    "America/Asuncion": "2019-10-06T04:00+00:00",  # midnight is left out
    "Asia/Kathmandu": "1985-12-31T18:30+00:00",  # from :30 to :45
    "Africa/Monrovia": "1972-01-07T00:44+00:00",  # from an offset with seconds
}


@given(
    zone=st.sampled_from(sorted(QUICK)),
    before_ms=st.integers(0, 20 * DAY_MS),
    length_ms=st.integers(1, 60 * DAY_MS),
    granularity=st.sampled_from([Granularity.DAY, *CLOCK_STEP_MS]),
)
def test_edges_that_are_found_many_at_once_are_those_found_one_by_one(
    zone: str, before_ms: int, length_ms: int, granularity: Granularity
) -> None:
    calendar, most = Calendar(ZoneInfo(zone)), 700
    start_ms = ms(QUICK[zone]) - before_ms
    window = Window(Interval(start_ms, start_ms + length_ms), calendar)
    found = [floor(start_ms, granularity, calendar)]
    while found[-1] < window.interval.end_ms and len(found) <= most + 1:
        found.append(next_edge(found[-1], granularity, calendar))
    if len(found) > most + 1:
        with pytest.raises(BadUserInputError, match="granularity: gives more than 700 points"):
            edges(window, granularity, most)
    else:
        assert edges(window, granularity, most) == tuple(found)


@pytest.mark.parametrize("granularity", [Granularity.MINUTE, Granularity.HOUR, Granularity.DAY])
def test_where_the_clock_stands_edges_are_found_many_at_once(granularity: Granularity) -> None:
    """Each look at a zone's clock takes a microsecond, of which a window of 10,000 hours has not so many."""
    start_ms = ms("2026-06-01T00:00+02:00")
    step_ms = CLOCK_STEP_MS.get(granularity, DAY_MS)
    found = next_edges(start_ms, start_ms + 300 * DAY_MS, granularity, BERLIN)
    assert list(found) == list(range(start_ms + step_ms, start_ms + 4 * DAY_MS + 1, step_ms))


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


@pytest.mark.parametrize(
    ("choice", "comparison", "start", "end"),
    [
        (CalendarPeriod.THIS_MONTH, "PREVIOUS_PERIOD", "2026-02-01T00:00", "2026-03-01T00:00"),
        (CalendarPeriod.LAST_MONTH, "PREVIOUS_PERIOD", "2026-01-01T00:00", "2026-02-01T00:00"),
        (CalendarPeriod.TODAY, "PREVIOUS_PERIOD", "2026-03-30T00:00", "2026-03-31T00:00"),
        (CalendarPeriod.THIS_QUARTER, "PREVIOUS_PERIOD", "2025-10-01T00:00", "2026-01-01T00:00"),
        (CalendarPeriod.THIS_YEAR, "PREVIOUS_YEAR", "2025-01-01T00:00", "2026-01-01T00:00"),
        (LastWindow(7, TimeUnit.DAY), "PREVIOUS_PERIOD", "2026-03-17T10:20", "2026-03-24T10:20"),
        (LastWindow(7, TimeUnit.DAY), "PREVIOUS_YEAR", "2025-03-24T10:20", "2025-03-31T10:20"),
    ],
)
def test_the_earlier_window(choice: WindowChoice, comparison: str, start: str, end: str) -> None:
    asked = resolve(choice, NOW_MS, UTC_ZONE, 3660)
    before = earlier(choice, asked, Comparison(comparison), NOW_MS)
    assert [text[:16] for text in shown(before)] == [start, end]


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2024-02-28T00:00", "2024-02-29T00:00", ["2023-02-28T00:00", "2023-03-01T00:00"]),
        ("2024-02-29T00:00", "2024-03-01T00:00", ["2023-02-28T00:00", "2023-03-01T00:00"]),
        ("2024-02-29T10:00", "2024-02-29T12:00", ["2023-02-28T10:00", "2023-02-28T12:00"]),
        ("2024-02-01T00:00", "2024-03-01T00:00", ["2023-02-01T00:00", "2023-03-01T00:00"]),
        ("2023-01-01T00:00", "2024-01-01T00:00", ["2022-01-01T00:00", "2023-01-01T00:00"]),
    ],
)
def test_a_year_before_a_leap_day_nothing_is_lost(start: str, end: str, before: list[str]) -> None:
    between = BetweenWindow(*(datetime.fromisoformat(f"{each}+00:00") for each in (start, end)))
    asked = resolve(between, NOW_MS, UTC_ZONE, 3660)
    found = shown(earlier(between, asked, Comparison.PREVIOUS_YEAR, NOW_MS))
    assert [text[:16] for text in found] == before


def test_hours_of_a_clock_that_changes_by_half_an_hour() -> None:
    lord_howe = Calendar(ZoneInfo("Australia/Lord_Howe"))
    found = points("2026-04-05T01:10+11:00", "2026-04-05T03:10+10:30", Granularity.HOUR, lord_howe)
    assert found == [
        "2026-04-05T01:10+11:00",
        "2026-04-05T01:30+10:30",
        "2026-04-05T02:00+10:30",
        "2026-04-05T03:00+10:30",
    ]
    # A window that begins in the half hour after the change begins a bucket at the change.
    (bucket,) = buckets(
        Window(Interval(ms("2026-04-05T01:40+10:30"), ms("2026-04-05T01:50+10:30")), lord_howe),
        Granularity.HOUR,
        NOW_MS,
        9,
    )
    assert bucket.partial
    assert points(
        "2026-04-05T01:40+10:30", "2026-04-05T02:10+10:30", Granularity.HOUR, lord_howe
    ) == ["2026-04-05T01:40+10:30", "2026-04-05T02:00+10:30"]


def points(start: str, end: str, granularity: Granularity, calendar: Calendar) -> list[str]:
    window = Window(Interval(ms(start), ms(end)), calendar)
    cut = buckets(window, granularity, NOW_MS, 1500)
    assert cut[0].start_ms == window.interval.start_ms
    assert cut[-1].end_ms == window.interval.end_ms
    return [instant(bucket.start_ms, calendar.zone).isoformat(timespec="minutes") for bucket in cut]


def test_days_have_23_and_25_hours_where_the_clock_changes() -> None:
    window = Window(Interval(ms("2026-03-28T00:00+01:00"), ms("2026-03-31T00:00+02:00")), BERLIN)
    cut = buckets(window, Granularity.DAY, NOW_MS, 10)
    assert [(each.end_ms - each.start_ms) // HOUR_MS for each in cut] == [24, 23, 24]
    assert not any(each.partial for each in cut)


def test_hours_are_the_wall_clocks() -> None:
    found = points("2026-10-25T00:30+02:00", "2026-10-25T04:00+01:00", Granularity.HOUR, BERLIN)
    assert found == [
        "2026-10-25T00:30+02:00",
        "2026-10-25T01:00+02:00",
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T03:00+01:00",
    ]
    kathmandu = Calendar(ZoneInfo("Asia/Kathmandu"))
    assert points(
        "2026-01-01T00:00+00:00", "2026-01-01T02:00+00:00", Granularity.HOUR, kathmandu
    ) == ["2026-01-01T05:45+05:45", "2026-01-01T06:00+05:45", "2026-01-01T07:00+05:45"]


def test_clipped_and_running_buckets_are_partial() -> None:
    window = Window(Interval(NOW_MS - 2 * DAY_MS, NOW_MS + DAY_MS), UTC_ZONE)
    cut = buckets(window, Granularity.DAY, NOW_MS, 10)
    assert [each.partial for each in cut] == [True, False, True, True]


def test_too_many_points_are_refused_before_they_are_made() -> None:
    window = Window(Interval(NOW_MS - 3000 * DAY_MS, NOW_MS), UTC_ZONE)
    with pytest.raises(BadUserInputError, match="granularity: gives more than 1500 points"):
        buckets(window, Granularity.MINUTE, NOW_MS, 1500)


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    start_ms=st.integers(0, 4_000_000_000_000),
    length_ms=st.integers(1, 400 * DAY_MS),
    granularity=st.sampled_from(Granularity),
)
def test_buckets_cover_the_window_once_in_every_zone(
    zone: str, start_ms: int, length_ms: int, granularity: Granularity
) -> None:
    window = Window(Interval(start_ms, start_ms + length_ms), Calendar(ZoneInfo(zone)))
    try:
        cut = buckets(window, granularity, NOW_MS, 500)
    except BadUserInputError:
        return
    assert cut[0].start_ms == window.interval.start_ms
    assert cut[-1].end_ms == window.interval.end_ms
    for left, right in pairwise(cut):
        assert left.start_ms < left.end_ms == right.start_ms


def test_the_day_that_a_zone_skipped_is_in_no_answer() -> None:
    # Samoa went from the 29th to the 31st of December 2011, over the date line.
    apia, now_ms = Calendar(ZoneInfo("Pacific/Apia")), ms("2011-12-31T12:00+14:00")
    yesterday = resolve(CalendarPeriod.YESTERDAY, now_ms, apia, 3660)
    assert shown(yesterday) == ("2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00")
    today = resolve(CalendarPeriod.TODAY, now_ms, apia, 3660)
    assert earlier(CalendarPeriod.TODAY, today, Comparison.PREVIOUS_PERIOD, now_ms) == yesterday
    found = points("2011-12-29T00:00-10:00", "2012-01-02T00:00+14:00", Granularity.DAY, apia)
    assert found == [
        "2011-12-29T00:00-10:00",
        "2011-12-31T00:00+14:00",
        "2012-01-01T00:00+14:00",
    ]


def test_a_day_whose_midnight_is_skipped_begins_with_the_jump() -> None:
    sao_paulo = Calendar(ZoneInfo("America/Sao_Paulo"))
    today = resolve(CalendarPeriod.TODAY, ms("2018-11-04T12:00-02:00"), sao_paulo, 3660)
    assert shown(today) == ("2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00")
    assert points(
        "2018-11-03T22:00-03:00", "2018-11-04T02:00-02:00", Granularity.HOUR, sao_paulo
    ) == ["2018-11-03T22:00-03:00", "2018-11-03T23:00-03:00", "2018-11-04T01:00-02:00"]


def test_a_clock_that_goes_back_over_midnight_does_not_go_back_to_yesterday() -> None:
    # Newfoundland's clocks went from 00:01 back to 23:01 of the day before.
    st_johns, again = Calendar(ZoneInfo("America/St_Johns")), "2010-11-06T23:30-03:30"
    today = resolve(CalendarPeriod.TODAY, ms(again), st_johns, 3660)
    assert shown(today) == ("2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30")
    assert points(again, "2010-11-08T01:00-03:30", Granularity.DAY, st_johns) == [
        "2010-11-06T23:30-03:30",
        "2010-11-08T00:00-03:30",
    ]


def test_a_bucket_ends_where_the_clock_changes_within_it() -> None:
    chatham = Calendar(ZoneInfo("Pacific/Chatham"))
    assert points(
        "2026-09-27T02:00+12:45", "2026-09-27T05:00+13:45", Granularity.HOUR, chatham
    ) == ["2026-09-27T02:00+12:45", "2026-09-27T03:45+13:45", "2026-09-27T04:00+13:45"]
    assert points(
        "2026-04-05T03:00+13:45", "2026-04-05T04:00+12:45", Granularity.FIFTEEN_MINUTES, chatham
    ) == [
        *("2026-04-05T03:00+13:45", "2026-04-05T03:15+13:45", "2026-04-05T03:30+13:45"),
        *("2026-04-05T02:45+12:45", "2026-04-05T03:00+12:45", "2026-04-05T03:15+12:45"),
        *("2026-04-05T03:30+12:45", "2026-04-05T03:45+12:45"),
    ]


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


def test_buckets_that_end_after_what_is_known_are_partial() -> None:
    window = Window(Interval(10 * DAY_MS, 13 * DAY_MS), UTC_ZONE)
    for known_ms, expected in [
        (13 * DAY_MS, [False, False, False]),
        (13 * DAY_MS - 1, [False, False, True]),
        (11 * DAY_MS, [False, True, True]),
        (9 * DAY_MS, [True, True, True]),
    ]:
        cut = buckets(window, Granularity.DAY, known_ms, 10)
        assert [each.partial for each in cut] == expected


@pytest.mark.parametrize(
    ("zone", "start", "end", "before"),
    [
        # The hour that comes twice, now.
        (
            "Europe/Berlin",
            "2024-10-27T02:40+02:00",
            "2024-10-27T02:10+01:00",
            ["2023-10-27T01:40+02:00", "2023-10-27T02:10+02:00"],
        ),
        (
            "America/New_York",
            "2026-11-01T01:30-04:00",
            "2026-11-01T01:30-05:00",
            ["2025-11-01T00:30-04:00", "2025-11-01T01:30-04:00"],
        ),
        # The hour that was left out a year ago.
        (
            "Europe/Berlin",
            "2025-03-30T23:50+02:00",
            "2025-03-31T02:30+02:00",
            ["2024-03-30T23:50+01:00", "2024-03-31T03:30+02:00"],
        ),
        (
            "Europe/Berlin",
            "2025-03-31T02:30+02:00",
            "2025-03-31T03:10+02:00",
            ["2024-03-31T01:30+01:00", "2024-03-31T03:10+02:00"],
        ),
        # Days of the calendar are days of the calendar, of whatever length.
        (
            "Europe/Berlin",
            "2026-03-29T00:00+01:00",
            "2026-03-30T00:00+02:00",
            ["2025-03-29T00:00+01:00", "2025-03-30T00:00+01:00"],
        ),
        (
            "Europe/Berlin",
            "2025-10-26T00:00+02:00",
            "2025-10-27T00:00+01:00",
            ["2024-10-26T00:00+02:00", "2024-10-27T00:00+02:00"],
        ),
        (
            "America/Sao_Paulo",  # where that day had no midnight
            "2018-11-04T01:00-02:00",
            "2018-11-05T00:00-02:00",
            ["2017-11-04T00:00-02:00", "2017-11-05T00:00-02:00"],
        ),
        (
            "America/Sao_Paulo",
            "2019-11-04T00:00-03:00",
            "2019-11-05T00:00-03:00",
            ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"],
        ),
        # The day that Samoa left out.
        (
            "Pacific/Apia",
            "2012-12-30T00:00+14:00",
            "2012-12-31T00:00+14:00",
            ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"],
        ),
        # Around a leap day.
        (
            "UTC",
            "2024-02-28T23:30+00:00",
            "2024-02-29T00:30+00:00",
            ["2023-02-28T23:30+00:00", "2023-03-01T00:30+00:00"],
        ),
    ],
)
def test_a_year_before_is_never_inverted(
    zone: str, start: str, end: str, before: list[str]
) -> None:
    between = BetweenWindow(datetime.fromisoformat(start), datetime.fromisoformat(end))
    asked = resolve(between, NOW_MS, Calendar(ZoneInfo(zone)), 3660)
    found = shown(earlier(between, asked, Comparison.PREVIOUS_YEAR, NOW_MS))
    assert [datetime.fromisoformat(each) for each in found] == [
        datetime.fromisoformat(each) for each in before
    ]


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    end_ms=st.integers(400 * DAY_MS, 2_000_000_000_000),
    length_ms=st.one_of(st.integers(1, 3 * HOUR_MS), st.integers(1, 399 * DAY_MS)),
    comparison=st.sampled_from(Comparison),
)
def test_an_earlier_window_has_a_length_and_begins_before(
    zone: str, end_ms: int, length_ms: int, comparison: Comparison
) -> None:
    asked = Window(Interval(end_ms - length_ms, end_ms), Calendar(ZoneInfo(zone)))
    moments = [instant(each, asked.zone) for each in (end_ms - length_ms, end_ms)]
    before = earlier(BetweenWindow(*moments), asked, comparison, end_ms).interval
    assert before.start_ms < before.end_ms
    assert before.start_ms < asked.interval.start_ms
    assert before.end_ms < asked.interval.end_ms
    start, end = (each.replace(tzinfo=None) for each in moments)
    if end - start < timedelta(hours=22):
        assert before.end_ms - before.start_ms == length_ms


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now_ms=st.integers(800 * DAY_MS, 2_000_000_000_000),
    period=st.sampled_from(CalendarPeriod),
    comparison=st.sampled_from(Comparison),
)
def test_what_comes_before_a_period_has_a_length_too(
    zone: str, now_ms: int, period: CalendarPeriod, comparison: Comparison
) -> None:
    asked = resolve(period, now_ms, Calendar(ZoneInfo(zone)), 3660)
    before = earlier(period, asked, comparison, now_ms).interval
    assert before.start_ms < before.end_ms or now_ms == asked.interval.start_ms
    assert before.start_ms < asked.interval.start_ms


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
