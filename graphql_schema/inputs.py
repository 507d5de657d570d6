"""The inputs: a window is said in exactly one of three ways."""

from __future__ import annotations

from datetime import datetime

import strawberry

from graphql_schema.enums import CalendarPeriod, TimeUnit


@strawberry.input(description="A window that ends now.")
class DurationInput:
    """How many units back from now."""

    count: int = strawberry.field(
        description="How many units: 1 or more, up to `limits.maxWindowDays` in days."
    )
    unit: TimeUnit = strawberry.field(
        description="The unit; weeks and shorter are exact, months and years go by the calendar."
    )


@strawberry.input(description="Half-open: start is included, end is not.")
class IntervalInput:
    """From one instant to another."""

    start: datetime = strawberry.field(description="The first instant that counts.")
    end: datetime = strawberry.field(description="The first instant that does not count any more.")


@strawberry.input(
    one_of=True,
    description="A timeframe, said in exactly one of three ways: 1 ms to `limits.maxWindowDays` days long, "
    "between the years 1970 and 9000.",
)
class WindowInput:
    """Exactly one of three kinds of window."""

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
