"""Buckets of a window: they cover it once, and which of them are partial."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics.calendars import CLOCK_STEP_MS, DAY_MS, floor, next_edge, next_edges
from gateway.analytics.model import Calendar, Granularity, Interval, Window
from gateway.analytics.window import buckets, edges
from gateway.errors import BadUserInputError
from tests.unit.gateway.analytics.wall_clock import BERLIN, NOW_MS, UTC_ZONE, ms

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
