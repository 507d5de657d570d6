"""One answer to one who asks: paid for, taken ready where it is, else made once for all who wait.

Whoever asks once and whoever is told again and again take their answers here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

from gateway.access.budget.balance import Balance
from gateway.access.caller import Caller
from gateway.documents.admission import Admission, Asker
from gateway.errors import OverloadedError
from gateway.execution.operation import Execution, Operation
from gateway.execution.outcome import Outcome, overloaded
from gateway.http.reading import Answerable, Reading
from gateway.response_cache.cache import Computed, ResponseCache, Served, Status
from gateway.response_cache.entry import Entry
from gateway.response_cache.key import Key
from gateway.store.overload.party import Party
from gateway.store.overload.shedding import Shedding

WhileThere = Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]
"""Waits only as long as whoever asks is there; raises `ClientGoneError` else."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Takes answers; `on_paid` is told the points of each."""

    admission: Admission
    reading: Reading
    cache: ResponseCache[Outcome] | None
    execution: Execution
    shedding: Shedding
    on_paid: Callable[[int], None]

    async def charge(self, cost: int, asker: Asker) -> Balance:
        """Take so many points; raises `RateLimitedError` if the budget is too small."""
        charged = self.admission.charge(asker, cost)
        balance = charged if isinstance(charged, Balance) else await charged
        self.on_paid(cost)
        return balance

    def ready(self, answerable: Answerable, since_s: float | None = None) -> Entry | None:
        """A kept answer that is fresh, or was asked for at `since_s` (monotonic) or later."""
        return None if self.cache is None else self.cache.fresh(answerable.key, since_s)

    async def made(
        self, answerable: Answerable, asker: Asker, request_id: str, while_there: WhileThere
    ) -> Served[Outcome]:
        """What is made now or stands in for it.

        Raises a `CallerError` or `OverloadedError` if its document has to be checked again and may not,
        and what `while_there` does.
        """
        key: Hashable = object() if self.cache is None else answerable.key
        refusal = self._refusal(answerable, key, asker.payer)
        if refusal is not None:
            return self.instead(answerable, overloaded(refusal))
        operation = await self.reading.operation(answerable, asker, while_there)
        with self.shedding.beginning(key, asker.payer) as party:
            made: Served[Outcome] = await while_there(
                self._served(answerable.key, operation, asker.caller, party, request_id)
            )
            return made

    def instead(self, answerable: Answerable, told: Outcome) -> Served[Outcome]:
        """An older answer within the budget, or what is told."""
        if self.cache is None:
            return Served(Status.MISS, None, told)
        return self.cache.instead(answerable.key, told)

    async def close(self) -> None:
        """Stop what is being made."""
        if self.cache is not None:
            await self.cache.close()

    def _refusal(self, answerable: Answerable, key: Hashable, payer: str) -> OverloadedError | None:
        if self.cache is not None and self.cache.is_being_made(answerable.key):
            return None
        return self.shedding.refusal(key, payer)

    async def _served(
        self, key: Key, operation: Operation, caller: Caller, party: Party, request_id: str
    ) -> Served[Outcome]:
        async def compute() -> Computed[Outcome]:
            outcome = await self.execution.answer(operation, caller, party, request_id)
            true_for_s = outcome.true_for_s
            if outcome.field_class is None:
                return Computed(
                    outcome,
                    store_failed=outcome.store_failed,
                    turned_away=outcome.turned_away,
                    true_for_s=true_for_s,
                )
            kept = outcome.content, outcome.field_class, outcome.group
            return Computed(outcome, *kept, true_for_s=true_for_s, age_s=outcome.age_s)

        if self.cache is None:
            return Served(Status.MISS, None, (await compute()).told)
        return await self.cache.answer(key, compute, pressed=self.shedding.pressed)
