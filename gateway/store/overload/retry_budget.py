"""Retries within a budget: what succeeds pays for few of what fails, so an outage is not doubled."""

from __future__ import annotations

MOST = 10.0
PER_SUCCESS = 0.1


class RetryBudget:
    """One retry for ten successes, and a few in hand."""

    def __init__(self) -> None:
        self._left = MOST

    def succeeded(self) -> None:
        """A call was answered."""
        self._left = min(MOST, self._left + PER_SUCCESS)

    def takes_one(self) -> bool:
        """Whether one more call may be made again."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
