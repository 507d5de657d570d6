"""Measures over time, one point a bucket of the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.analytics import money, slots, window
from gateway.analytics.answers import Measures, Ranked, RankedSeries, Series, SeriesPoint, TopSeries
from gateway.analytics.asking import StoreResult
from gateway.analytics.limits import MAX_SERIES, check_first
from gateway.analytics.model import (
    Bucket,
    Calendar,
    Direction,
    Fill,
    Granularity,
    RankBy,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import SlotRow, SlotsPlan, TopPlan
from gateway.analytics.questions import Analytics, evidence_of, merge


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


@dataclass(frozen=True, slots=True)
class TopSeriesQuestion:
    """Whose first counterparties by what, how many of them, when, in which buckets."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    granularity: Granularity
    first: int
    order_by: RankBy


async def series(analytics: Analytics, question: SeriesQuestion) -> Series:
    """Measures a bucket; buckets begin where the zone's calendar says."""
    asked = analytics.window(question.choice, question.calendar)
    plan = _plan(analytics, question, asked)
    plan = replace(plan, counterparty_id=analytics.named(question.counterparty_id))
    result = await analytics.store.fetch(plan)
    points = slots.fold(_buckets(analytics, question, asked, result.as_of_ms), result.rows)
    if question.fill is Fill.NONE:
        points = tuple(each for each in points if each.measures.transaction_count)
    return Series(asked, evidence_of(result), question.granularity, points)


async def top_series(analytics: Analytics, question: TopSeriesQuestion) -> TopSeries:
    """A series of each of the first counterparties, and of the others: what all have less these.

    All is never older than the rows. Ranks are by the sums of the series.
    """
    first = check_first(question.first, MAX_SERIES)
    asked = analytics.window(question.choice, question.calendar)
    whole = _plan(analytics, question, asked)
    plan = TopPlan(
        whole.scope,
        question.direction,
        asked.interval,
        question.order_by,
        first,
        outside=question.whose.outside,
    )
    ranked = await analytics.store.fetch(plan)
    ids = frozenset(row.account_id for row in ranked.rows)
    each, everything = await _each_and_all(analytics, replace(whole, among=ids), whole)
    results = (ranked, each, everything)
    evidence = merge(evidence_of(result) for result in results)
    cut = _buckets(analytics, question, asked, evidence.as_of_ms)
    found = {account_id: slots.fold(cut, _rows_of(each.rows, account_id)) for account_id in ids}
    rows = _ranked(found, plan)
    others = tuple(
        SeriesPoint(every.bucket, _less(every, [found[account_id][at] for account_id in ids]))
        for at, every in enumerate(slots.fold(cut, everything.rows))
    )
    return TopSeries(
        window=asked,
        evidence=evidence,
        granularity=question.granularity,
        series=tuple(RankedSeries(row, found[row.account_id]) for row in rows),
        others=slots.summed([each.measures for each in others]),
        other_points=others,
    )


async def _each_and_all(
    analytics: Analytics, among: SlotsPlan, whole: SlotsPlan
) -> tuple[StoreResult[SlotRow], StoreResult[SlotRow]]:
    if not among.among:
        everything = await analytics.store.fetch(whole)
        return replace(everything, rows=()), everything
    each, _ = await asyncio.gather(analytics.store.fetch(among), analytics.store.fetch(whole))
    return each, await analytics.store.fetch(whole, each.snapshot)


def _plan(
    analytics: Analytics, question: SeriesQuestion | TopSeriesQuestion, asked: Window
) -> SlotsPlan:
    edges = window.edges(asked, question.granularity, analytics.limits.max_points)
    return SlotsPlan(
        analytics.scope(question.whose),
        question.direction,
        asked.interval,
        *slots.grid(edges),
        outside=question.whose.outside,
    )


def _buckets(
    analytics: Analytics,
    question: SeriesQuestion | TopSeriesQuestion,
    asked: Window,
    as_of_ms: int,
) -> tuple[Bucket, ...]:
    known_ms = min(analytics.now_ms, as_of_ms)
    return window.buckets(asked, question.granularity, known_ms, analytics.limits.max_points)


def _rows_of(rows: tuple[SlotRow, ...], account_id: str) -> tuple[SlotRow, ...]:
    return tuple(row for row in rows if row.counterparty_id == account_id)


def _ranked(found: Mapping[str, tuple[SeriesPoint, ...]], plan: TopPlan) -> tuple[Ranked, ...]:
    sums = {
        account_id: slots.summed([each.measures for each in points])
        for account_id, points in found.items()
    }

    def place(account_id: str) -> tuple[Decimal, Decimal, str]:
        count = Decimal(-sums[account_id].transaction_count)
        amount = sums[account_id].transaction_amount.copy_negate()
        if plan.order_by is RankBy.TRANSACTION_AMOUNT:
            return amount, count, account_id
        return count, amount, account_id

    return tuple(
        Ranked(number, account_id, sums[account_id], None)
        for number, account_id in enumerate(sorted(sums, key=place), start=1)
    )


def _less(every: SeriesPoint, points: Sequence[SeriesPoint]) -> Measures:
    taken = slots.summed([each.measures for each in points])
    return Measures(
        every.measures.transaction_count - taken.transaction_count,
        money.subtract(every.measures.transaction_amount, taken.transaction_amount),
    )
