"""Totals and net flows, and their change since an earlier window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.analytics import money, slots
from gateway.analytics.answers import Measures, MeasuresChange, NetFlow, Totals
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import (
    Calendar,
    Compared,
    Direction,
    Interval,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import DistinctPlan, TotalsRow
from gateway.analytics.questions import Analytics, evidence_of, merge


@dataclass(frozen=True, slots=True)
class TotalsQuestion:
    """Whose totals, when, on which side, compared with what, and with whom alone."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    compare_to: Compared | None = None
    counterparty_id: str | None = None


@dataclass(frozen=True, slots=True)
class FlowQuestion:
    """Whose net flow, when, compared with what, and with whom alone."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    compare_to: Compared | None = None
    counterparty_id: str | None = None


async def totals(analytics: Analytics, question: TotalsQuestion) -> Totals:
    """Count, amount and average of one direction, and the change since an earlier window."""
    asked = analytics.window(question.choice, question.calendar)
    before = analytics.compared(question.choice, asked, question.compare_to)
    if before is None:
        result = await _asked(analytics, question, asked.interval)
        evidence, change = evidence_of(result), None
        measures = measures_of(result.rows, question.direction)
    else:
        result, then = await asyncio.gather(
            _asked(analytics, question, asked.interval),
            _asked(analytics, question, before.interval),
        )
        evidence = merge((evidence_of(result), evidence_of(then)))
        measures = measures_of(result.rows, question.direction)
        change = measures_change(before, measures, measures_of(then.rows, question.direction))
    reversals = _reversals(analytics, result.rows, question.direction)
    return Totals(
        whose=question.whose,
        direction=question.direction,
        window=asked,
        evidence=evidence,
        measures=measures,
        average_amount=_average(measures, reversals),
        comparison=change,
        reversals=reversals,
        counterparty_id=question.counterparty_id,
    )


async def counterparty_count(
    analytics: Analytics,
    whose: Whose,
    direction: Direction,
    interval: Interval,
) -> int:
    """How many different accounts were on the other side."""
    plan = DistinctPlan(analytics.scope(whose), direction, interval, whose.outside)
    return (await analytics.store.fetch(plan)).rows[0].account_count


async def net_flow(analytics: Analytics, question: FlowQuestion) -> NetFlow:
    """Received, sent, and received minus sent, out of one look at the store; and those of an earlier window."""
    asked = analytics.window(question.choice, question.calendar)
    before = analytics.compared(question.choice, asked, question.compare_to)
    if before is None:
        return await _flow(analytics, question, asked)
    now, then = await asyncio.gather(
        _flow(analytics, question, asked), _flow(analytics, question, before)
    )
    return replace(now, evidence=merge((now.evidence, then.evidence)), comparison=then)


async def _flow(analytics: Analytics, question: FlowQuestion, asked: Window) -> NetFlow:
    plan = analytics.totals_plan(
        question.whose, Direction, asked.interval, question.counterparty_id
    )
    result = await analytics.store.fetch(plan)
    received = measures_of(result.rows, Direction.RECEIVED)
    sent = measures_of(result.rows, Direction.SENT)
    return NetFlow(
        whose=question.whose,
        window=asked,
        evidence=evidence_of(result),
        received=received,
        sent=sent,
        net_amount=money.subtract(received.transaction_amount, sent.transaction_amount),
        received_reversals=_reversals(analytics, result.rows, Direction.RECEIVED),
        sent_reversals=_reversals(analytics, result.rows, Direction.SENT),
    )


def measures_of(rows: Iterable[TotalsRow], direction: Direction) -> Measures:
    """The measures of one direction, reversals subtracted; zero if there is no such row."""
    return slots.summed([row for row in rows if row.direction is direction])


def reversals_of(rows: Iterable[TotalsRow], direction: Direction) -> Measures:
    """How many reversals are in one direction's rows by kind, and what they took back."""
    return slots.reversals_in([row for row in rows if row.direction is direction])


def measures_change(before: Window, now: Measures, previous: Measures) -> MeasuresChange:
    """Differences to an earlier window, and their ratios to it."""
    count_change = now.transaction_count - previous.transaction_count
    amount_change = money.subtract(now.transaction_amount, previous.transaction_amount)
    return MeasuresChange(
        window=before,
        previous=previous,
        count_change=count_change,
        amount_change=amount_change,
        count_change_ratio=money.ratio(
            money.exact(count_change), money.exact(previous.transaction_count)
        ),
        amount_change_ratio=money.ratio(amount_change, previous.transaction_amount),
    )


async def _asked(
    analytics: Analytics, question: TotalsQuestion, interval: Interval
) -> StoreResult[TotalsRow]:
    plan = analytics.totals_plan(
        question.whose, {question.direction}, interval, question.counterparty_id
    )
    return await analytics.store.fetch(plan)


def _reversals(
    analytics: Analytics, rows: Iterable[TotalsRow], direction: Direction
) -> Measures | None:
    return reversals_of(rows, direction) if analytics.apart.totals else None


def _average(measures: Measures, reversals: Measures | None) -> Decimal | None:
    """The mean of the transfers alone; a reversal is no smaller payment. Nobody asks where they are not told apart."""
    if reversals is None:
        return None
    return money.average(
        money.add((measures.transaction_amount, reversals.transaction_amount)),
        measures.transaction_count - reversals.transaction_count,
    )
