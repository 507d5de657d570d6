"""The calendar: windows, buckets and earlier windows, in any time zone; pure."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.errors import BadUserInputError
from gateway.model import (
    BetweenWindow,
    Bucket,
    CalendarPeriod,
    Comparison,
    Granularity,
    Interval,
    LastWindow,
    TimeUnit,
    Window,
    WindowChoice,
)

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS = 0
LATEST_MS = (datetime(9000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)

_EXACT_UNIT_MS = {
    TimeUnit.MINUTE: MINUTE_MS,
    TimeUnit.HOUR: HOUR_MS,
    TimeUnit.DAY: DAY_MS,
    TimeUnit.WEEK: 7 * DAY_MS,
}
_CALENDAR_UNIT_MONTHS = {TimeUnit.MONTH: 1, TimeUnit.YEAR: 12}
_SHORTEST_UNIT_MS = _EXACT_UNIT_MS | {TimeUnit.MONTH: 28 * DAY_MS, TimeUnit.YEAR: 365 * DAY_MS}
_CLOCK_STEP_MS = {
    Granularity.MINUTE: MINUTE_MS,
    Granularity.FIVE_MINUTES: 5 * MINUTE_MS,
    Granularity.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Granularity.HOUR: HOUR_MS,
}
_LONGEST = {
    Granularity.DAY: timedelta(days=1),
    Granularity.WEEK: timedelta(days=7),
    Granularity.MONTH: timedelta(days=31),
    Granularity.QUARTER: timedelta(days=92),
    Granularity.YEAR: timedelta(days=366),
}
_PERIOD_GRANULARITY = {
    "DAY": Granularity.DAY,
    "WEEK": Granularity.WEEK,
    "MONTH": Granularity.MONTH,
    "QUARTER": Granularity.QUARTER,
    "YEAR": Granularity.YEAR,
}


def instant(epoch_ms: int, zone: ZoneInfo) -> datetime:
    """An epoch millisecond on the zone's clock."""
    return (EPOCH + timedelta(milliseconds=epoch_ms)).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    """The first whole epoch millisecond not before an instant."""
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    return -(-microseconds // 1000)


def resolve(choice: WindowChoice, now_ms: int, zone: ZoneInfo, max_days: int) -> Window:
    """The interval a caller's window means at `now_ms`; raises `BadUserInputError` outside limits."""
    match choice:
        case LastWindow():
            interval = _last(choice, now_ms, zone, max_days)
        case BetweenWindow(start, end):
            interval = Interval(epoch_ms(start), epoch_ms(end))
        case _:
            interval = _period(choice, now_ms, zone)
    if interval.start_ms < EARLIEST_MS or interval.end_ms > LATEST_MS:
        raise BadUserInputError("window", "must lie between the years 1970 and 9000")
    if interval.end_ms <= interval.start_ms:
        raise BadUserInputError("window.between", "end must be later than start")
    if interval.end_ms - interval.start_ms > max_days * DAY_MS:
        raise BadUserInputError("window", f"is too long; {_limit(max_days)}")
    return Window(interval, zone)


def earlier(choice: WindowChoice, window: Window, comparison: Comparison) -> Window:
    """The window to compare with: the one before of equal length, or the same a year ago.

    Before a calendar period comes the previous period of that calendar.
    """
    interval, zone = window.interval, window.zone
    if comparison is Comparison.PREVIOUS_YEAR:
        return Window(_year_before(interval, zone), zone)
    if isinstance(choice, CalendarPeriod):
        return Window(_period_before(interval.start_ms, _granularity(choice), zone), zone)
    length_ms = interval.end_ms - interval.start_ms
    return Window(Interval(interval.start_ms - length_ms, interval.start_ms), zone)


def buckets(
    window: Window, granularity: Granularity, now_ms: int, max_points: int
) -> tuple[Bucket, ...]:
    """The window cut where the zone's calendar says; raises `BadUserInputError` over `max_points`."""
    edges = _edges(window, granularity, max_points)
    return _cut(window.interval, edges, bisect_right(edges, now_ms))


@lru_cache(maxsize=32)
def _edges(window: Window, granularity: Granularity, max_points: int) -> tuple[int, ...]:
    """The calendar's edges from the window's start or before to its end or behind."""
    interval, zone = window.interval, window.zone
    edges = [_floor(interval.start_ms, granularity, zone)]
    while edges[-1] < interval.end_ms:
        if len(edges) > max_points:
            raise BadUserInputError(
                "granularity",
                f"gives more than {max_points} points for this window; "
                "take a coarser granularity or a shorter window",
            )
        edges.append(_next_edge(edges[-1], granularity, zone))
    return tuple(edges)


@lru_cache(maxsize=32)
def _cut(interval: Interval, edges: tuple[int, ...], past: int) -> tuple[Bucket, ...]:
    """The buckets between the edges, of which the first `past` are not in the future."""
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


def _last(choice: LastWindow, now_ms: int, zone: ZoneInfo, max_days: int) -> Interval:
    if choice.count < 1:
        raise BadUserInputError("window.last.count", "must be 1 or more")
    if choice.count * _SHORTEST_UNIT_MS[choice.unit] > max_days * DAY_MS:
        raise BadUserInputError("window.last.count", f"is too large; {_limit(max_days)}")
    if choice.unit in _EXACT_UNIT_MS:
        return Interval(now_ms - choice.count * _EXACT_UNIT_MS[choice.unit], now_ms)
    months = choice.count * _CALENDAR_UNIT_MONTHS[choice.unit]
    return Interval(_shift_months(instant(now_ms, zone), -months), now_ms)


def _period(period: CalendarPeriod, now_ms: int, zone: ZoneInfo) -> Interval:
    granularity = _granularity(period)
    start_ms = _floor(now_ms, granularity, zone)
    if period.name.startswith(("LAST_", "YESTERDAY")):
        return _period_before(start_ms, granularity, zone)
    return Interval(start_ms, _next_edge(start_ms, granularity, zone))


def _period_before(end_ms: int, granularity: Granularity, zone: ZoneInfo) -> Interval:
    # Back by a millisecond, not by a date: a zone that crossed the date line has no such date.
    return Interval(_floor(end_ms - 1, granularity, zone), end_ms)


def _granularity(period: CalendarPeriod) -> Granularity:
    return _PERIOD_GRANULARITY.get(period.name.partition("_")[2], Granularity.DAY)


def _period_start(day: date, granularity: Granularity) -> date:
    match granularity:
        case Granularity.WEEK:
            return day - timedelta(days=day.weekday())
        case Granularity.MONTH:
            return day.replace(day=1)
        case Granularity.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Granularity.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


def _period_after(start: date, granularity: Granularity) -> date:
    return _period_start(start + _LONGEST[granularity], granularity)


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    # fold=0 reads a skipped midnight as the instant of the jump, a repeated one as its first.
    return epoch_ms(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))


