"""The inputs: a window, said in exactly one way, and the calendar that it is read in."""

from __future__ import annotations

from datetime import datetime

import strawberry

from graphql_schema.enums import CalendarPeriod, TimeUnit, WeekStart


@strawberry.input(description="A number of units of time.")
class DurationInput:
    """How many of which units."""

    count: int = strawberry.field(
        description="How many units: 1 or more, up to `limits.maxWindowDays` in days."
    )
    unit: TimeUnit = strawberry.field(
        description="The unit. In `last`, weeks and shorter are exact, months and longer go by the calendar."
    )


@strawberry.input(description="Half-open: start is included, end is not.")
class IntervalInput:
    """From one instant to another."""

    start: datetime = strawberry.field(description="The first instant that counts.")
    end: datetime = strawberry.field(description="The first instant that does not count any more.")


@strawberry.input(
    one_of=True,
    description="A timeframe, said in exactly one of five ways: 1 ms to `limits.maxWindowDays` days long, "
    "between the years 1970 and 9000.",
)
class WindowInput:
    """Exactly one kind of window."""

    last: DurationInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="The time up to now: `{last: {count: 30, unit: DAY}}`. All fields of one "
        "operation share one now.",
    )
    calendar: CalendarPeriod | None = strawberry.field(
        default=strawberry.UNSET,
        description="A period of the time zone's calendar: `{calendar: LAST_MONTH}`.",
    )
    between: IntervalInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Between two instants, both with an offset: "
        '`{between: {start: "2026-11-01T00:00:00+07:00", end: "2026-12-01T00:00:00+07:00"}}`.',
    )
    last_full: DurationInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whole units of the time zone's calendar, up to where the running one begins: "
        "`{lastFull: {count: 12, unit: MONTH}}` is 12 bars that are all whole. Minutes and hours are those of the "
        "wall clock.",
    )
    last_with_running: DurationInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="As `lastFull`, but the last of the units is the running one, up to its end: "
        "`{lastWithRunning: {count: 1, unit: MONTH}}` is `{calendar: THIS_MONTH}`.",
    )


@strawberry.input(description="How weeks and years are cut, where that is not as in ISO 8601.")
class CalendarInput:
    """First day of weeks, first month of years."""

    week_start: WeekStart = strawberry.field(
        default=WeekStart.MONDAY, description="The day that weeks begin on."
    )
    year_start_month: int = strawberry.field(
        default=1,
        description="The month that years begin with, and quarters count from: 1 to 12. 4 is a fiscal year from "
        "the 1st of April.",
    )
