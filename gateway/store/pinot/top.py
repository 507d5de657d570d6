"""Rankings on Pinot: ids in the order of code points, and whether the ranking is proven exact.

An account of few rows takes one statement, once it is known to have few. More are ranked by
`cohorts`; what they do not settle, in full.

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
from functools import partial

from gateway.analytics.model import Interval, RankBy
from gateway.analytics.query_plan import DistinctPlan, GroupRow, Place, TopPlan
from gateway.process import beside
from gateway.store.pinot import cohorts, remembered, response, sql
from gateway.store.pinot.remembered import Base, Remembered
from gateway.store.pinot.response import BrokerAnswer
from gateway.store.pinot.rows import group_row

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
    plan: TopPlan, ask: Ask, trim_threshold: int, memory: Remembered, as_of_ms: int
) -> TopAnswer:
    """The plan's rows in the plan's order."""
    if plan.after is None:
        return await _from_the_first(plan, ask, trim_threshold, memory, as_of_ms)
    wider = replace(plan, after=None, limit=plan.after.rank + plan.limit)
    while True:
        found = await _from_the_first(wider, ask, trim_threshold, memory, as_of_ms)
        rows = _past(found.rows, plan)
        if len(rows) >= plan.limit or len(found.rows) < wider.limit:
            return replace(found, rows=rows[: plan.limit])
        wider = replace(wider, limit=wider.limit * TIE_GROWTH)


async def _from_the_first(
    plan: TopPlan, ask: Ask, trim_threshold: int, memory: Remembered, as_of_ms: int
) -> TopAnswer:
    if not _has_cohorts(plan):
        return await _in_full(plan, ask, trim_threshold)
    by_cohorts = _ByCohorts(plan, ask, remembered.settled_part(plan.interval, as_of_ms))
    base, rows = memory.base_for(plan), None
    if base is not None:
        again = await by_cohorts.again(base)
        if again is not None:
            return again
    else:
        if not memory.was_small(plan):
            rows = await by_cohorts.count_settled()
        if rows is None or rows <= _trim_size(plan):
            found = await _with_whole_tie(plan, ask, ALWAYS_TRIM)
            # There are never more groups than rows that matched.
            is_small = found.answer.docs_scanned <= _trim_size(plan)
            if is_small:
                memory.remember_small(plan)
            if is_small or found.inexact is not None:
                return found
    # Counted before it is ranked: a row that comes between is in the ranking and not in the number,
    # which then no longer holds; the other way round it would be missed.
    rows = await by_cohorts.count_settled() if rows is None else rows
    answer, base = await by_cohorts.anew(trim_threshold, rows)
    memory.remember(plan, base)
    return answer or await _in_full(plan, ask, trim_threshold)


def closes_tie(rows: tuple[GroupRow, ...], limit: int) -> bool:
    """Whether the first `limit` rows are the right ones whatever comes after these rows."""
    last = rows[limit - 1]
    tied = [row for row in rows if _measures(row) == _measures(last)]
    if _measures(rows[-1]) != _measures(last):
        return True
    return not any(character > "\uffff" for row in tied for character in row.account_id)


def in_order(rows: tuple[GroupRow, ...], plan: TopPlan) -> tuple[GroupRow, ...]:
    """Rows by measure, then the other measure, then code points."""
    return tuple(sorted(rows, key=lambda row: _position(row, plan)))


def _position(at: GroupRow | Place, plan: TopPlan) -> tuple[Decimal, Decimal, str]:
    sign = 1 if plan.ascending else -1
    count = Decimal(sign * at.transaction_count)
    amount = at.transaction_amount if plan.ascending else at.transaction_amount.copy_negate()
    if plan.order_by is RankBy.TRANSACTION_AMOUNT:
        return amount, count, at.account_id
    return count, amount, at.account_id


def _past(rows: tuple[GroupRow, ...], plan: TopPlan) -> tuple[GroupRow, ...]:
    """The ordered rows behind the place that the plan goes on from."""
    assert plan.after is not None
    place = _position(plan.after, plan)
    return tuple(row for row in rows if _position(row, plan) > place)


def _has_cohorts(plan: TopPlan) -> bool:
    """Whether the largest are asked for, of all counterparties of one account: only these cohorts bound."""
    is_some_account = plan.account_ids is not None and len(plan.account_ids) == 1
    is_cut = plan.among is not None or plan.kind is not None or plan.outside
    return is_some_account and not is_cut and not plan.ascending


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


@dataclass(frozen=True, slots=True)
class _ByCohorts:
    """One plan's statements about cohorts."""

    plan: TopPlan
    ask: Ask
    settled: Interval

    async def count_settled(self) -> int:
        """How many rows the ranking is over, but for the youngest."""
        is_empty = self.settled.start_ms >= self.settled.end_ms
        return 0 if is_empty else await self._count_rows(self.settled)

    async def again(self, base: Base) -> TopAnswer | None:
        """The ranking by what an earlier one left behind."""
        settled = await remembered.rank_again(
            self.plan, base, self._count_rows, self._cohorts_in, self._rank_members
        )
        return None if settled is None else TopAnswer(settled.rows, settled.answer, None)

    async def anew(self, trim_threshold: int, rows: int) -> tuple[TopAnswer | None, Base | None]:
        """The ranking by all cohorts, if they settle it, and what it leaves behind.

        `rows`: how many were counted in the settled part before.
        """
        settled = await cohorts.rank(self.plan, self._first_cohorts, self._rank_members)
        # Past the threshold a server ranks what it has seen so far.
        if settled is None or settled.rows_in_window >= trim_threshold:
            return None, None
        answer = TopAnswer(settled.rows, settled.answer, None)
        if settled.rows_in_window <= _trim_size(self.plan):
            return answer, None
        looked_into = frozenset(settled.looked_into)
        return answer, Base(self.settled, rows, looked_into, settled.beyond, settled.rows_in_window)

    async def _first_cohorts(self, limit: int) -> BrokerAnswer:
        return await self.ask(sql.top_cohorts(self.plan, limit), {})

    async def _cohorts_in(self, interval: Interval, limit: int) -> tuple[int, ...]:
        answer = await self.ask(sql.top_cohorts(replace(self.plan, interval=interval), limit), {})
        return tuple(cohorts.cohort_of(cells).hash for cells in answer.rows)

    async def _count_rows(self, interval: Interval) -> int:
        answer = await self.ask(sql.row_count(replace(self.plan, interval=interval)), {})
        return response.whole(answer.rows[0][0]) if answer.rows else 0

    async def _rank_members(
        self, hashes: tuple[int, ...]
    ) -> tuple[tuple[GroupRow, ...], BrokerAnswer]:
        found = await _with_whole_tie(self.plan, self.ask, {}, hashes)
        return found.rows, found.answer


async def _with_whole_tie(
    plan: TopPlan,
    ask: Ask,
    options: dict[str, str | int],
    hashes: tuple[int, ...] | None = None,
) -> TopAnswer:
    wider = plan
    while True:
        answer = await ask(sql.top(wider, hashes), options)
        rows = await beside.done(len(answer.rows), partial(_groups, answer))
        if len(rows) < wider.limit or closes_tie(rows, plan.limit):
            break
        wider = replace(wider, limit=wider.limit * TIE_GROWTH)
    ordered = await beside.done(len(rows), partial(in_order, rows, plan))
    return TopAnswer(ordered[: plan.limit], answer, GROUPS_CUT if answer.groups_cut else None)


def _groups(answer: BrokerAnswer) -> tuple[GroupRow, ...]:
    return tuple(map(group_row, answer.rows))


async def _count_groups(plan: TopPlan, ask: Ask) -> int:
    distinct = DistinctPlan(plan.scope, plan.direction, plan.interval, plan.outside)
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
