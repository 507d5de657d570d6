"""Windows: the interval that a caller's choice means, and its buckets, in any calendar; pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from gateway.analytics import calendars
from gateway.analytics.calendars import DAY_MS, EPOCH, HOUR_MS, MINUTE_MS, epoch_ms, instant
from gateway.analytics.model import (
    BetweenWindow,
    Bucket,
    Calendar,
    CalendarPeriod,
    Granularity,
    Interval,
    LastWindow,
    TimeUnit,
    WholeUnits,
    Window,
    WindowChoice,
)
from gateway.errors import BadUserInputError

EARLIEST_MS = 0
LATEST_MS = (datetime(9000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)

_EXACT_UNIT_MS = {
    TimeUnit.MINUTE: MINUTE_MS,
    TimeUnit.HOUR: HOUR_MS,
    TimeUnit.DAY: DAY_MS,
    TimeUnit.WEEK: 7 * DAY_MS,
}
_CALENDAR_UNIT_MONTHS = {TimeUnit.MONTH: 1, TimeUnit.QUARTER: 3, TimeUnit.YEAR: 12}
_SHORTEST_UNIT_MS = _EXACT_UNIT_MS | {
    TimeUnit.MONTH: 28 * DAY_MS,
    TimeUnit.QUARTER: 89 * DAY_MS,
    TimeUnit.YEAR: 365 * DAY_MS,
}
_PERIOD_GRANULARITY = {
    "DAY": Granularity.DAY,
    "WEEK": Granularity.WEEK,
    "MONTH": Granularity.MONTH,
    "QUARTER": Granularity.QUARTER,
    "YEAR": Granularity.YEAR,
}


def resolve(choice: WindowChoice, now_ms: int, calendar: Calendar, max_days: int) -> Window:
    """The interval a caller's window means at `now_ms`; raises `BadUserInputError` outside limits."""
    match choice:
        case LastWindow():
            interval = _last(choice, now_ms, calendar, max_days)
        case WholeUnits():
            interval = _whole_units(choice, now_ms, calendar, max_days)
        case BetweenWindow(start, end):
            interval = Interval(epoch_ms(start), epoch_ms(end))
        case _:
            interval = _period(choice, now_ms, calendar)
    if interval.start_ms < EARLIEST_MS or interval.end_ms > LATEST_MS:
        raise BadUserInputError("window", "must lie between the years 1970 and 9000")
    if interval.end_ms <= interval.start_ms:
        raise BadUserInputError("window.between", "end must be later than start")
    if interval.end_ms - interval.start_ms > max_days * DAY_MS:
        raise BadUserInputError("window", f"is too long; {_limit(max_days)}")
    return Window(interval, calendar)


def is_final(interval: Interval, as_of_ms: int, after_days: int) -> bool:
    """Whether all that happened in it has come, where nothing comes so many days late; 0: never."""
    return after_days > 0 and interval.end_ms + after_days * DAY_MS <= as_of_ms


def turn_ms(choice: CalendarPeriod | WholeUnits, now_ms: int, calendar: Calendar) -> int:
    """When a choice means another interval than at `now_ms`: YESTERDAY at the next midnight."""
    granularity = granularity_of(choice)
    return calendars.next_edge(
        calendars.floor(now_ms, granularity, calendar), granularity, calendar
    )


def granularity_of(choice: CalendarPeriod | WholeUnits) -> Granularity:
    """The size of the periods that a choice is made of."""
    if isinstance(choice, WholeUnits):
        return Granularity(choice.unit.value)
    return _PERIOD_GRANULARITY.get(choice.name.partition("_")[2], Granularity.DAY)


def buckets(
    window: Window, granularity: Granularity, known_ms: int, max_points: int
) -> tuple[Bucket, ...]:
    """The window cut at its edges; partial is what it clips, and what ends after `known_ms`."""
    found = edges(window, granularity, max_points)
    return _cut(window.interval, found, bisect_right(found, known_ms))


@lru_cache(maxsize=32)
def edges(window: Window, granularity: Granularity, max_points: int) -> tuple[int, ...]:
    """Where its calendar cuts a window: from its start or before to its end or behind.

    Raises `BadUserInputError` if that gives more than `max_points` buckets.
    """
    interval, calendar = window.interval, window.calendar
    found = [calendars.floor(interval.start_ms, granularity, calendar)]
    while found[-1] < interval.end_ms:
        found.extend(calendars.next_edges(found[-1], interval.end_ms, granularity, calendar))
        if len(found) > max_points + 1:
            raise BadUserInputError(
                "granularity",
                f"gives more than {max_points} points for this window; "
                "take a coarser granularity or a shorter window",
            )
    return tuple(found)


@lru_cache(maxsize=32)
def _cut(interval: Interval, edges: tuple[int, ...], past: int) -> tuple[Bucket, ...]:
    """The buckets between the edges, of which the first `past` are known."""
    return tuple(
        Bucket(
            max(start_ms, interval.start_ms),
            min(end_ms, interval.end_ms),
            partial=start_ms < interval.start_ms or end_ms > interval.end_ms or number >= past,
        )
        for number, (start_ms, end_ms) in enumerate(pairwise(edges), start=1)
    )


def _limit(max_days: int) -> str:
    return f"a window may be up to {max_days} days long"


def _check_count(choice: LastWindow | WholeUnits, max_days: int, name: str) -> None:
    if choice.count < 1:
        raise BadUserInputError(f"window.{name}.count", "must be 1 or more")
    if choice.count * _SHORTEST_UNIT_MS[choice.unit] > max_days * DAY_MS:
        raise BadUserInputError(f"window.{name}.count", f"is too large; {_limit(max_days)}")


def _last(choice: LastWindow, now_ms: int, calendar: Calendar, max_days: int) -> Interval:
    _check_count(choice, max_days, "last")
    if choice.unit in _EXACT_UNIT_MS:
        return Interval(now_ms - choice.count * _EXACT_UNIT_MS[choice.unit], now_ms)
    months = choice.count * _CALENDAR_UNIT_MONTHS[choice.unit]
    return Interval(calendars.shift_months(instant(now_ms, calendar.zone), -months), now_ms)


def _whole_units(choice: WholeUnits, now_ms: int, calendar: Calendar, max_days: int) -> Interval:
    _check_count(choice, max_days, "lastWithRunning" if choice.with_running else "lastFull")
    granularity = granularity_of(choice)
    running_ms = calendars.floor(now_ms, granularity, calendar)
    if not choice.with_running:
        start_ms = calendars.edge_before(running_ms, choice.count, granularity, calendar)
        return Interval(start_ms, running_ms)
    end_ms = calendars.next_edge(running_ms, granularity, calendar)
    if choice.count == 1:
        return Interval(running_ms, end_ms)
    start_ms = calendars.edge_before(running_ms, choice.count - 1, granularity, calendar)
    return Interval(start_ms, end_ms)


def _period(period: CalendarPeriod, now_ms: int, calendar: Calendar) -> Interval:
    granularity = granularity_of(period)
    start_ms = calendars.floor(now_ms, granularity, calendar)
    if period.name.startswith(("LAST_", "YESTERDAY")):
        return calendars.period_before(start_ms, granularity, calendar)
    return Interval(start_ms, calendars.next_edge(start_ms, granularity, calendar))
