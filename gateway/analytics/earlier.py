"""The window that another one is compared with: the one before, the same a year ago, or as much of it; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.analytics import calendars
from gateway.analytics.calendars import on_the_wall
from gateway.analytics.model import (
    Calendar,
    CalendarPeriod,
    Comparison,
    Interval,
    WholeUnits,
    Window,
    WindowChoice,
)
from gateway.analytics.window import granularity_of

_TO_DATE = {
    Comparison.PREVIOUS_PERIOD_TO_DATE: Comparison.PREVIOUS_PERIOD,
    Comparison.PREVIOUS_YEAR_TO_DATE: Comparison.PREVIOUS_YEAR,
}


def earlier(choice: WindowChoice, window: Window, comparison: Comparison, now_ms: int) -> Window:
    """The window to compare with: the one before of equal length, or the same a year ago.

    Before a calendar period comes the previous period of that calendar, before so many whole units
    as many. To date, a window that ends after `now_ms` is compared with as much of the earlier one.
    """
    whole = _whole(choice, window, _TO_DATE.get(comparison, comparison))
    if comparison in _TO_DATE and now_ms < window.interval.end_ms:
        then_ms = _same_time(choice, window, comparison, whole, now_ms)
        end_ms = min(max(then_ms, whole.start_ms), whole.end_ms)
        whole = Interval(whole.start_ms, end_ms)
    return Window(whole, window.calendar)


def _whole(choice: WindowChoice, window: Window, comparison: Comparison) -> Interval:
    interval, calendar = window.interval, window.calendar
    if comparison is Comparison.PREVIOUS_YEAR:
        return _year_before(interval, calendar)
    if isinstance(choice, CalendarPeriod):
        return calendars.period_before(interval.start_ms, granularity_of(choice), calendar)
    start_ms = interval.start_ms - (interval.end_ms - interval.start_ms)
    if isinstance(choice, WholeUnits):
        granularity = granularity_of(choice)
        start_ms = calendars.edge_before(interval.start_ms, choice.count, granularity, calendar)
    return Interval(start_ms, interval.start_ms)


def _same_time(
    choice: WindowChoice, window: Window, comparison: Comparison, whole: Interval, now_ms: int
) -> int:
    """The instant that is as far into the whole earlier window as now is into this one.

    That is the same wall clock time on the same day of the earlier week, month or year. A day that
    the earlier month does not have stands for all of that month. What goes by the clock and not by
    dates, or is no day long, is as long as what has passed.
    """
    interval, zone = window.interval, window.calendar.zone
    elapsed_ms = whole.start_ms + now_ms - interval.start_ms
    start, now = on_the_wall(interval.start_ms, zone), on_the_wall(now_ms, zone)
    if comparison is Comparison.PREVIOUS_YEAR_TO_DATE:
        if _wall_length(interval, window.calendar) < timedelta(days=1):
            return elapsed_ms
        return _months_before(start, now, 12)
    if not isinstance(choice, CalendarPeriod | WholeUnits):
        return elapsed_ms
    granularity = granularity_of(choice)
    count = choice.count if isinstance(choice, WholeUnits) else 1
    if granularity in calendars.CLOCK_STEP_MS:
        return elapsed_ms
    if granularity in calendars.DAYS:
        return calendars.shift_days(now, -count * calendars.DAYS[granularity])
    return _months_before(start, now, count * calendars.MONTHS[granularity])


def _months_before(start: datetime, now: datetime, months: int) -> int:
    # On the first day of a window its start has been clamped to a day that is there, and so has this.
    is_first_day = start.date() == now.date()
    shift = calendars.shift_months if is_first_day else calendars.shift_months_to_end
    return shift(now, -months)


def _wall_length(interval: Interval, calendar: Calendar) -> timedelta:
    start, end = (
        on_the_wall(each, calendar.zone).replace(tzinfo=None)
        for each in (interval.start_ms, interval.end_ms)
    )
    return end - start


def _year_before(interval: Interval, calendar: Calendar) -> Interval:
    """The same wall clock times a year before; a 29th of February that ends a window is the 1st of
    March then, so that the day before it is not lost.

    Less than a day of the wall clock ends at the same time and is as long as it was: where the clock
    is changed, then or now, two of its times may be an hour closer, or in the other order.
    """
    start = on_the_wall(interval.start_ms, calendar.zone)
    end = on_the_wall(interval.end_ms, calendar.zone)
    is_leap_end = (end.month, end.day) == (2, 29) and start.date() != end.date()
    end_ms = calendars.shift_months(end.replace(month=3, day=1) if is_leap_end else end, -12)
    start_ms = calendars.shift_months(start, -12)
    is_short = _wall_length(interval, calendar) < timedelta(days=1)
    if is_short or start_ms >= end_ms:  # of a day that a zone left out
        start_ms = end_ms - (interval.end_ms - interval.start_ms)
    return Interval(start_ms, end_ms)
