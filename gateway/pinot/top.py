"""Rankings on Pinot: ids in the order of code points, and whether the ranking is proven exact.

An account of few rows takes one statement. What that statement trims, because there are more, is
ranked by `cohorts`; what they do not settle, in full.

Pinot orders text by UTF-16 code units, where characters beyond U+FFFF come before U+E000 to U+FFFF.
That matters only where the last place falls into a tie that such an id takes part in: then the
whole tie is fetched. Pinot trims groups to max(5 x LIMIT, 5000) on each server, after a server has
merged its segments; so one server's ranking is exact, and several servers' is if there were not
more groups. Past `trim_threshold` groups a server trims while it merges: then nothing is proven.
Read in Pinot 0.11: GroupByOrderByCombineOperator, TableResizer, GroupByDataTableReducer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.model import RankBy
from gateway.pinot import cohorts, response, sql
from gateway.pinot.cohorts import LargeAccounts
from gateway.pinot.response import BrokerAnswer
from gateway.pinot.rows import group_row
from gateway.query_plan import DistinctPlan, GroupRow, TopPlan

Ask = Callable[[str, dict[str, str | int]], Awaitable[BrokerAnswer]]
"""Runs a statement with query options over the plan's partitions, checked for completeness."""

MIN_TRIM_SIZE = 5_000
TIE_GROWTH = 10
ALWAYS_TRIM: dict[str, str | int] = {"minSegmentGroupTrimSize": MIN_TRIM_SIZE}
"""A segment gives its first groups only: what is enough for most accounts costs little for all."""
NO_SERVER_TRIM: dict[str, str | int] = {"minServerGroupTrimSize": -1}
GROUPS_CUT = "The store's limit of groups was reached, so accounts may be missing."
GROUPS_TRIMMED = "More groups than the store ranks exactly."


@dataclass(frozen=True, slots=True)
class TopAnswer:
    """The ranked rows, the answer they came in, and why they may be inexact, if they may."""

    rows: tuple[GroupRow, ...]
    answer: BrokerAnswer
    inexact: str | None


async def fetch_top(
    plan: TopPlan, ask: Ask, trim_threshold: int, large: LargeAccounts
) -> TopAnswer:
    """The plan's rows in the plan's order."""
    if plan.account_id is None or plan.among is not None:
        return await _in_full(plan, ask, trim_threshold)
    if plan not in large:
        found = await _with_whole_tie(plan, ask, ALWAYS_TRIM)
        # There are never more groups than rows that matched.
        if found.answer.docs_scanned <= _trim_size(plan) or found.inexact is not None:
            return found
        if found.answer.servers > 1:
            return await _in_full(plan, ask, trim_threshold)
    settled = await _by_cohorts(plan, ask, trim_threshold)
    if settled is None:
        return await _in_full(plan, ask, trim_threshold)
    large.note(plan, is_large=settled.rows_in_window > _trim_size(plan))
    return TopAnswer(settled.rows, settled.answer, None)


def closes_tie(rows: tuple[GroupRow, ...], limit: int) -> bool:
    """Whether the first `limit` rows are the right ones whatever comes after these rows."""
    last = rows[limit - 1]
    tied = [row for row in rows if _measures(row) == _measures(last)]
    if _measures(rows[-1]) != _measures(last):
        return True
    return not any(character > "\uffff" for row in tied for character in row.account_id)


def in_order(rows: tuple[GroupRow, ...], order_by: RankBy) -> tuple[GroupRow, ...]:
    """Rows by measure, then the other measure, then code points."""

    def place(row: GroupRow) -> tuple[Decimal, Decimal, str]:
        count, amount = Decimal(-row.transaction_count), row.transaction_amount.copy_negate()
        if order_by is RankBy.TRANSACTION_AMOUNT:
            return amount, count, row.account_id
        return count, amount, row.account_id

    return tuple(sorted(rows, key=place))


async def _in_full(plan: TopPlan, ask: Ask, trim_threshold: int) -> TopAnswer:
    found = await _with_whole_tie(plan, ask, {})
    if found.inexact is not None or not _may_be_trimmed(plan, found.answer, trim_threshold):
        return found
    groups = await _count_groups(plan, ask)
    if groups >= trim_threshold:
        return replace(found, inexact=GROUPS_TRIMMED)
    if found.answer.servers == 1 or groups <= _trim_size(plan):
        return found
    return await _with_whole_tie(plan, ask, NO_SERVER_TRIM)


async def _by_cohorts(plan: TopPlan, ask: Ask, trim_threshold: int) -> cohorts.Settled | None:
    async def ask_cohorts(limit: int) -> BrokerAnswer:
        return await ask(sql.top_cohorts(plan, limit), {})

    async def rank_members(hashes: tuple[int, ...]) -> tuple[tuple[GroupRow, ...], BrokerAnswer]:
        found = await _with_whole_tie(plan, ask, {}, hashes)
        return found.rows, found.answer

    settled = await cohorts.rank(plan, ask_cohorts, rank_members)
    # Past the threshold a server ranks what it has seen so far.
    too_many = settled is not None and settled.rows_in_window >= trim_threshold
    return None if too_many else settled


async def _with_whole_tie(
    plan: TopPlan,
    ask: Ask,
    options: dict[str, str | int],
    hashes: tuple[int, ...] | None = None,
) -> TopAnswer:
    wider = plan
    while True:
        answer = await ask(sql.top(wider, hashes), options)
        rows = tuple(group_row(cells) for cells in answer.rows)
        if len(rows) < wider.limit or closes_tie(rows, plan.limit):
            break
        wider = replace(wider, limit=wider.limit * TIE_GROWTH)
    ordered = in_order(rows, plan.order_by)[: plan.limit]
    return TopAnswer(ordered, answer, GROUPS_CUT if answer.groups_cut else None)


async def _count_groups(plan: TopPlan, ask: Ask) -> int:
    distinct = DistinctPlan(plan.scope, plan.direction, plan.interval)
    answer = await ask(sql.distinct(distinct), {})
    return response.whole(answer.rows[0][0]) if answer.rows else 0


def _may_be_trimmed(plan: TopPlan, answer: BrokerAnswer, trim_threshold: int) -> bool:
    if plan.among is not None or answer.docs_scanned <= _trim_size(plan):
        return False
    return answer.servers > 1 or answer.docs_scanned >= trim_threshold


def _trim_size(plan: TopPlan) -> int:
    return max(5 * plan.limit, MIN_TRIM_SIZE)


def _measures(row: GroupRow) -> tuple[int, Decimal]:
    return row.transaction_count, row.transaction_amount
