"""Rankings: the first rows, what they leave out, and where they stood before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.analytics import money
from gateway.analytics.answers import Evidence, Measures, RankChange, Ranked, Ranking
from gateway.analytics.limits import MAX_COMPARED_RANK, check_first
from gateway.analytics.model import (
    Calendar,
    Compared,
    Direction,
    Interval,
    RankBy,
    Whose,
    WindowChoice,
)
from gateway.analytics.query_plan import GroupRow, TopPlan
from gateway.analytics.questions import Analytics, evidence_of, merge
from gateway.analytics.totals import NOTHING, counterparty_count, measures_of


@dataclass(frozen=True, slots=True)
class RankingQuestion:
    """Whose counterparties (of the network: all accounts), by what, how many."""

    whose: Whose
    choice: WindowChoice
    calendar: Calendar
    direction: Direction
    first: int
    order_by: RankBy
    compare_to: Compared | None


async def rank(analytics: Analytics, question: RankingQuestion) -> Ranking:
    """The first rows, numbered; one row more is asked for, to know whether there are others."""
    first = check_first(question.first, analytics.limits.max_first)
    asked = analytics.window(question.choice, question.calendar)
    before = analytics.compared(question.choice, asked, question.compare_to)
    plan = TopPlan(
        analytics.scope(question.whose),
        question.direction,
        asked.interval,
        question.order_by,
        first + 1,
    )
    result = await analytics.store.fetch(plan)
    rows = tuple(
        Ranked(number, row.account_id, _measures(row), None)
        for number, row in enumerate(result.rows[:first], start=1)
    )
    evidence = evidence_of(result)
    if before is not None and rows:
        rows, earlier_evidence = await _compared(analytics, plan, before.interval, rows)
        evidence = merge((evidence, earlier_evidence))
    return Ranking(
        whose=question.whose,
        direction=question.direction,
        window=asked,
        compared=before,
        evidence=evidence,
        rows=rows,
        whole=len(result.rows) <= first,
        snapshot=result.snapshot,
    )


async def total(analytics: Analytics, ranking: Ranking) -> Measures:
    """Everything the ranking is about: its rows and the others; never older than the rows."""
    if ranking.whole:
        return sum_of_rows(ranking)
    # Each row's share needs it.
    return await analytics.store.once(ranking, lambda: _asked_total(analytics, ranking))


async def others(analytics: Analytics, ranking: Ranking) -> Measures:
    """What the rows leave out: total minus rows, to the digit."""
    everything, rows = await total(analytics, ranking), sum_of_rows(ranking)
    return Measures(
        everything.transaction_count - rows.transaction_count,
        money.subtract(everything.transaction_amount, rows.transaction_amount),
    )


async def account_count(analytics: Analytics, ranking: Ranking) -> int:
    """How many different accounts there are to be ranked."""
    if ranking.whole:
        return len(ranking.rows)
    return await counterparty_count(
        analytics, ranking.whose, ranking.direction, ranking.window.interval, ranking.snapshot
    )


async def share(analytics: Analytics, ranking: Ranking, row: Ranked) -> Decimal | None:
    """The row's part of the whole amount, if that is positive; beyond 0 to 1 where a row is negative."""
    everything = await total(analytics, ranking)
    return money.ratio(row.measures.transaction_amount, everything.transaction_amount)


def sum_of_rows(ranking: Ranking) -> Measures:
    """The rows' measures added up."""
    return Measures(
        sum(row.measures.transaction_count for row in ranking.rows),
        money.add(row.measures.transaction_amount for row in ranking.rows),
    )


async def _asked_total(analytics: Analytics, ranking: Ranking) -> Measures:
    plan = analytics.totals_plan(ranking.whose, {ranking.direction}, ranking.window.interval)
    result = await analytics.store.fetch(plan, ranking.snapshot)
    return measures_of(result.rows, ranking.direction)


async def _compared(
    analytics: Analytics, plan: TopPlan, before: Interval, rows: tuple[Ranked, ...]
) -> tuple[tuple[Ranked, ...], Evidence]:
    """The rows with where they stood before, as far as the first ranks of then reach."""
    ids = frozenset(row.account_id for row in rows)
    then = replace(plan, interval=before, limit=MAX_COMPARED_RANK)
    among = replace(plan, interval=before, among=ids, limit=len(ids))
    ranked, measured = await asyncio.gather(
        analytics.store.fetch(then), analytics.store.fetch(among)
    )
    ranks = {row.account_id: number for number, row in enumerate(ranked.rows, start=1)}
    previous = {row.account_id: _measures(row) for row in measured.rows}
    compared = tuple(
        replace(
            row,
            comparison=_change(row, ranks.get(row.account_id), previous.get(row.account_id)),
        )
        for row in rows
    )
    return compared, merge((evidence_of(ranked), evidence_of(measured)))


def _change(row: Ranked, previous_rank: int | None, previous: Measures | None) -> RankChange:
    return RankChange(
        previous_rank=previous_rank,
        previous=previous or NOTHING,
        rank_change=None if previous_rank is None else previous_rank - row.rank,
        is_new=previous is None,
    )


def _measures(row: GroupRow) -> Measures:
    return Measures(row.transaction_count, row.transaction_amount)