def _year_before(interval: Interval, zone: ZoneInfo) -> Interval:
    """The same wall clock times a year before; a 29th of February that ends a window is the 1st of
    March then, so that the day before it is not lost.
    """
    start, end = instant(interval.start_ms, zone), instant(interval.end_ms, zone)
    is_leap_end = (end.month, end.day) == (2, 29) and start.date() != end.date()
    shifted_end = end.replace(month=3, day=1) if is_leap_end else end
    return Interval(_shift_months(start, -12), _shift_months(shifted_end, -12))


def _shift_months(local: datetime, months: int) -> int:
    """The same wall clock time some months away, the day clamped to that month's length."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    shifted = local.replace(year=year, month=month + 1, day=min(local.day, last_day), fold=0)
    return epoch_ms(shifted.astimezone(UTC))


def _floor(at_ms: int, granularity: Granularity, zone: ZoneInfo) -> int:
    local = instant(at_ms, zone)
    if granularity not in _CLOCK_STEP_MS:
        start_ms = _midnight_ms(_period_start(local.date(), granularity), zone)
        # A clock set back over midnight shows the day before again, of which midnight is past.
        after_ms = _next_edge(start_ms, granularity, zone)
        return after_ms if after_ms <= at_ms else start_ms
    floor_ms = at_ms - _wall_ms(local) % _CLOCK_STEP_MS[granularity]
    return _change_ms(floor_ms, at_ms, zone) or floor_ms


def _next_edge(start_ms: int, granularity: Granularity, zone: ZoneInfo) -> int:
    local = instant(start_ms, zone)
    if granularity not in _CLOCK_STEP_MS:
        start = _period_start(local.date(), granularity)
        return _midnight_ms(_period_after(start, granularity), zone)
    step_ms = _CLOCK_STEP_MS[granularity]
    end_ms = start_ms + step_ms - _wall_ms(local) % step_ms
    return _change_ms(start_ms, end_ms, zone) or end_ms


def _wall_ms(local: datetime) -> int:
    """Milliseconds of the wall clock since its midnight."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (local.replace(tzinfo=None) - midnight) // timedelta(milliseconds=1)


def _change_ms(low_ms: int, high_ms: int, zone: ZoneInfo) -> int | None:
    """The first millisecond after `low_ms` with the offset of `high_ms`; `None` if both have it."""
    later = instant(high_ms, zone).utcoffset()
    if instant(low_ms, zone).utcoffset() == later:
        return None
    while high_ms - low_ms > 1:
        middle_ms = (low_ms + high_ms) // 2
        if instant(middle_ms, zone).utcoffset() == later:
            high_ms = middle_ms
        else:
            low_ms = middle_ms
    return high_ms
