"""One operation's view of the store: equal plans are asked once, totals of one tick together."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, TypeVar, cast

from gateway.access.caller import Scope
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Direction, Interval
from gateway.analytics.query_plan import QueryPlan, TotalsPlan, TotalsRow
from gateway.errors import CostLimitExceededError, DeadlineExceededError, OverloadedError
from gateway.process.clock import Deadline
from gateway.store.far import FarStore
from gateway.store.port import Answering

PlanRow = TypeVar("PlanRow")
Made = TypeVar("Made")
_BatchKey: TypeAlias = tuple[bool, Interval, bool, str | None, Scope | None]
"""Whether of the network, when, whether by kind, with whom alone, and of whom if only without themselves."""


class OperationStore:
    """The store as the fields of one operation share it; dies with the operation."""

    def __init__(
        self,
        store: Answering,
        deadline: Deadline,
        max_queries: int,
        admit: Callable[[QueryPlan[Any]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._deadline = deadline
        self._max_queries = max_queries
        self._admit = admit
        self._refusal: OverloadedError | None = None
        self._asked: dict[QueryPlan[Any], asyncio.Task[StoreResult[Any]]] = {}
        self._batches: dict[_BatchKey, _Batch] = {}
        self._made: dict[int, tuple[object, asyncio.Task[Any]]] = {}
        self.queries = 0
        self.seconds = 0.0

    def leave(self) -> None:
        """Have the fields asked out of another thread from now on; to be called in the store's own loop."""
        self._store, self._admit = FarStore(self._store, self._admit), lambda _: None

    async def fetch(
        self, plan: QueryPlan[PlanRow], not_before: int | None = None
    ) -> StoreResult[PlanRow]:
        """The plan's answer, shared with equal plans of this operation.

        With `not_before`, an answer of an older snapshot is not shared but asked for again.
        """
        known = self._covering(plan, not_before)
        if known is not None:
            result = await asyncio.shield(known)
            if not_before is None or result.snapshot >= not_before:
                return _narrow(plan, result)
        if isinstance(plan, TotalsPlan):
            return cast("StoreResult[PlanRow]", await self._batched(plan))
        return await asyncio.shield(self._ask(plan))

    async def once(self, about: object, make: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """What is made of this operation's answers about one object, for all fields that need it."""
        # The object is kept with it: its number would be another's when it is gone.
        _, task = self._made.get(id(about)) or (None, None)
        if task is None:
            task = asyncio.ensure_future(make())
            self._made[id(about)] = about, task
        made: Made = await asyncio.shield(task)
        return made

    @property
    def answered(self) -> dict[QueryPlan[Any], StoreResult[Any]]:
        """What the store has answered so far."""
        return {
            plan: task.result()
            for plan, task in self._asked.items()
            if task.done() and not task.cancelled() and task.exception() is None
        }

    async def close(self) -> None:
        """Stop what nobody waits for any more."""
        tasks = [*(task for _, task in self._made.values()), *self._asked.values()]
        running = [task for task in tasks if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                # Looked at, so that nobody logs that an error was not.
                task.exception()

    def _covering(
        self, plan: QueryPlan[PlanRow], not_before: int | None
    ) -> asyncio.Task[StoreResult[PlanRow]] | None:
        task = self._asked.get(plan)
        if task is None and isinstance(plan, TotalsPlan):
            for asked, candidate in self._asked.items():
                if isinstance(asked, TotalsPlan) and _covers(asked, plan, not_before):
                    return candidate
        return task

    def _ask(self, plan: QueryPlan[PlanRow]) -> asyncio.Task[StoreResult[PlanRow]]:
        # Whether a plan has to be asked again, for a newer snapshot, is not the operation's choice.
        if plan not in self._asked and self.queries >= self._max_queries:
            raise CostLimitExceededError(
                f"One operation may need up to {self._max_queries} store queries; "
                "ask for fewer fields or accounts at once."
            )
        self._admit_once(plan)
        self.queries += 1
        task = asyncio.ensure_future(self._timed(plan))
        self._asked[plan] = task
        return task

    def _admit_once(self, plan: QueryPlan[Any]) -> None:
        """An operation is let in with its first query, or refused whole."""
        if self._refusal is not None:
            raise self._refusal
        if self.queries == 0:
            try:
                self._admit(plan)
            except OverloadedError as error:
                self._refusal = error
                raise

    async def _timed(self, plan: QueryPlan[PlanRow]) -> StoreResult[PlanRow]:
        started_s = self._deadline.monotonic()
        remaining_s = self._deadline.remaining_s()
        try:
            async with asyncio.timeout(remaining_s):
                return await self._store.fetch(plan, remaining_s)
        except TimeoutError as error:
            raise DeadlineExceededError(
                f"{type(plan).__name__} took over {remaining_s:.3f} s"
            ) from error
        finally:
            self.seconds += self._deadline.monotonic() - started_s

    async def _batched(self, plan: TotalsPlan) -> StoreResult[TotalsRow]:
        apart = plan.scope if plan.outside else None
        key = (plan.account_ids is None, plan.interval, plan.by_kind, plan.counterparty_id, apart)
        batch = self._batches.get(key)
        if batch is None:
            loop = asyncio.get_running_loop()
            batch = self._batches[key] = _Batch(plan, loop.create_future())
            # The other fields of this step of the execution run before this callback.
            loop.call_soon(self._flush, key)
        if batch.plan != plan:
            batch.plan = _union(batch.plan, plan)
        # One field that is given up must not take the others' answer with it.
        task = await asyncio.shield(batch.asked)
        return _narrow(plan, await asyncio.shield(task))

    def _flush(self, key: _BatchKey) -> None:
        batch = self._batches.pop(key)
        try:
            batch.asked.set_result(self._ask(batch.plan))
        except (CostLimitExceededError, OverloadedError) as error:
            batch.asked.set_exception(error)


@dataclasses.dataclass(slots=True)
class _Batch:
    """Totals of one interval that are about to be asked for together."""

    plan: TotalsPlan
    asked: asyncio.Future[asyncio.Task[StoreResult[TotalsRow]]]


def _union(left: TotalsPlan, right: TotalsPlan) -> TotalsPlan:
    return dataclasses.replace(
        left, scope=left.scope | right.scope, directions=left.directions | right.directions
    )


def _covers(asked: TotalsPlan, plan: TotalsPlan, not_before: int | None) -> bool:
    """Whether the answer holds the plan's rows; snapshots compare between equal accounts only."""
    if (asked.interval, asked.by_kind) != (plan.interval, plan.by_kind):
        return False
    if (asked.counterparty_id, asked.outside) != (plan.counterparty_id, plan.outside):
        return False
    if not asked.directions >= plan.directions:
        return False
    is_network = asked.account_ids is None or plan.account_ids is None
    if is_network or plan.outside or not_before is not None:
        return asked.account_ids == plan.account_ids
    assert asked.account_ids is not None
    assert plan.account_ids is not None
    return asked.account_ids >= plan.account_ids


def _narrow(plan: QueryPlan[PlanRow], result: StoreResult[PlanRow]) -> StoreResult[PlanRow]:
    if not isinstance(plan, TotalsPlan):
        return result
    directions: frozenset[Direction] = plan.directions
    rows = tuple(
        row
        for row in cast("tuple[TotalsRow, ...]", result.rows)
        if row.direction in directions
        and (plan.account_ids is None or row.account_id in plan.account_ids)
    )
    if len(rows) == len(result.rows):
        return result
    return dataclasses.replace(result, rows=cast("tuple[PlanRow, ...]", rows))
