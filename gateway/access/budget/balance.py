"""A caller's bucket as a value: how it fills, what a charge leaves, how long to wait. Pure."""

from __future__ import annotations

import math
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` points flow in each second, up to `burst`; a rate of 0 is no limit at all."""

    per_s: int
    burst: int

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self.per_s > 0


UNLIMITED = Rate(0, 1)


class Balance(NamedTuple):
    """What became of a charge; `budget` and `remaining` are `None` where there is no limit.

    `retry_after_s`: 0 if the charge was taken; else whole seconds until it can be.
    """

    requested: int
    budget: int | None = None
    remaining: int | None = None
    reset_s: int = 0
    retry_after_s: int = 0

    @property
    def granted(self) -> bool:
        """Whether the charge was taken."""
        return self.retry_after_s == 0

    def extensions(self) -> dict[str, Any]:
        """As `extensions.cost` tells it; `resetSeconds` is until the bucket is full again."""
        told: dict[str, Any] = {
            "requested": self.requested,
            "budget": self.budget,
            "remaining": self.remaining,
        }
        return told if self.budget is None else told | {"resetSeconds": self.reset_s}

    @property
    def json(self) -> bytes:
        """The same as JSON, which every answer carries."""
        if self.budget is None:
            return b'{"requested":%d,"budget":null,"remaining":null}' % self.requested
        told = (self.requested, self.budget, self.remaining or 0, self.reset_s)
        return b'{"requested":%d,"budget":%d,"remaining":%d,"resetSeconds":%d}' % told


def balance(rate: Rate, cost: int, tokens_after: float, granted: bool) -> Balance:
    """The balance of a bucket that holds `tokens_after` points after a charge was taken or not."""
    remaining = max(0, math.floor(tokens_after))
    reset_s = math.ceil((rate.burst - tokens_after) / rate.per_s)
    missing = min(cost, rate.burst) - tokens_after
    wait_s = 0 if granted else max(1, math.ceil(missing / rate.per_s))
    return Balance(cost, rate.burst, remaining, max(0, reset_s), wait_s)


class Budget(Protocol):
    """Charges callers."""

    def charge(self, subject: str, cost: int) -> Balance | Awaitable[Balance]:
        """Take `cost` points from a subject's bucket if it holds them.

        At once where that is known here; to be awaited where somebody has to be asked.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
