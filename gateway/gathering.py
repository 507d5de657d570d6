"""Totals of several operations in one store query, while the store is busy.

Who comes while the store has room, or while nothing alike is under way, asks at once, alone. Others
wait until that is answered, a few milliseconds at most, and then ask together. Plans are alike if
they differ in nothing but their accounts. A query for several that fails, or that is not answered
soon, harms nobody whose own would have been answered: everyone asks alone then, for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from gateway.caller import Scope
from gateway.clock import Deadline, Monotonic
from gateway.errors import DeadlineExceededError, StoreUnavailableError
from gateway.model import Direction, Interval
from gateway.query_plan import QueryPlan, TotalsPlan, TotalsRow
from gateway.store import PlanRow, Store, StoreResult

APART_S = 1.0
"""For so long after a query for several failed, everyone asks alone: a part of the store that is out
harms only those whose accounts it holds."""

SHARE_OF_TIME = 0.25
"""Of the time of its most patient plan a query for several takes at most; the rest is for asking alone."""

_Alike: TypeAlias = tuple[frozenset[Direction], Interval, bool]
_Totals: TypeAlias = StoreResult[TotalsRow]
_Answer: TypeAlias = "asyncio.Future[_Totals | None]"
"""`None`: not answered together, ask alone."""


class Gathering:
    """A store whose totals are asked for together; the same port.

    `is_busy`: whether the store has enough to do for plans to wait for others, for up to `wait_s`.
    `most_accounts`: of one query; 1 turns it off. `admit` raises `OverloadedError` where whoever asks
    again, alone, would only wait. `count` is called with `alone`, `gathered` or, after a failure, `again`
    for each plan that is sent, and with `queries` for each query of several.
    """

    def __init__(
        self,
        store: Store,
        is_busy: Callable[[], bool],
        admit: Callable[[], None],
        most_accounts: int,
        wait_s: float,
        monotonic: Monotonic,
        count: Callable[[str], None],
    ) -> None:
        self._store = store
        self._is_busy = is_busy
        self._admit = admit
        self._most_accounts = most_accounts
        self._wait_s = wait_s
        self._monotonic = monotonic
        self._count = count
        self._lines: dict[_Alike, _Line] = {}
        self._apart_until_s = float("-inf")
        self._plans = self._queries = 0

    @property
    def saved(self) -> int:
        """How many plans more wait here than queries have been sent for them."""
        return self._plans - self._queries

    @property
    def sample_data(self) -> bool:
        """As the store has it."""
        return self._store.sample_data

    async def open(self) -> None:
        """Make the store ready."""
        await self._store.open()

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """The store's answer; of a query for several, its own rows, of an unknown snapshot."""
        if isinstance(plan, TotalsPlan):
            if self._is_gathered(plan):
                return cast("StoreResult[PlanRow]", await self._totals(plan, timeout_s))
            self._count("alone")
        return await self._store.fetch(plan, timeout_s)

    def _is_gathered(self, plan: TotalsPlan) -> bool:
        accounts = plan.account_ids
        return accounts is not None and len(accounts) < self._most_accounts and not self._is_apart()

    def _is_apart(self) -> bool:
        return self._monotonic() < self._apart_until_s

    async def _totals(self, plan: TotalsPlan, timeout_s: float) -> _Totals:
        alike = plan.directions, plan.interval, plan.by_kind
        line = self._lines.get(alike)
        if line is None or not (line.waiting or self._is_busy()):
            return await self._alone(alike, plan, timeout_s)
        deadline = Deadline.after(timeout_s, self._monotonic)
        answer = await self._with_others(line, plan, deadline)
        if answer is not None:
            return answer
        self._admit()
        self._count("again")
        return await self._store.fetch(plan, deadline.remaining_s())

    async def _alone(self, alike: _Alike, plan: TotalsPlan, timeout_s: float) -> _Totals:
        line = self._lines.setdefault(alike, _Line(alike))
        line.running += 1
        self._count("alone")
        try:
            return await self._store.fetch(plan, timeout_s)
        finally:
            self._ended(line)

    async def _with_others(
        self, line: _Line, plan: TotalsPlan, deadline: Deadline
    ) -> _Totals | None:
        group = self._joined(line, plan, deadline)
        answer: _Answer = asyncio.get_running_loop().create_future()
        group.plans[answer] = plan
        self._plans += 1
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                return await answer
        except TimeoutError as error:
            raise DeadlineExceededError("no answer for several accounts in time") from error
        finally:
            del group.plans[answer]
            self._plans -= 1
            if not group.plans:
                self._give_up(line, group)

    def _joined(self, line: _Line, plan: TotalsPlan, deadline: Deadline) -> _Group:
        """The group that waits, with this plan's accounts; one that is full goes at once."""
        group = line.waiting
        if group is not None:
            scope = group.scope | plan.scope
            if _size(scope) <= self._most_accounts:
                group.scope = scope
                group.at_s = max(group.at_s, deadline.at_s)
                if _size(scope) == self._most_accounts:
                    # The plan itself is in the group by the time that this runs.
                    asyncio.get_running_loop().call_soon(self._send_waiting, line, group)
                return group
            self._send(line, group)
        loop = asyncio.get_running_loop()
        group = line.waiting = _Group(plan.scope, deadline.at_s)
        group.timer = loop.call_later(self._wait_s, self._send_waiting, line, group)
        return group

    def _send_waiting(self, line: _Line, group: _Group) -> None:
        if line.waiting is group:
            self._send(line, group)

    def _send(self, line: _Line, group: _Group) -> None:
        """Ask for the group's accounts; from now on nobody joins it."""
        line.waiting = None
        group.stop_timer()
        several = group.several = any(map(group.is_for_others_than, group.plans.values()))
        if several and self._is_apart():
            for waiter, _ in _waiting(group):
                waiter.set_result(None)
            return
        line.running += 1
        self._queries += 1
        self._count_group(group, several=several)
        directions, interval, by_kind = line.alike
        plan = TotalsPlan(group.scope, directions, interval, by_kind)
        share = SHARE_OF_TIME if several else 1.0
        group.task = asyncio.ensure_future(self._asked(plan, group.at_s, share))
        group.task.add_done_callback(lambda task: self._answered(line, group, task))

    def _count_group(self, group: _Group, *, several: bool) -> None:
        if several:
            self._count("queries")
        for _ in group.plans:
            self._count("gathered" if several else "alone")

    async def _asked(self, plan: TotalsPlan, at_s: float, share: float) -> _Totals:
        remaining_s = share * Deadline(at_s, self._monotonic).remaining_s()
        try:
            async with asyncio.timeout(remaining_s):
                return await self._store.fetch(plan, remaining_s)
        except TimeoutError as error:
            raise DeadlineExceededError(f"no answer in {remaining_s:.3f} s") from error

    def _answered(self, line: _Line, group: _Group, task: asyncio.Task[_Totals]) -> None:
        error = None if task.cancelled() else task.exception()
        if task.cancelled():  # nobody waits any more, or the process ends
            for waiter, _ in _waiting(group):
                waiter.set_exception(StoreUnavailableError("the query was given up"))
        elif error is None:
            _share(task.result(), group)
        else:
            self._failed(group, error)
        self._ended(line)

    def _failed(self, group: _Group, error: BaseException) -> None:
        if group.several:
            self._apart_until_s = self._monotonic() + APART_S
        for waiter, plan in _waiting(group):
            if group.is_for_others_than(plan):
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    def _ended(self, line: _Line) -> None:
        line.running -= 1
        if line.waiting is not None:
            self._send(line, line.waiting)
        if not line.running:
            del self._lines[line.alike]

    def _give_up(self, line: _Line, group: _Group) -> None:
        """Nobody waits for the group any more."""
        group.stop_timer()
        if line.waiting is group:
            line.waiting = None
        if group.task is not None:
            self._queries -= 1
            group.task.cancel()


