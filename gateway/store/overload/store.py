"""A store behind its gate and its breaker: the same port, asked no more than it can take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import DeadlineExceededError, OverloadedError, StoreUnavailableError
from gateway.process.clock import Deadline, Monotonic
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate
from gateway.store.overload.party import Party
from gateway.store.port import Store

PlanRow = TypeVar("PlanRow")

_LEFT_ALONE = "the store failed again and again: it is left alone for a moment"
_ITSELF = "the gateway"
"""Pays for what nobody asked for."""
_HEAD_START_S = 0.005
"""The gate sees that time is up this much before the operation does, which gives up on all of it."""


Observe = Callable[[str, float], None]
"""Called with a plan's name and the seconds that its answer took, its turn's waiting included."""


@dataclass(frozen=True, slots=True)
class AdmittedStore:
    """A store that is not asked more at once than it answers well.

    `observe` is told of each query. A look at the progress is none: many share one, and probes ask for it.
    """

    store: Store
    gate: Gate
    breaker: Breaker
    monotonic: Monotonic
    observe: Observe = lambda _name, _seconds: None

    @property
    def sample_data(self) -> bool:
        """As the store has it."""
        return self.store.sample_data

    async def open(self) -> None:
        """Make the store ready."""
        await self.store.open()

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    async def fetch(
        self, plan: QueryPlan[PlanRow], timeout_s: float, party: Party | None = None
    ) -> StoreResult[PlanRow]:
        """The store's answer, when it is the party's turn; without one it is the gateway that asks."""
        is_shared = isinstance(plan, ProgressPlan)
        if is_shared:
            # Served from a look that many share; and it is how one sees that the store is back.
            return await self.store.fetch(plan, timeout_s)
        began_s = self.monotonic()
        try:
            return await self._in_turn(plan, timeout_s, party)
        finally:
            self.observe(type(plan).__name__, self.monotonic() - began_s)

    async def _in_turn(
        self, plan: QueryPlan[PlanRow], timeout_s: float, party: Party | None
    ) -> StoreResult[PlanRow]:
        if self.breaker.rests:
            raise StoreUnavailableError(_LEFT_ALONE)
        deadline = Deadline.after(max(0.0, timeout_s - _HEAD_START_S), self.monotonic)
        party = party or Party([_ITSELF])
        return await self.gate.run(party, kind_of(plan), lambda: self._fetch(plan, deadline))

    async def _fetch(self, plan: QueryPlan[PlanRow], deadline: Deadline) -> StoreResult[PlanRow]:
        remaining_s = deadline.remaining_s()
        if not self.breaker.lets_through():
            raise StoreUnavailableError(_LEFT_ALONE)
        try:
            async with asyncio.timeout(remaining_s):
                result = await self.store.fetch(plan, remaining_s)
        except TimeoutError as error:
            self.breaker.failed()
            raise DeadlineExceededError(f"no answer in {remaining_s:.3f} s") from error
        except (StoreUnavailableError, DeadlineExceededError):
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return result


@dataclass(frozen=True, slots=True)
class PartyStore:
    """The store as it is asked for one operation: at the expense of those who wait for it."""

    admitted: AdmittedStore
    party: Party

    def admit(self, _plan: QueryPlan[Any]) -> None:
        """Raise `OverloadedError` if an operation that asks now, whatever for, would only wait."""
        gate = self.admitted.gate
        if all(gate.is_full_for(payer) for payer in self.party.payers):
            raise OverloadedError(f"{gate.queued} store queries wait already")

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """The store's answer, when it is the party's turn."""
        return await self.admitted.fetch(plan, timeout_s, self.party)


def kind_of(plan: QueryPlan[Any]) -> str | None:
    """Whose times a plan's time is compared with; `None`: nobody's.

    How long totals or rows of several accounts take says more about how many there are than about the
    store.
    """
    name, account_ids = type(plan).__name__, getattr(plan, "account_ids", frozenset({""}))
    if account_ids is None:
        return f"{name} of all"
    return name if len(account_ids) == 1 else None
