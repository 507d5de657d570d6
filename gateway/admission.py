"""What an operation must pass before it may cost anything: its document's caps, its cost, a budget."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NamedTuple

from gateway.budget.balance import Balance
from gateway.budget.subjects import Budgets
from gateway.caller import Caller
from gateway.document_line import DocumentLine
from gateway.errors import CostLimitExceededError, DocumentRefusedError, RateLimitedError
from gateway.http_request import OperationRequest
from gateway.preparation import Preparation, Prepared

NEW_DOCUMENT_COST = 20
"""Points for a document that is not known here: it has to be parsed and validated, or refused."""

TOKENS_INCLUDED = 100
TOKENS_A_POINT = 4
"""A longer one costs more: checking a token takes about 15 µs, and a point stands for 50."""


class Asker(NamedTuple):
    """Who pays: the caller, or the address where nobody is known."""

    caller: Caller
    address: str


class Admission:
    """Judges operations, and charges those who ask."""

    def __init__(self, preparation: Preparation, budgets: Budgets, max_cost: int) -> None:
        self.preparation = preparation
        self.budgets = budgets
        self._max_cost = max_cost
        self._line = DocumentLine(preparation.check, preparation.keep)

    async def prepare(self, text: str, asker: Asker) -> Prepared:
        """The document; raises a `CallerError` if it is over its caps or the budget is spent."""
        known = self.preparation.known(text)
        if known is not None:
            return known
        try:
            tokens = self.preparation.count(text)
        except DocumentRefusedError:
            await self._take(asker, NEW_DOCUMENT_COST)
            raise
        self._line.require_room(text, tokens, asker)
        longer = max(0, tokens - TOKENS_INCLUDED) // TOKENS_A_POINT
        await self._take(asker, NEW_DOCUMENT_COST + longer)
        try:
            return await self._line.checked(text, tokens, asker)
        except DocumentRefusedError as error:
            # Its frames hold the document's tree and the task that holds it: a cycle.
            raise error.with_traceback(None) from None

    def cost(self, prepared: Prepared, asked: OperationRequest) -> int:
        """What the operation costs; raises `CostLimitExceededError` above what one may."""
        cost = self.preparation.cost(prepared, asked.operation_name, asked.variables or {})
        if cost > self._max_cost:
            raise CostLimitExceededError(
                f"The operation costs {cost} points; one operation may cost up to {self._max_cost}. "
                "Ask for fewer rows, accounts or fields at once."
            )
        return cost

    async def _take(self, asker: Asker, cost: int) -> None:
        charged = self.charge(asker, cost)
        if not isinstance(charged, Balance):
            await charged

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
