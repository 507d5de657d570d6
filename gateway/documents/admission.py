"""What an operation must pass before it may cost anything: its document's caps, its cost, a budget."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NamedTuple

from graphql import DocumentNode, OperationDefinitionNode
from graphql.execution import VariableValues

from gateway.access.budget.balance import Balance
from gateway.access.budget.subjects import Budgets, payer_of
from gateway.access.caller import Caller
from gateway.documents.cost.pricing import Price
from gateway.documents.line import DocumentLine
from gateway.documents.paid import PaidDocuments
from gateway.documents.preparation import Preparation, Prepared, digest_of
from gateway.errors import CostLimitExceededError, DocumentRefusedError, RateLimitedError

NEW_DOCUMENT_COST = 20
"""Points for a document that the asker has not paid for yet: it has to be parsed and validated, or refused.

It is the same if others had it checked before: what a caller pays tells nothing of them.
"""

TOKENS_INCLUDED = 100
TOKENS_A_POINT = 4
"""A longer one costs more: checking a token takes about 15 µs, and a point stands for 50."""

CHARACTERS_INCLUDED = 4_096
CHARACTERS_A_POINT = 64
"""The same of its text: a character of a string takes up to 0.7 µs, and few tokens may have many."""

VALUES_INCLUDED = 60
VALUES_A_POINT = 25
"""More values in variables cost more: reading and coercing one takes about 2 µs."""


class Asker(NamedTuple):
    """Who asks, and from where."""

    caller: Caller
    address: str

    @property
    def payer(self) -> str:
        """Who pays for it, with points and with places."""
        return payer_of(self.caller, self.address)


class Admission:
    """Judges operations, and charges those who ask."""

    def __init__(
        self, preparation: Preparation, budgets: Budgets, max_cost: int, max_values: int
    ) -> None:
        self.preparation = preparation
        self.budgets = budgets
        self._max_cost = max_cost
        self._max_values = max_values
        self._line = DocumentLine(preparation.check, preparation.keep)
        self._paid = PaidDocuments()

    def known(self, text: str, asker: Asker, *, trusted: bool = False) -> Prepared | None:
        """The document if it is kept and the asker owes nothing for it: trusted ones are free."""
        known = self.preparation.known(text)
        if known is None or trusted or self._paid.has(asker.payer, known.key):
            return known
        return None

    async def prepare(self, text: str, asker: Asker, *, trusted: bool = False) -> Prepared:
        """The document; raises a `CallerError` if it is over its caps or the budget is spent."""
        known = self.preparation.known(text)
        cost = NEW_DOCUMENT_COST + max(0, len(text) - CHARACTERS_INCLUDED) // CHARACTERS_A_POINT
        try:
            tokens = self.preparation.count(text) if known is None else known.tokens
        except DocumentRefusedError:
            await self._take(asker, cost)
            raise
        if known is None:
            self._line.require_room(text, tokens, asker.payer)
        # Off the list until it is checked: whoever hangs up in the middle pays for the next time.
        paid = self._paid.drop(asker.payer, digest_of(text))
        if not paid and not trusted:
            longer = max(0, tokens - TOKENS_INCLUDED) // TOKENS_A_POINT
            await self._take(asker, cost + longer)
        try:
            prepared = known or await self._line.checked(text, tokens, asker.payer)
        except DocumentRefusedError as error:
            # Its frames hold the document's tree and the task that holds it: a cycle.
            raise error.with_traceback(None) from None
        if not trusted:
            self._paid.add(asker.payer, prepared.key, prepared.size(text))
        return prepared

    def price(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        values: VariableValues,
        given: int,
    ) -> Price:
        """What the operation costs; raises `CostLimitExceededError` above what one may.

        `given` is how many values its variables were sent with.
        """
        points, held, own = self.preparation.price(document, operation, values)
        points += max(0, given - VALUES_INCLUDED) // VALUES_A_POINT
        if points > self._max_cost:
            raise CostLimitExceededError(
                f"The operation costs {points} points; one operation may cost up to {self._max_cost}. "
                "Ask for fewer rows, accounts or fields at once."
            )
        if held > self._max_values:
            raise CostLimitExceededError(
                f"The answer can hold {held} values; one may hold up to {self._max_values}. "
                "Ask for fewer rows, points or fields at once."
            )
        return Price(points, held, own)

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
        raise RateLimitedError(*balance)
    return balance
