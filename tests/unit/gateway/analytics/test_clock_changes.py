"""Windows and buckets over the days on which clocks change, in zones that do it oddly."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.analytics.calendars import HOUR_MS
from gateway.analytics.earlier import earlier
from gateway.analytics.model import (
    Calendar,
    CalendarPeriod,
    Comparison,
    Granularity,
    Interval,
    TimeUnit,
    WholeUnits,
    Window,
)
from gateway.analytics.window import buckets, resolve
from tests.unit.gateway.analytics.wall_clock import BERLIN, NOW_MS, ms, points, shown


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


@pytest.mark.parametrize(
    ("zone", "day_after", "day_before"),
    [
        ("Pacific/Apia", "2011-12-31T00:00:00+14:00", "2011-12-29T00:00:00-10:00"),
        ("Pacific/Enderbury", "1995-01-01T00:00:00+13:00", "1994-12-30T00:00:00-11:00"),
        ("Pacific/Kiritimati", "1995-01-01T00:00:00+14:00", "1994-12-30T00:00:00-10:00"),
        ("Pacific/Kwajalein", "1993-08-22T00:00:00+12:00", "1993-08-20T00:00:00-12:00"),
    ],
)
def test_the_whole_day_before_one_that_follows_a_skipped_day_is_the_one_before_that(
    zone: str, day_after: str, day_before: str
) -> None:
    calendar, now_ms = Calendar(ZoneInfo(zone)), ms(day_after) + HOUR_MS
    last = resolve(WholeUnits(1, TimeUnit.DAY, with_running=False), now_ms, calendar, 9)
    assert shown(last) == (day_before, day_after)
    assert last == resolve(CalendarPeriod.YESTERDAY, now_ms, calendar, 9)
    choice = WholeUnits(1, TimeUnit.DAY, with_running=True)
    today = resolve(choice, now_ms, calendar, 9)
    assert earlier(choice, today, Comparison.PREVIOUS_PERIOD, now_ms) == last


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
