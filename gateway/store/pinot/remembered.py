"""What rankings by cohorts leave behind: whom to look at again, and what nobody else can exceed.

Rows are only ever added, but where an account is erased; what was left behind before is not used
after that. So as long as an interval holds as many rows as it did, it holds the same rows, and in any
window that begins no earlier nobody outside the cohorts looked into can have more than the bound of
then, which a reversal can only lower, except by rows after the interval; whose cohorts are few, and
looked into too. That makes the second ranking of a large account cost a fraction of the first, with
the same proof. Forgetting, or not knowing, is only a matter of speed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import TopPlan
from gateway.process.bounded_store import BoundedStore
from gateway.store.pinot.cohorts import Cohort, RankMembers, Settled, settles

MOST_ADDED = 1_000
"""Cohorts with rows after the interval, up to which looking at them is cheaper than ranking anew."""
SETTLING_MS = 2_000
"""Younger rows may still be joined by others of their time, so that their number would change."""
BASES_AN_ACCOUNT = 4

MAX_BYTES = 16 * 1024 * 1024
"""Of all that is remembered: about 2,000 rankings."""

ACCOUNT_BYTES = 300
BASE_BYTES = 600
COHORT_BYTES = 100
"""Of an account, of each of its bases, and of each cohort that was looked into: the most that was measured."""

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
    """What is remembered of all accounts, whenever it was; bounded in bytes."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: BoundedStore[tuple[Base, ...]] = BoundedStore(max_bytes)

    @property
    def kept_bytes(self) -> int:
        """What all that is remembered takes."""
        return self._kept.bytes

    def after(self, erasures: int) -> Remembered:
        """What is remembered since there were so many erasures."""
        return Remembered(self._kept, erasures)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The bases of large accounts, and which accounts are small, of rows that no erasure has changed since."""

    kept: BoundedStore[tuple[Base, ...]]
    erasures: int

    def base_for(self, plan: TopPlan) -> Base | None:
        """The base that begins last before the plan's window does."""
        known = self.kept.get(self._key(plan)) or ()
        serving = [base for base in known if base.serves(plan.interval)]
        return max(serving, key=lambda base: base.interval.start_ms, default=None)

    def was_small(self, plan: TopPlan) -> bool:
        """Whether no ranking of the account was over many rows, and one was over few."""
        return self.kept.get(self._key(plan)) == ()

    def remember_small(self, plan: TopPlan) -> None:
        """Keep that a ranking was over few rows."""
        if self.kept.get(self._key(plan)) is None:
            self.kept.put(self._key(plan), (), ACCOUNT_BYTES)

    def remember(self, plan: TopPlan, base: Base | None) -> None:
        """Keep a base, if a ranking over many rows left one; one that began at the same instant gives way."""
        bases = self.kept.get(self._key(plan)) or ()
        if base is not None:
            start_ms = base.interval.start_ms
            others = [each for each in bases if each.interval.start_ms != start_ms]
            bases = (base, *others[: BASES_AN_ACCOUNT - 1])
        if bases:
            size = sum(BASE_BYTES + COHORT_BYTES * len(each.cohorts) for each in bases)
            self.kept.put(self._key(plan), bases, ACCOUNT_BYTES + size)
        else:
            self.kept.drop(self._key(plan))

    def _key(self, plan: TopPlan) -> tuple[int, str | None, Direction, RankBy]:
        return self.erasures, plan.account_id, plan.direction, plan.order_by


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
