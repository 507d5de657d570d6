"""What rankings by cohorts leave behind: whom to look at again, and what nobody else can exceed.

Rows are only ever added. So as long as an interval holds as many rows as it did, it holds the same
rows, and in any window that begins no earlier nobody outside the cohorts looked into can have more
than the bound of then, which a reversal can only lower, except by rows after the interval; whose
cohorts are few, and looked into too. That makes the second ranking of a large account cost a
fraction of the first, with the same proof. Forgetting, or not knowing, is only a matter of speed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.model import Direction, Interval, RankBy
from gateway.pinot.cohorts import Cohort, RankMembers, Settled, settles
from gateway.query_plan import TopPlan

MOST_ADDED = 1_000
"""Cohorts with rows after the interval, up to which looking at them is cheaper than ranking anew."""
SETTLING_MS = 2_000
"""Younger rows may still be joined by others of their time, so that their number would change."""
BASES_AN_ACCOUNT = 4

CountRows = Callable[[Interval], Awaitable[int]]
"""How many rows the account has in an interval."""
CohortsIn = Callable[[Interval, int], Awaitable[tuple[int, ...]]]
"""The cohorts of an interval, up to so many."""


@dataclass(frozen=True, slots=True)
class Base:
    """An interval with its number of rows, the cohorts looked into, and the first one that was not.

    `beyond` is `None` if there was none. `rows_ranked` bounds the rounding of its estimate.
    """

    interval: Interval
    rows: int
    cohorts: frozenset[int]
    beyond: Cohort | None
    rows_ranked: int

    def serves(self, interval: Interval) -> bool:
        """Whether a window begins in it."""
        return self.interval.start_ms <= interval.start_ms < self.interval.end_ms


class RememberedRankings:
    """The bases of large accounts, and which accounts are small; bounded, the latest used kept."""

    def __init__(self, capacity: int = 2_000, small_capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._small_capacity = small_capacity
        self._small: OrderedDict[tuple[str | None, Direction], None] = OrderedDict()
        self._bases: OrderedDict[tuple[str | None, Direction, RankBy], tuple[Base, ...]] = (
            OrderedDict()
        )

    def base_for(self, plan: TopPlan) -> Base | None:
        """The base that begins last before the plan's window does."""
        known = self._bases.get(_key(plan), ())
        serving = [base for base in known if base.serves(plan.interval)]
        return max(serving, key=lambda base: base.interval.start_ms, default=None)

    def was_small(self, plan: TopPlan) -> bool:
        """Whether the account's last ranking was over few rows."""
        return (plan.account_id, plan.direction) in self._small

    def note_size(self, plan: TopPlan, *, is_small: bool) -> None:
        """Remember whether a ranking was over few rows."""
        key = plan.account_id, plan.direction
        self._small.pop(key, None)
        if is_small:
            self._small[key] = None
            if len(self._small) > self._small_capacity:
                self._small.popitem(last=False)

    def remember(self, plan: TopPlan, base: Base) -> None:
        """Keep a base; one that began at the same instant gives way."""
        key, start_ms = _key(plan), base.interval.start_ms
        others = [each for each in self._bases.pop(key, ()) if each.interval.start_ms != start_ms]
        self._bases[key] = (base, *others[: BASES_AN_ACCOUNT - 1])
        if len(self._bases) > self._capacity:
            self._bases.popitem(last=False)


def settled_part(interval: Interval, as_of_ms: int) -> Interval:
    """The part of a window whose number of rows will hardly change any more; may be empty."""
    return replace(interval, end_ms=min(interval.end_ms, as_of_ms - SETTLING_MS))


async def rank_again(
    plan: TopPlan, base: Base, count_rows: CountRows, cohorts_in: CohortsIn, members: RankMembers
) -> Settled | None:
    """The plan's rows, if what is remembered still settles them."""
    since = Interval(base.interval.end_ms, plan.interval.end_ms)
    if since.start_ms < since.end_ms:
        rows, added = await asyncio.gather(
            count_rows(base.interval), cohorts_in(since, MOST_ADDED + 1)
        )
    else:
        rows, added = await count_rows(base.interval), ()
    if rows != base.rows or len(added) > MOST_ADDED:
        return None
    ranked, answer = await members(tuple(base.cohorts.union(added)))
    if answer.servers > 1:
        return None
    if base.beyond is None or settles(plan, ranked, base.beyond, base.rows_ranked):
        return Settled(ranked, answer, base.rows_ranked, tuple(base.cohorts), base.beyond)
    return None


def _key(plan: TopPlan) -> tuple[str | None, Direction, RankBy]:
    return plan.account_id, plan.direction, plan.order_by
