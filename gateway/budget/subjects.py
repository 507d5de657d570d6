"""Which bucket a request is charged to: the caller's, or the address's where nobody is known."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from gateway.budget.balance import Balance, Budget
from gateway.caller import EVERYONE, Caller


@dataclass(frozen=True, slots=True)
class Budgets:
    """Two rates: for callers who said who they are, and for addresses."""

    known: Budget
    anonymous: Budget

    def charge(self, caller: Caller, address: str, cost: int) -> Balance | Awaitable[Balance]:
        """Charge whoever asks."""
        if caller is EVERYONE:
            return self.anonymous.charge(f"address:{address}", cost)
        return self.known.charge(f"caller:{caller.subject}", cost)

    async def close(self) -> None:
        """Give connections back."""
        await self.known.close()
        await self.anonymous.close()
