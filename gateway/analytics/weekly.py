"""Measures by weekday and hour of the day: when in the week things happen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from gateway.analytics import slots, window
from gateway.analytics.answers import Evidence, Measures
from gateway.analytics.calendars import instant
from gateway.analytics.model import (
    Calendar,
    Direction,
    Granularity,
    WeekStart,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import SlotRow, SlotsPlan
from gateway.analytics.questions import Analytics, evidence_of
from gateway.errors import BadUserInputError

MAX_HOURS = 10_000
"""About thirteen months."""
_FIRST = {WeekStart.MONDAY: 0, WeekStart.SATURDAY: 5, WeekStart.SUNDAY: 6}


@dataclass(frozen=True, slots=True)
class WeeklyQuestion:
    """Whose measures, when, on which side, and with whom alone."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """The measures of one hour of one weekday (0: Monday), over all weeks of the window."""

    weekday: int
    hour: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class WeeklyPattern:
    """The 168 hours of a week, from the calendar's first day on."""

    window: Window
    evidence: Evidence
    hours: tuple[HourOfWeek, ...]


async def weekly_pattern(analytics: Analytics, question: WeeklyQuestion) -> WeeklyPattern:
    """Hours as the zone's clock shows them: one that it shows twice is one, one that it skips stays empty.

    Raises `BadUserInputError` for a window of more than `MAX_HOURS` hours.
    """
    asked = analytics.window(question.choice, question.calendar)
    edges = _edges(asked)
    plan = SlotsPlan(
        analytics.scope(question.whose),
        question.direction,
        asked.interval,
        *slots.grid(edges),
        counterparty_id=analytics.named(question.counterparty_id),
        outside=question.whose.outside,
    )
    result = await analytics.store.fetch(plan)
    found: defaultdict[tuple[int, int], list[SlotRow]] = defaultdict(list)
    for row in result.rows:
        # No slot is in two hours of the window, but the first may begin before it.
        at = instant(max(row.start_ms, asked.interval.start_ms), asked.zone)
        found[at.weekday(), at.hour].append(row)
    first = _FIRST[question.calendar.week_start]
    days = [(first + number) % 7 for number in range(7)]
    return WeeklyPattern(
        window=asked,
        evidence=evidence_of(result),
        hours=tuple(
            HourOfWeek(day, hour, slots.summed(found.get((day, hour), [])))
            for day in days
            for hour in range(24)
        ),
    )


def _edges(asked: Window) -> tuple[int, ...]:
    try:
        return window.edges(asked, Granularity.HOUR, MAX_HOURS)
    except BadUserInputError:
        raise BadUserInputError(
            "window", f"touches more than {MAX_HOURS:,} hours; ask for a shorter one"
        ) from None