@dataclass(slots=True)
class _Line:
    """Plans that differ in their accounts only: queries that run, and who waits."""

    alike: _Alike
    running: int = 0
    waiting: _Group | None = None


@dataclass(slots=True)
class _Group:
    """Plans that are asked together, for all of their accounts; when the most patient one's time is over."""

    scope: Scope
    at_s: float
    several: bool = False
    plans: dict[_Answer, TotalsPlan] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[_Totals] | None = None

    def is_for_others_than(self, plan: TotalsPlan) -> bool:
        """Whether accounts are asked for that this plan does not ask about."""
        return self.scope.account_ids != plan.account_ids

    def stop_timer(self) -> None:
        """Let nobody be sent by the clock any more."""
        if self.timer is not None:
            self.timer.cancel()


def _share(result: _Totals, group: _Group) -> None:
    """Give everyone the rows of their own accounts, and of no other."""
    by_account: dict[str | None, list[TotalsRow]] = {}
    for row in result.rows:
        by_account.setdefault(row.account_id, []).append(row)
    for waiter, plan in _waiting(group):
        if not group.is_for_others_than(plan):
            waiter.set_result(result)
            continue
        accounts = plan.account_ids or ()
        rows = tuple(row for each in accounts for row in by_account.get(each, ()))
        # How much the store held of everyone's accounts says nothing about this plan's.
        waiter.set_result(replace(result, rows=rows, snapshot=0))


def _waiting(group: _Group) -> list[tuple[_Answer, TotalsPlan]]:
    return [(waiter, plan) for waiter, plan in group.plans.items() if not waiter.done()]


def _size(scope: Scope) -> int:
    return len(scope.account_ids or ())
