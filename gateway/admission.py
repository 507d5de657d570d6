"""What an operation must pass before it may cost anything: its document's caps, its cost, a budget."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.budget.balance import Balance
from gateway.budget.subjects import Budgets
from gateway.caller import Caller
from gateway.errors import CostLimitExceededError, RateLimitedError
from gateway.http_request import OperationRequest
from gateway.preparation import Preparation, Prepared

NEW_DOCUMENT_COST = 20
"""Points for a document that is not known here: it has to be parsed and validated, or refused."""


class Asker(NamedTuple):
    """Who pays: the caller, or the address where nobody is known."""

    caller: Caller
    address: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Judges operations, and charges those who ask."""

    preparation: Preparation
    budgets: Budgets
    max_cost: int

    async def prepare(self, text: str, asker: Asker) -> Prepared:
        """The document; raises a `CallerError` if it is over its caps or the budget is spent."""
        known = self.preparation.known(text)
        if known is not None:
            return known
        charged = self.charge(asker, NEW_DOCUMENT_COST)
        if not isinstance(charged, Balance):
            await charged
        return self.preparation.prepare(text)

    def cost(self, prepared: Prepared, asked: OperationRequest) -> int:
        """What the operation costs; raises `CostLimitExceededError` above what one may."""
        cost = self.preparation.cost(prepared, asked.operation_name, asked.variables or {})
        if cost > self.max_cost:
            raise CostLimitExceededError(
                f"The operation costs {cost} points; one operation may cost up to {self.max_cost}. "
                "Ask for fewer rows, accounts or fields at once."
            )
        return cost

    def charge(self, asker: Asker, cost: int) -> Balance | Awaitable[Balance]:
        """Take the points, at once where that can be; raises `RateLimitedError` if there are too few."""
        charged = self.budgets.charge(asker.caller, asker.address, cost)
        return _granted(charged) if isinstance(charged, Balance) else _soon_granted(charged)


async def _soon_granted(charged: Awaitable[Balance]) -> Balance:
    return _granted(await charged)


def _granted(balance: Balance) -> Balance:
    if not balance.granted:
        raise RateLimitedError(balance)
    return balance
