"""Which bucket a request is charged to: the caller's, or the address's where nobody is known."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from gateway.access.budget.balance import Balance, Budget
from gateway.access.caller import EVERYONE, Caller
from gateway.process.addresses import owner


def payer_of(caller: Caller, address: str) -> str:
    """Who pays: the caller, or whose address it is where nobody is known."""
    if caller is EVERYONE:
        return f"address:{owner(address)}"
    return f"caller:{caller.subject}"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Two rates: for callers who said who they are, and for addresses."""

    known: Budget
    anonymous: Budget

    def charge(self, caller: Caller, address: str, cost: int) -> Balance | Awaitable[Balance]:
        """Charge whoever asks."""
        budget = self.anonymous if caller is EVERYONE else self.known
        return budget.charge(payer_of(caller, address), cost)

    async def close(self) -> None:
        """Give connections back."""
        await self.known.close()
        await self.anonymous.close()
