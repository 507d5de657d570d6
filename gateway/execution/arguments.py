"""From GraphQL's arguments to the model: windows, calendars, what to compare with, and whose figures."""

from __future__ import annotations

from gateway.analytics import model as m
from gateway.analytics.limits import check_zone
from gateway.errors import BadUserInputError
from graphql_schema import inputs
from graphql_schema.questions import When, Whose, With
from graphql_schema.scalars import TimeZone


def whose_of(given: Whose) -> m.Whose:
    """Whose transactions; their ids were checked where they were given."""
    ids = given.account_ids
    return m.Whose(None if ids is None else frozenset(ids), given.outside)


def when_of(given: When) -> tuple[m.WindowChoice, m.Calendar]:
    """The caller's window, and the calendar to read it in."""
    return choice_of(given.window), calendar_of(given.time_zone, given.calendar)


def choice_of(given: inputs.WindowInput) -> m.WindowChoice:
    """The caller's window; GraphQL has checked that it is said in one way."""
    if given.last:
        return m.LastWindow(given.last.count, m.TimeUnit(given.last.unit.value))
    if given.calendar:
        return m.CalendarPeriod(given.calendar.value)
    if given.between:
        return m.BetweenWindow(given.between.start, given.between.end)
    if given.last_full:
        return m.WholeUnits(given.last_full.count, m.TimeUnit(given.last_full.unit.value))
    if given.last_with_running:
        unit = m.TimeUnit(given.last_with_running.unit.value)
        return m.WholeUnits(given.last_with_running.count, unit, with_running=True)
    raise BadUserInputError("window", "give exactly one of its fields")


def calendar_of(time_zone: TimeZone, given: inputs.CalendarInput | None) -> m.Calendar:
    """The calendar that windows and buckets are read in."""
    zone = check_zone(time_zone)
    if given is None:
        return m.Calendar(zone)
    if not 1 <= given.year_start_month <= 12:
        raise BadUserInputError(
            "calendar.yearStartMonth", f"must be 1 to 12, not {given.year_start_month}"
        )
    return m.Calendar(zone, m.WeekStart(given.week_start.value), given.year_start_month)


def compared_of(given: With) -> m.Compared | None:
    """What to compare with, if anything."""
    to, window = given.compare_to, given.compare_window
    if to is not None and window is not None:
        raise BadUserInputError("compareWindow", "give either compareTo or compareWindow, not both")
    if window is not None:
        return choice_of(window)
    return None if to is None else m.Comparison(to.value)
