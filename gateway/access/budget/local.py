"""Buckets in this process: a token bucket a caller, the least recently charged forgotten first."""

from __future__ import annotations

from collections import OrderedDict

from gateway.access.budget.balance import Balance, Rate, balance
from gateway.process.clock import Monotonic

MAX_SUBJECTS = 100_000
"""Buckets kept. A caller whose bucket is forgotten starts anew with a full one."""


class LocalBudget:
    """A bucket for each subject; a bucket that was never charged is full."""

    def __init__(self, rate: Rate, monotonic: Monotonic, max_subjects: int = MAX_SUBJECTS) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._max_subjects = max_subjects
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def charge(self, subject: str, cost: int) -> Balance:
        """Take the points if they are there.

        A cost beyond the whole bucket needs a full one, and empties it: it is not refused for ever.
        A cost below zero gives points back.
        """
        rate = self._rate
        if not rate.limited:
            return Balance(cost)
        now_s = self._monotonic()
        tokens, since_s = self._buckets.get(subject, (float(rate.burst), now_s))
        tokens = min(float(rate.burst), tokens + (now_s - since_s) * rate.per_s)
        price = min(cost, rate.burst)
        granted = tokens >= price
        if granted:
            tokens -= price
        self._buckets[subject] = tokens, now_s
        self._buckets.move_to_end(subject)
        if len(self._buckets) > self._max_subjects:
            self._buckets.popitem(last=False)
        return balance(rate, cost, tokens, granted)

    async def close(self) -> None:
        """Nothing to give back."""
