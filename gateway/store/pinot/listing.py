"""Lists of entries by amount on Pinot, in the order of the decimals.

Within a segment Pinot orders decimals exactly. Where it merges segments and servers it compares them as doubles
(SelectionOperatorService of 0.11), so amounts that differ beyond a double's digits stand as if they were equal.
Such amounts are a tie: the whole of one that the last place falls into is fetched, and put in order here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.analytics.model import Entry
from gateway.analytics.query_plan import EntriesPlan
from gateway.store.pinot import entries_sql
from gateway.store.pinot.response import BrokerAnswer
from gateway.store.pinot.rows import entry

EXACT_BELOW = Decimal(10) ** 7
"""Up to here 8 decimals are 15 significant digits, of which no two are one double (IEEE 754)."""
TIE_GROWTH = 10
MOST_ROWS = 10_000
"""In one statement; a tie that is larger is told as inexact."""
TIE_CUT = "More amounts than the store orders exactly differ beyond a double's digits."


@dataclass(frozen=True, slots=True)
class Listed:
    """The plan's rows, the answer they came in, and why they may be in another order, if they may."""

    rows: tuple[Entry, ...]
    answer: BrokerAnswer
    inexact: str | None


async def fetch_by_amount(
    plan: EntriesPlan, ask: Callable[[str], Awaitable[BrokerAnswer]]
) -> Listed:
    """The plan's rows in the plan's order."""
    wider = replace(plan, limit=plan.limit + 1)
    while True:
        answer = await ask(entries_sql.entries(wider))
        rows = [entry(cells, plan.account_id) for cells in answer.rows]
        is_closed = len(rows) < wider.limit or not _is_tie(rows[plan.limit - 1], rows[-1])
        if is_closed or wider.limit >= MOST_ROWS:
            break
        wider = replace(wider, limit=min(wider.limit * TIE_GROWTH, MOST_ROWS))
    rows.sort(key=_place, reverse=plan.order.descends)
    return Listed(tuple(rows[: plan.limit]), answer, None if is_closed else TIE_CUT)


def _is_tie(left: Entry, right: Entry) -> bool:
    """Whether Pinot may take two amounts for equal that are not."""
    return abs(left.amount) >= EXACT_BELOW and float(left.amount) == float(right.amount)


def _place(each: Entry) -> tuple[Decimal, int, str, str, str]:
    return (
        each.amount,
        each.event_time_ms,
        each.transaction_id,
        each.direction.value,
        each.kind.value,
    )
