"""Measures over time, one point a bucket of the calendar."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.analytics import slots, window
from gateway.analytics.answers import Series
from gateway.analytics.model import Calendar, Direction, Fill, Granularity, Whose, WindowChoice
from gateway.analytics.query_plan import SlotsPlan
from gateway.analytics.questions import Analytics, evidence_of


@dataclass(frozen=True, slots=True)
class SeriesQuestion:
    """Whose measures, when, in which buckets, on which side, and with whom alone."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    granularity: Granularity
    fill: Fill = Fill.ZERO
    counterparty_id: str | None = None


async def series(analytics: Analytics, question: SeriesQuestion) -> Series:
    """Measures a bucket; buckets begin where the zone's calendar says."""
    asked = analytics.window(question.choice, question.calendar)
    max_points = analytics.limits.max_points
    edges = window.edges(asked, question.granularity, max_points)
    plan = SlotsPlan(
        analytics.scope(question.whose),
        question.direction,
        asked.interval,
        *slots.grid(edges),
        counterparty_id=analytics.named(question.counterparty_id),
        outside=question.whose.outside,
    )
    result = await analytics.store.fetch(plan)
    known_ms = min(analytics.now_ms, result.as_of_ms)
    cut = window.buckets(asked, question.granularity, known_ms, max_points)
    points = slots.fold(cut, result.rows)
    if question.fill is Fill.NONE:
        points = tuple(each for each in points if each.measures.transaction_count)
    return Series(asked, evidence_of(result), question.granularity, points)
