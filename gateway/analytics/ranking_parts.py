"""What is asked of a ranking beside its rows: the others, shares, one account's place, who dropped out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from gateway.analytics import money
from gateway.analytics.answers import Measures, Ranked, Ranking
from gateway.analytics.limits import MAX_COMPARED_RANK, MAX_RANK
from gateway.analytics.model import TransactionKind
from gateway.analytics.query_plan import DistinctPlan
from gateway.analytics.questions import Analytics, evidence_of
from gateway.analytics.ranking import compared, earlier_plan, numbered, placed
from gateway.analytics.slots import NOTHING
from gateway.analytics.totals import measures_of
from gateway.errors import CostLimitExceededError


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
    asked = ranking.asked
    plan = DistinctPlan(asked.scope, asked.direction, asked.interval, asked.outside)
    return (await analytics.store.fetch(plan, ranking.snapshot)).rows[0].account_count


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


async def row_reversals(analytics: Analytics, ranking: Ranking, row: Ranked) -> Measures:
    """The reversals among a row's transactions, and what they took back; of all rows out of one query.

    Never older than the row, so it may know of one that came since.
    """
    if row in ranking.rows:
        ids = frozenset(each.account_id for each in ranking.rows)
        found = await analytics.store.once(
            ranking.rows, lambda: _reversals(analytics, ranking, ids)
        )
    else:
        found = await _reversals(analytics, ranking, frozenset({row.account_id}))
    return found.get(row.account_id, NOTHING)


async def rank_of(analytics: Analytics, ranking: Ranking, account_id: str) -> Ranked | None:
    """The row of one account, wherever it stands; none without transactions.

    Raises:
        CostLimitExceededError: it stands behind the last rank that is looked at.
        ForbiddenError: the caller is not shown this account.

    """
    wanted = analytics.named(account_id, "accountId")
    found = next((row for row in ranking.rows if row.account_id == wanted), None)
    if found is not None or ranking.whole:
        return found
    found = await _place(analytics, ranking, str(wanted))
    if found is None or ranking.compared is None:
        return found
    (row,), _ = await compared(analytics, ranking.asked, ranking.compared.interval, (found,))
    return row


async def dropped(
    analytics: Analytics, ranking: Ranking
) -> tuple[Ranking, tuple[Ranked, ...]] | None:
    """The earlier window's ranking, and those of its first rows who are not among the first any more.

    None without an earlier window, and behind the first page.
    """
    if ranking.compared is None or ranking.has_previous:
        return None
    plan = earlier_plan(ranking.asked, ranking.compared.interval)
    result = await analytics.store.fetch(plan)
    then = Ranking(
        whose=ranking.whose,
        asked=plan,
        first=ranking.first,
        window=ranking.compared,
        compared=None,
        evidence=evidence_of(result),
        rows=numbered(result.rows[: ranking.first]),
        whole=len(result.rows) <= ranking.first,
        snapshot=result.snapshot,
    )
    now = {row.account_id for row in ranking.rows}
    return then, tuple(row for row in then.rows if row.account_id not in now)


async def _reversals(
    analytics: Analytics, ranking: Ranking, ids: frozenset[str]
) -> Mapping[str, Measures]:
    kind = TransactionKind.REVERSAL
    plan = replace(ranking.asked, after=None, among=ids, limit=len(ids), kind=kind)
    result = await analytics.store.fetch(plan, ranking.snapshot)
    return {
        each.account_id: Measures(
            each.transaction_count, money.subtract(money.ZERO, each.transaction_amount)
        )
        for each in result.rows
    }


async def _asked_total(analytics: Analytics, ranking: Ranking) -> Measures:
    plan = analytics.totals_plan(ranking.whose, {ranking.direction}, ranking.asked.interval)
    result = await analytics.store.fetch(plan, ranking.snapshot)
    return measures_of(result.rows, ranking.direction)


async def _place(analytics: Analytics, ranking: Ranking, account_id: str) -> Ranked | None:
    # Few stand far behind: the first ranks are looked at before all of them are.
    everyone = replace(ranking.asked, after=None)
    for limit in (MAX_COMPARED_RANK, MAX_RANK):
        result = await analytics.store.fetch(replace(everyone, limit=limit), ranking.snapshot)
        found = placed(result.rows, account_id)
        if found is not None or len(result.rows) < limit:
            return found
        if limit < MAX_RANK:
            alone = replace(everyone, among=frozenset({account_id}), limit=1)
            if not (await analytics.store.fetch(alone, ranking.snapshot)).rows:
                return None
    raise CostLimitExceededError(
        f"This account stands behind rank {MAX_RANK:,}, the last that is looked at; "
        "ask for a shorter window, or for its totals by `counterpartyId`."
    )
