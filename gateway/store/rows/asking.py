"""How rows are asked for: accounts that wait at the same time together, each batch at the expense of all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from gateway.access.caller import Scope
from gateway.analytics.asking import StoreResult
from gateway.process.clock import Monotonic
from gateway.store.overload.party import Party
from gateway.store.rows.asked import AccountRows, RowsPlan, Told

Fetch = Callable[[RowsPlan, float, Party], Awaitable[StoreResult[AccountRows]]]
Make = Callable[[Scope, int | None], RowsPlan]
"""The plan of some accounts, and since when at the earliest."""


@dataclass(eq=False, slots=True)
class _Batch:
    """Accounts that are asked about together; it takes more of them until it is `closed`."""

    scope: Scope
    since_ms: int | None
    until_s: float
    payers: list[Hashable]
    waiting: int = 0
    closed: bool = False
    task: asyncio.Task[_Answer] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A batch's answer, what was asked, and when."""

    result: StoreResult[AccountRows]
    plan: RowsPlan
    asked_s: float


class Lane:
    """Asks for rows: one batch begins at least `every_s` after the one before, with up to `most` accounts.

    Who comes when none began so lately does not wait.
    """

    def __init__(
        self, fetch: Fetch, make: Make, every_s: float, most: int, monotonic: Monotonic
    ) -> None:
        self._fetch = fetch
        self._make = make
        self._every_s = every_s
        self._most = most
        self._monotonic = monotonic
        self._next_s = 0.0
        self._open: _Batch | None = None

    async def ask(
        self, account_id: str, scope: Scope, since_ms: int | None, timeout_s: float, party: Party
    ) -> Told:
        """What is told of an account; raises what the store raises. `scope` is the proof for it."""
        until_s = self._monotonic() + timeout_s
        batch = self._joined(scope, since_ms, until_s, party)
        assert batch.task is not None
        batch.waiting += 1
        try:
            answer = await asyncio.shield(batch.task)
        finally:
            batch.waiting -= 1
            if not batch.waiting and not batch.task.done():
                batch.closed = True
                batch.task.cancel()
        rows = next(each for each in answer.result.rows if each.account_id == account_id)
        result = answer.result
        return Told(rows, answer.plan.start_ms, result.as_of_ms, answer.asked_s, result.erasures)

    def _joined(self, scope: Scope, since_ms: int | None, until_s: float, party: Party) -> _Batch:
        batch = self._open
        if batch is None or batch.closed:
            batch = self._open = _Batch(scope, since_ms, until_s, list(party.payers))
            batch.task = asyncio.ensure_future(self._run(batch))
        else:
            batch.scope |= scope
            if since_ms is not None and batch.since_ms is not None:
                batch.since_ms = min(since_ms, batch.since_ms)
            batch.until_s = max(until_s, batch.until_s)
            batch.payers += [each for each in party.payers if each not in batch.payers]
        if len(batch.scope.account_ids or ()) >= self._most:
            batch.closed = True
        return batch

    async def _run(self, batch: _Batch) -> _Answer:
        wait_s = self._next_s - self._monotonic()
        if wait_s > 0:
            self._next_s += self._every_s
            await asyncio.sleep(wait_s)
        else:
            self._next_s = self._monotonic() + self._every_s
        batch.closed = True
        asked_s = self._monotonic()
        plan = self._make(batch.scope, batch.since_ms)
        result = await self._fetch(plan, max(0.0, batch.until_s - asked_s), Party(batch.payers))
        return _Answer(result, plan, asked_s)
