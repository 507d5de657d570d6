"""A time zone's calendar: where its periods begin, and the same wall clock time in another one; pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.analytics.model import Calendar, Granularity, Interval, WeekStart

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CLOCK_STEP_MS = {
    Granularity.MINUTE: MINUTE_MS,
    Granularity.FIVE_MINUTES: 5 * MINUTE_MS,
    Granularity.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Granularity.HOUR: HOUR_MS,
}
"""The sizes that go by the clock; the others go by dates."""
MONTHS = {Granularity.MONTH: 1, Granularity.QUARTER: 3, Granularity.YEAR: 12}
DAYS = {Granularity.DAY: 1, Granularity.WEEK: 7}
STEADY_MS = 4 * DAY_MS
"""Within so much time no clock was set to another offset and back since 1970: the least was 167 hours
(Brazil, October 2000)."""
_LONGEST = {
    Granularity.DAY: timedelta(days=1),
    Granularity.WEEK: timedelta(days=7),
    Granularity.MONTH: timedelta(days=31),
    Granularity.QUARTER: timedelta(days=92),
    Granularity.YEAR: timedelta(days=366),
}
_WEEKDAY = {WeekStart.MONDAY: 0, WeekStart.SATURDAY: 5, WeekStart.SUNDAY: 6}


def instant(epoch_ms: int, zone: ZoneInfo) -> datetime:
    """An epoch millisecond on the zone's clock."""
    return (EPOCH + timedelta(milliseconds=epoch_ms)).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    """The first whole epoch millisecond not before an instant."""
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    return -(-microseconds // 1000)


def floor(at_ms: int, granularity: Granularity, calendar: Calendar) -> int:
    """Where the period that an instant is in begins."""
    zone = calendar.zone
    local = instant(at_ms, zone)
    if granularity not in CLOCK_STEP_MS:
        start_ms = _midnight_ms(_period_start(local.date(), granularity, calendar), zone)
        # A clock set back over midnight shows the day before again, of which midnight is past.
        after_ms = next_edge(start_ms, granularity, calendar)
        return after_ms if after_ms <= at_ms else start_ms
    floor_ms = at_ms - _wall_ms(local) % CLOCK_STEP_MS[granularity]
    return _change_ms(floor_ms, at_ms, zone) or floor_ms


def next_edge(start_ms: int, granularity: Granularity, calendar: Calendar) -> int:
    """Where the period that begins at an instant ends."""
    zone = calendar.zone
    local = instant(start_ms, zone)
    if granularity not in CLOCK_STEP_MS:
        start = _period_start(local.date(), granularity, calendar)
        after = _period_start(start + _LONGEST[granularity], granularity, calendar)
        return _midnight_ms(after, zone)
    step_ms = CLOCK_STEP_MS[granularity]
    end_ms = start_ms + step_ms - _wall_ms(local) % step_ms
    return _change_ms(start_ms, end_ms, zone) or end_ms


def next_edges(
    start_ms: int, until_ms: int, granularity: Granularity, calendar: Calendar
) -> Sequence[int]:
    """The ends of the period that begins at an instant and of some after it, up to the first one not before `until_ms`.

    As long as the clock is not changed minutes, hours and days are evenly apart.
    """
    step_ms = DAY_MS if granularity is Granularity.DAY else CLOCK_STEP_MS.get(granularity, 0)
    if step_ms:
        first = instant(start_ms, calendar.zone)
        steady_ms = min(STEADY_MS, until_ms - start_ms + step_ms - 1)
        while steady_ms >= 2 * step_ms and _wall_ms(first) % step_ms == 0:
            last_ms = start_ms + steady_ms // step_ms * step_ms
            if instant(last_ms, calendar.zone).utcoffset() == first.utcoffset():
                return range(start_ms + step_ms, last_ms + 1, step_ms)
            steady_ms //= 4
    return (next_edge(start_ms, granularity, calendar),)


def period_before(end_ms: int, granularity: Granularity, calendar: Calendar) -> Interval:
    """The period that ends where another one begins."""
    # Back by a millisecond, not by a date: a zone that crossed the date line has no such date.
    return Interval(floor(end_ms - 1, granularity, calendar), end_ms)


def edge_before(edge_ms: int, count: int, granularity: Granularity, calendar: Calendar) -> int:
    """Where the period begins that is so many periods before one that begins at an edge.

    Minutes and hours are so many times 60 seconds or minutes, from an edge on: where a clock was
    changed by a part of an hour in between, the part belongs to them. Days go by dates; of one that
    a zone left out there is nothing, so the least is the period that ends at the edge.
    """
    if granularity in CLOCK_STEP_MS:
        return floor(edge_ms - count * CLOCK_STEP_MS[granularity], granularity, calendar)
    start = on_the_wall(edge_ms, calendar.zone)
    if granularity in DAYS:
        shifted_ms = shift_days(start, -count * DAYS[granularity])
        return min(shifted_ms, period_before(edge_ms, granularity, calendar).start_ms)
    return shift_months(start, -count * MONTHS[granularity])


def on_the_wall(at_ms: int, zone: ZoneInfo) -> datetime:
    """An instant on the zone's clock; where a day begins, its midnight, though it may be left out."""
    local = instant(at_ms, zone)
    if at_ms != _midnight_ms(local.date(), zone):
        return local
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def shift_days(local: datetime, days: int) -> int:
    """The same wall clock time some dates away."""
    day = local.date() + timedelta(days=days)
    shifted = local.replace(year=day.year, month=day.month, day=day.day, fold=0)
    return epoch_ms(shifted.astimezone(UTC))


def shift_months(local: datetime, months: int) -> int:
    """The same wall clock time some months away, the day clamped to that month's length."""
    year, month, last_day = _month_away(local, months)
    shifted = local.replace(year=year, month=month, day=min(local.day, last_day), fold=0)
    return epoch_ms(shifted.astimezone(UTC))


def shift_months_to_end(local: datetime, months: int) -> int:
    """The same wall clock time some months away; for a day that month does not have, the month's end."""
    year, month, last_day = _month_away(local, months)
    if local.day <= last_day:
        return shift_months(local, months)
    return _midnight_ms(date(year, month, last_day) + timedelta(days=1), _zone(local))


def _month_away(local: datetime, months: int) -> tuple[int, int, int]:
    """Year, month and length of a month some months away."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    return year, month + 1, monthrange(year, month + 1)[1]


def _zone(local: datetime) -> ZoneInfo:
    zone = local.tzinfo
    if not isinstance(zone, ZoneInfo):
        raise TypeError("a wall clock time is of a zone")
    return zone


def _period_start(day: date, granularity: Granularity, calendar: Calendar) -> date:
    if granularity is Granularity.WEEK:
        return day - timedelta(days=(day.weekday() - _WEEKDAY[calendar.week_start]) % 7)
    if granularity not in MONTHS:
        return day
    into = (day.month - calendar.year_start_month) % MONTHS[granularity]
    year, month = divmod(day.year * 12 + day.month - 1 - into, 12)
    return date(year, month + 1, 1)


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    # fold=0 reads a skipped midnight as the instant of the jump, a repeated one as its first.
    return epoch_ms(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))


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
