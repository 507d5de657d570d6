"""A store in front of the store: what is asked about small accounts is answered from their rows in memory.

The first question about an account brings all its entries of the last months, later ones only what arrived
since the last look. Rows are looked up by a plan's accounts alone, which its caller has proven to be his. What
is older than these months, of the network, of a large account or of another kind is the store's to answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from gateway.access.caller import Scope
from gateway.analytics.asking import PlanRow, StoreResult
from gateway.analytics.calendars import DAY_MS
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import PartialAnswerError, StoreUnavailableError
from gateway.process import beside
from gateway.process.bounded_store import BoundedStore
from gateway.process.clock import EpochMs, Monotonic
from gateway.store.overload.party import Party
from gateway.store.overload.store import AdmittedStore, PartyStore
from gateway.store.rows import answers
from gateway.store.rows.answers import About
from gateway.store.rows.asked import RowsPlan
from gateway.store.rows.asking import Lane
from gateway.store.rows.held import Held

LOADED_FOR_S = 600.0
"""After this all of an account's rows are asked for anew; for so long, too, an account counts as large."""

LOOKS_EVERY_S, ACCOUNTS_A_LOOK = 0.025, 200
LOADS_EVERY_S, ACCOUNTS_A_LOAD = 0.010, 4
LARGE_BYTES = 300
LEFT_ALONE_S = 5.0
"""After rows could not be had, for so long the store is asked as if none were kept."""

Count = Callable[[str], None]
"""Called with where an account's answer came from: `memory`, `look`, `load` or `store`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept: bytes in all, rows an account, days back; and for how long without another look.

    That is `fresh_s` while there is room before the store, else `budget_s`.
    """

    max_bytes: int
    max_rows: int
    days: int
    fresh_s: float
    budget_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Large:
    """An account of too many rows, until when."""

    until_s: float


@dataclass(eq=False, slots=True)
class _Flight:
    """One account's rows being made current, for all who wait for them."""

    task: asyncio.Task[Held | None]
    waiting: int = 0


