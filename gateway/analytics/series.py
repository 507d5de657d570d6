"""Measures over time, one point a bucket of the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter

from gateway.analytics import money, slots, window
from gateway.analytics.answers import (
    FlowPoint,
    FlowSeries,
    Measures,
    Ranked,
    RankedSeries,
    Series,
    SeriesPoint,
    TopSeries,
)
from gateway.analytics.asking import StoreResult
from gateway.analytics.limits import MAX_SERIES, check_first
from gateway.analytics.model import (
    Bucket,
    Calendar,
    Compared,
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
    """Whose measures, when, in which buckets, on which side (`None`: both), compared with what, with whom alone."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction | None
    granularity: Granularity
    fill: Fill = Fill.ZERO
    compare_to: Compared | None = None
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
    """Measures a bucket; buckets begin where the zone's calendar says. And those of an earlier window."""
    asked = analytics.window(question.choice, question.calendar)
    before = analytics.compared(question.choice, asked, question.compare_to)
    if before is None:
        return await _one(analytics, question, asked)
    now, then = await asyncio.gather(
        _one(analytics, question, asked), _one(analytics, question, before)
    )
    return replace(now, evidence=merge((now.evidence, then.evidence)), comparison=then)


async def flow_series(analytics: Analytics, question: SeriesQuestion) -> FlowSeries:
    """Received and sent a bucket, out of one look at the store."""
    asked = analytics.window(question.choice, question.calendar)
    result = await _fetched(analytics, question, asked)
    cut = _buckets(analytics, question, asked, result.as_of_ms)
    received, sent = (
        slots.fold(
            cut,
            [row for row in result.rows if row.direction is direction],
            by_kind=analytics.apart.series,
        )
        for direction in (Direction.RECEIVED, Direction.SENT)
    )
    points = [
        FlowPoint(
            came,
            went,
            money.subtract(came.measures.transaction_amount, went.measures.transaction_amount),
        )
        for came, went in zip(received, sent, strict=True)
    ]
    if question.fill is Fill.NONE:
        points = [each for each in points if _happened(each.received) or _happened(each.sent)]
    return FlowSeries(asked, evidence_of(result), question.granularity, tuple(points))


async def _one(analytics: Analytics, question: SeriesQuestion, asked: Window) -> Series:
    result = await _fetched(analytics, question, asked)
    cut = _buckets(analytics, question, asked, result.as_of_ms)
    points = slots.fold(cut, result.rows, by_kind=analytics.apart.series)
    if question.fill is Fill.NONE:
        points = tuple(each for each in points if _happened(each))
    return Series(asked, evidence_of(result), question.granularity, points)


async def _fetched(
    analytics: Analytics, question: SeriesQuestion, asked: Window
) -> StoreResult[SlotRow]:
    named = analytics.named(question.counterparty_id)
    plan = _plan(analytics, question, asked)
    return await analytics.store.fetch(replace(plan, counterparty_id=named))


def _happened(point: SeriesPoint) -> bool:
    return point.measures.transaction_count > 0


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
    cut, by_kind = _buckets(analytics, question, asked, evidence.as_of_ms), analytics.apart.series
    of_each: dict[str | None, list[SlotRow]] = {account_id: [] for account_id in ids}
    for row in each.rows:
        of_each[row.counterparty_id].append(row)
    rows = _ranked({account_id: slots.summed(of_each[account_id]) for account_id in ids}, plan)
    left = _without(everything.rows, each.rows)
    return TopSeries(
        window=asked,
        evidence=evidence,
        granularity=question.granularity,
        series=tuple(
            RankedSeries(row, slots.fold(cut, of_each[row.account_id], by_kind=by_kind))
            for row in rows
        ),
        others=slots.summed(left),
        other_points=slots.fold(cut, left, by_kind=by_kind),
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
        by_kind=analytics.apart.series,
    )


def _buckets(
    analytics: Analytics,
    question: SeriesQuestion | TopSeriesQuestion,
    asked: Window,
    as_of_ms: int,
) -> tuple[Bucket, ...]:
    known_ms = min(analytics.now_ms, as_of_ms)
    return window.buckets(asked, question.granularity, known_ms, analytics.limits.max_points)


def _ranked(sums: Mapping[str, Measures], plan: TopPlan) -> tuple[Ranked, ...]:
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


def _without(rows: Iterable[SlotRow], taken: Iterable[SlotRow]) -> tuple[SlotRow, ...]:
    """Ascending rows which add up, in every slot, to these less those that are taken away."""
    less = (
        replace(
            row,
            transaction_count=-row.transaction_count,
            transaction_amount=row.transaction_amount.copy_negate(),
        )
        for row in taken
    )
    return tuple(sorted((*rows, *less), key=attrgetter("start_ms")))
