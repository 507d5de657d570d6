"""What a running window is compared with to date: as much of the earlier one, by its zone's calendar."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import DAY_MS, HOUR_MS, epoch_ms, instant
from gateway.analytics.earlier import earlier
from gateway.analytics.model import (
    BetweenWindow,
    Calendar,
    CalendarPeriod,
    Comparison,
    LastWindow,
    TimeUnit,
    WeekStart,
    WholeUnits,
    WindowChoice,
)
from gateway.analytics.window import resolve

PERIOD, YEAR = Comparison.PREVIOUS_PERIOD_TO_DATE, Comparison.PREVIOUS_YEAR_TO_DATE
WHOLE = {PERIOD: Comparison.PREVIOUS_PERIOD, YEAR: Comparison.PREVIOUS_YEAR}
P = CalendarPeriod


def compared(
    choice: WindowChoice, comparison: Comparison, now: str, calendar: Calendar
) -> list[str]:
    now_ms = epoch_ms(datetime.fromisoformat(now))
    asked = resolve(choice, now_ms, calendar, 3660)
    before = earlier(choice, asked, comparison, now_ms).interval
    return [
        instant(each, calendar.zone).isoformat(timespec="minutes")
        for each in (before.start_ms, before.end_ms)
    ]


@pytest.mark.parametrize(
    ("choice", "comparison", "now", "start", "end"),
    [
        (P.TODAY, PERIOD, "2026-11-22T08:26Z", "2026-11-21T00:00", "2026-11-21T08:26"),
        (P.THIS_WEEK, PERIOD, "2026-11-22T08:26Z", "2026-11-09T00:00", "2026-11-15T08:26"),
        (P.THIS_MONTH, PERIOD, "2026-11-22T08:26Z", "2026-10-01T00:00", "2026-10-22T08:26"),
        (P.THIS_QUARTER, PERIOD, "2026-11-22T08:26Z", "2026-07-01T00:00", "2026-08-22T08:26"),
        (P.THIS_YEAR, PERIOD, "2026-11-22T08:26Z", "2025-01-01T00:00", "2025-11-22T08:26"),
        # Days that the earlier month does not have stand for all of it, and the day after them too.
        (P.THIS_MONTH, PERIOD, "2026-03-28T23:59Z", "2026-02-01T00:00", "2026-02-28T23:59"),
        (P.THIS_MONTH, PERIOD, "2026-03-29T00:01Z", "2026-02-01T00:00", "2026-03-01T00:00"),
        (P.THIS_MONTH, PERIOD, "2026-03-31T10:20Z", "2026-02-01T00:00", "2026-03-01T00:00"),
        (P.THIS_MONTH, PERIOD, "2024-03-29T10:20Z", "2024-02-01T00:00", "2024-02-29T10:20"),
        (P.THIS_MONTH, PERIOD, "2026-12-31T10:20Z", "2026-11-01T00:00", "2026-12-01T00:00"),
        (P.THIS_QUARTER, PERIOD, "2026-05-31T10:20Z", "2026-01-01T00:00", "2026-03-01T00:00"),
        (P.THIS_YEAR, PERIOD, "2024-02-29T10:20Z", "2023-01-01T00:00", "2023-03-01T00:00"),
        # A year ago.
        (P.THIS_MONTH, YEAR, "2026-11-22T08:26Z", "2025-11-01T00:00", "2025-11-22T08:26"),
        (P.THIS_MONTH, YEAR, "2024-02-29T10:20Z", "2023-02-01T00:00", "2023-03-01T00:00"),
        (P.TODAY, YEAR, "2026-11-22T08:26Z", "2025-11-22T00:00", "2025-11-22T08:26"),
        (P.TODAY, YEAR, "2024-02-29T10:20Z", "2023-02-28T00:00", "2023-02-28T10:20"),
        # What is over is compared whole.
        (P.LAST_MONTH, PERIOD, "2026-03-31T10:20Z", "2026-01-01T00:00", "2026-02-01T00:00"),
        (P.YESTERDAY, YEAR, "2026-11-22T08:26Z", "2025-11-21T00:00", "2025-11-22T00:00"),
        (
            LastWindow(7, TimeUnit.DAY),
            *(PERIOD, "2026-03-31T10:20Z", "2026-03-17T10:20", "2026-03-24T10:20"),
        ),
        (
            WholeUnits(2, TimeUnit.MONTH),
            *(PERIOD, "2026-03-31T10:20Z", "2025-11-01T00:00", "2026-01-01T00:00"),
        ),
        # The running unit among several.
        (
            WholeUnits(3, TimeUnit.MONTH, with_running=True),
            *(PERIOD, "2026-03-15T10:20Z", "2025-10-01T00:00", "2025-12-15T10:20"),
        ),
        (
            WholeUnits(2, TimeUnit.DAY, with_running=True),
            *(PERIOD, "2026-03-15T10:20Z", "2026-03-12T00:00", "2026-03-13T10:20"),
        ),
        (
            WholeUnits(2, TimeUnit.HOUR, with_running=True),
            *(PERIOD, "2026-03-15T10:20Z", "2026-03-15T07:00", "2026-03-15T08:20"),
        ),
        (
            WholeUnits(1, TimeUnit.HOUR, with_running=True),
            *(YEAR, "2026-03-15T10:20Z", "2025-03-15T10:00", "2025-03-15T10:20"),
        ),
    ],
)
def test_to_date_is_the_same_time_of_the_same_day(
    choice: WindowChoice, comparison: Comparison, now: str, start: str, end: str
) -> None:
    found = compared(choice, comparison, now, Calendar(ZoneInfo("UTC")))
    assert found == [f"{start}+00:00", f"{end}+00:00"]
    assert compared(choice, WHOLE[comparison], now, Calendar(ZoneInfo("UTC")))[0] == found[0]


@pytest.mark.parametrize(
    ("choice", "comparison", "zone", "now", "before"),
    [
        # The clock went forward in the night of the 29th: the same wall clock time, not as many hours.
        (
            *(P.TODAY, PERIOD, "Europe/Berlin", "2026-03-29T10:00+02:00"),
            ["2026-03-28T00:00+01:00", "2026-03-28T10:00+01:00"],
        ),
        (
            *(P.TODAY, PERIOD, "Europe/Berlin", "2026-03-30T10:00+02:00"),
            ["2026-03-29T00:00+01:00", "2026-03-29T10:00+02:00"],
        ),
        # 02:30 was left out the day before: it is as much later.
        (
            *(P.TODAY, PERIOD, "Europe/Berlin", "2026-03-30T02:30+02:00"),
            ["2026-03-29T00:00+01:00", "2026-03-29T03:30+02:00"],
        ),
        # 02:30 came twice the day before: it is the first one.
        (
            *(P.TODAY, PERIOD, "Europe/Berlin", "2026-10-26T02:30+01:00"),
            ["2026-10-25T00:00+02:00", "2026-10-25T02:30+02:00"],
        ),
        (
            *(P.THIS_MONTH, PERIOD, "Europe/Berlin", "2026-11-10T12:00+01:00"),
            ["2026-10-01T00:00+02:00", "2026-10-10T12:00+02:00"],
        ),
        # A day without a midnight, now and then.
        (
            *(P.TODAY, PERIOD, "America/Sao_Paulo", "2018-11-05T06:00-02:00"),
            ["2018-11-04T01:00-02:00", "2018-11-04T06:00-02:00"],
        ),
        (
            *(P.TODAY, PERIOD, "America/Sao_Paulo", "2018-11-05T00:30-02:00"),
            ["2018-11-04T01:00-02:00", "2018-11-04T01:30-02:00"],
        ),
        # The day before Samoa's 31st was the 29th: all of it, as the 30th never was.
        (
            *(P.TODAY, PERIOD, "Pacific/Apia", "2011-12-31T12:00+14:00"),
            ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"],
        ),
    ],
)
def test_to_date_goes_by_the_wall_clock(
    choice: WindowChoice, comparison: Comparison, zone: str, now: str, before: list[str]
) -> None:
    assert compared(choice, comparison, now, Calendar(ZoneInfo(zone))) == before


def test_to_date_goes_by_the_caller_s_weeks_and_years() -> None:
    calendar = Calendar(ZoneInfo("UTC"), WeekStart.SUNDAY, 4)
    now = "2026-11-24T08:26Z"  # a Tuesday
    assert compared(P.THIS_WEEK, PERIOD, now, calendar) == [
        "2026-11-15T00:00+00:00",
        "2026-11-17T08:26+00:00",
    ]
    assert compared(P.THIS_YEAR, PERIOD, now, calendar) == [
        "2025-04-01T00:00+00:00",
        "2025-11-24T08:26+00:00",
    ]


def test_of_a_window_between_instants_as_much_counts_as_has_passed() -> None:
    utc = Calendar(ZoneInfo("UTC"))
    days = BetweenWindow(
        *map(datetime.fromisoformat, ("2026-11-20T00:00+00:00", "2026-11-27T00:00+00:00"))
    )
    assert compared(days, PERIOD, "2026-11-22T08:26Z", utc) == [
        "2026-11-13T00:00+00:00",
        "2026-11-15T08:26+00:00",
    ]
    # Of one that is yet to begin nothing has passed.
    assert compared(days, PERIOD, "2026-11-01T00:00Z", utc) == ["2026-11-13T00:00+00:00"] * 2
    assert compared(days, YEAR, "2026-11-22T08:26Z", utc) == [
        "2025-11-20T00:00+00:00",
        "2025-11-22T08:26+00:00",
    ]


CHOICES = st.one_of(
    st.sampled_from(CalendarPeriod),
    st.builds(WholeUnits, st.integers(1, 3), st.sampled_from(TimeUnit), with_running=st.booleans()),
)


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    now_ms=st.integers(4000 * DAY_MS, 3_000_000_000_000),
    choice=CHOICES,
    comparison=st.sampled_from([PERIOD, YEAR]),
    week_start=st.sampled_from(WeekStart),
    month=st.integers(1, 12),
)
def test_to_date_begins_with_the_whole_and_is_no_longer(
    zone: str,
    now_ms: int,
    choice: WindowChoice,
    comparison: Comparison,
    week_start: WeekStart,
    month: int,
) -> None:
    calendar = Calendar(ZoneInfo(zone), week_start, month)
    asked = resolve(choice, now_ms, calendar, 3660)
    whole = earlier(choice, asked, WHOLE[comparison], now_ms).interval
    part = earlier(choice, asked, comparison, now_ms).interval
    assert whole.start_ms == part.start_ms <= part.end_ms <= whole.end_ms
    if asked.interval.end_ms <= now_ms:
        assert part == whole


@given(
    zone=st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York"]),
    start_ms=st.integers(4000 * DAY_MS, 3_000_000_000_000),
    period=st.sampled_from([P.THIS_MONTH, P.THIS_QUARTER, P.THIS_YEAR]),
    comparison=st.sampled_from([PERIOD, YEAR]),
)
def test_from_day_to_day_to_date_never_goes_back(
    zone: str, start_ms: int, period: CalendarPeriod, comparison: Comparison
) -> None:
    """Whatever day it is, a day later as much or more of the earlier window has passed."""
    calendar = Calendar(ZoneInfo(zone))
    asked = resolve(period, start_ms, calendar, 3660)
    times = range(asked.interval.start_ms, asked.interval.end_ms, 20 * HOUR_MS)
    ends = [earlier(period, asked, comparison, now_ms).interval.end_ms for now_ms in times]
    assert all(left <= right for left, right in pairwise(ends))


def test_a_day_to_date_ends_at_the_same_time_of_the_clock_though_it_was_set_back() -> None:
    berlin = Calendar(ZoneInfo("Europe/Berlin"))
    assert compared(P.TODAY, YEAR, "2024-10-27T10:00+01:00", berlin) == [
        "2023-10-27T00:00+02:00",
        "2023-10-27T10:00+02:00",
    ]