class KeptRows:
    """The rows of small accounts in one process; bounded in bytes."""

    def __init__(
        self,
        store: AdmittedStore,
        bounds: Bounds,
        epoch_ms: EpochMs,
        monotonic: Monotonic,
        count: Count = lambda _: None,
    ) -> None:
        self._bounds = bounds
        self._gate = store.gate
        self._epoch_ms = epoch_ms
        self._monotonic = monotonic
        self._count = count
        self._kept: BoundedStore[Held | _Large] = BoundedStore(bounds.max_bytes)
        self._making: dict[str, _Flight] = {}
        self._left_alone_until_s = float("-inf")
        fetch = store.fetch
        self._looks = Lane(fetch, self._plan, LOOKS_EVERY_S, ACCOUNTS_A_LOOK, monotonic)
        self._loads = Lane(fetch, self._plan, LOADS_EVERY_S, ACCOUNTS_A_LOAD, monotonic)
        self._loads_alone = Lane(fetch, self._plan, 0.0, 1, monotonic)

    @property
    def bytes(self) -> int:
        """What all that is kept takes."""
        return self._kept.bytes

    def has(self, plan: QueryPlan[Any]) -> bool:
        """Whether a plan is answered without asking the store for anything."""
        about = answers.about(plan)
        if about is None or about.interval.start_ms < self._start_ms():
            return False
        return all(self._is_fresh(self._kept.get(each)) for each in about.accounts)

    async def answer(
        self, plan: QueryPlan[PlanRow], timeout_s: float, party: Party
    ) -> StoreResult[PlanRow] | None:
        """A plan's answer out of rows; `None` if it is the store's to answer.

        Raises `DeadlineExceededError` and `OverloadedError` as the store does.
        """
        about = answers.about(plan)
        if about is None:
            return None
        asked_s = self._monotonic()
        held = await self._all_current(about, timeout_s, party)
        if held is None:
            self._count("store")
            return None
        rows_of = {name: each.rows for name, each in held.items()}
        rows = await beside.done(
            sum(map(len, rows_of.values())), lambda: answers.rows_of(plan, rows_of)
        )
        as_of_ms = min(each.as_of_ms for each in held.values())
        # What the store holds of several accounts together has another number than of each.
        snapshot = max(each.snapshot for each in held.values()) if len(held) == 1 else 0
        age_s = max(0.0, asked_s - min(each.looked_s for each in held.values()))
        return StoreResult(cast("tuple[PlanRow, ...]", rows), as_of_ms, snapshot, age_s=age_s)

    async def _all_current(
        self, about: About, timeout_s: float, party: Party
    ) -> dict[str, Held] | None:
        """The rows of all accounts of a plan, if they are kept and reach back so far."""
        if about.interval.start_ms < self._start_ms():
            return None
        # Rows of several accounts are more work than their totals: only what is there anyway is used.
        if len(about.accounts) > 1 and not all(map(self._is_held, about.accounts)):
            return None
        current = [self._current(each, about.scope, timeout_s, party) for each in about.accounts]
        found = await asyncio.gather(*current) if len(current) > 1 else [await current[0]]
        held = {
            account_id: each
            for account_id, each in zip(about.accounts, found, strict=True)
            if each is not None
        }
        return held if len(held) == len(found) else None

    def _start_ms(self) -> int:
        """From when on entries are kept: the beginning of a day of UTC."""
        return (self._epoch_ms() // DAY_MS - self._bounds.days) * DAY_MS

    def _is_held(self, account_id: str) -> bool:
        return isinstance(self._kept.get(account_id), Held)

    def _is_fresh(self, kept: Held | _Large | None) -> bool:
        """Whether it is what a look would tell, but for what came within so short a time."""
        if not isinstance(kept, Held) or kept.start_ms > self._start_ms():
            return False
        bounds = self._bounds
        limit_s = max(bounds.fresh_s, bounds.budget_s) if self._gate.queued else bounds.fresh_s
        return self._monotonic() - kept.looked_s <= limit_s

    async def _current(
        self, account_id: str, scope: Scope, timeout_s: float, party: Party
    ) -> Held | None:
        """The account's rows as of now; `None` of a large one, or if they cannot be had."""
        kept = self._kept.get(account_id)
        if isinstance(kept, _Large) and self._monotonic() < kept.until_s:
            return None
        if isinstance(kept, Held) and self._is_fresh(kept):
            self._count("memory")
            return kept
        if self._monotonic() < self._left_alone_until_s:
            return None
        flight = self._making.get(account_id)
        if flight is None:
            held = kept if isinstance(kept, Held) else None
            making = self._make(account_id, held, scope, timeout_s, party)
            flight = self._making[account_id] = _Flight(asyncio.ensure_future(making))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except (StoreUnavailableError, PartialAnswerError):
            # A memory is never the reason why an answer fails.
            self._left_alone_until_s = self._monotonic() + LEFT_ALONE_S
            return None
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                # Whoever comes next must not join what is being given up.
                del self._making[account_id]
                flight.task.cancel()

    async def _make(
        self, account_id: str, held: Held | None, scope: Scope, timeout_s: float, party: Party
    ) -> Held | None:
        until_s = self._monotonic() + timeout_s
        made = None
        if held is not None and self._can_go_on(held):
            since_ms = held.arrived_since_ms
            told = await self._looks.ask(account_id, scope, since_ms, timeout_s, party)
            self._count("look")
            if not told.rows.cut:
                made = await beside.done(len(held.rows), partial(held.with_, told))
        if made is None:
            made = await self._loaded(account_id, scope, until_s, party)
        if made is None or len(made.rows) > self._bounds.max_rows:
            self._kept.put(account_id, _Large(self._monotonic() + LOADED_FOR_S), LARGE_BYTES)
            return None
        self._kept.put(account_id, made, made.bytes + len(account_id))
        return made

    def _can_go_on(self, held: Held) -> bool:
        is_old = self._monotonic() - held.loaded_s > LOADED_FOR_S
        return not is_old and held.start_ms <= self._start_ms()

    async def _loaded(
        self, account_id: str, scope: Scope, until_s: float, party: Party
    ) -> Held | None:
        """All of an account's rows; `None` if they are too many, alone as well as with others'."""
        for lane in (self._loads, self._loads_alone):
            left_s = until_s - self._monotonic()
            told = await lane.ask(account_id, scope, None, left_s, party)
            self._count("load")
            if not told.rows.cut:
                return await beside.done(len(told.rows.rows), partial(Held.of, told))
        return None

    def _plan(self, scope: Scope, since_ms: int | None) -> RowsPlan:
        return RowsPlan(scope, self._start_ms(), since_ms, self._bounds.max_rows + 1)


@dataclass(frozen=True, slots=True)
class RowsStore:
    """The store as it is asked for one operation, with the memory of rows before it."""

    kept: KeptRows
    behind: PartyStore

    def admit(self, plan: QueryPlan[Any]) -> None:
        """Raise `OverloadedError` if an operation that asks this first would only wait."""
        if not self.kept.has(plan):
            self.behind.admit(plan)

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """The answer, from rows if it can be."""
        found = await self.kept.answer(plan, timeout_s, self.behind.party)
        return found if found is not None else await self.behind.fetch(plan, timeout_s)
