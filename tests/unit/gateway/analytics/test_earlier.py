"""What a window is compared with: the period before, or the same dates a year ago, whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import DAY_MS, HOUR_MS, instant
from gateway.analytics.earlier import earlier
from gateway.analytics.model import (
    BetweenWindow,
    Calendar,
    CalendarPeriod,
    Comparison,
    Interval,
    LastWindow,
    TimeUnit,
    Window,
    WindowChoice,
)
from gateway.analytics.window import resolve
from tests.unit.gateway.analytics.wall_clock import NOW_MS, UTC_ZONE, shown


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
        # Hours around it, one more than the clock shows.
        (
            "Europe/Berlin",
            "2024-10-27T01:00+02:00",
            "2024-10-27T04:00+01:00",
            ["2023-10-27T00:00+02:00", "2023-10-27T04:00+02:00"],
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
