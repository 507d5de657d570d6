"""A circuit breaker: a store that has failed again and again is left alone for a moment."""

from __future__ import annotations

from gateway.clock import Monotonic


class Breaker:
    """Opens after `failures` in a row; after `rest_s` lets one call through to see."""

    def __init__(self, failures: int, rest_s: float, monotonic: Monotonic) -> None:
        self._allowed = failures
        self._rest_s = rest_s
        self._monotonic = monotonic
        self._failures = 0
        self._tried_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for one now and then."""
        return self._failures >= self._allowed

    def lets_through(self) -> bool:
        """Whether a call may be made now; asking counts as making it."""
        if not self.is_open:
            return True
        now_s = self._monotonic()
        if now_s - self._tried_s < self._rest_s:
            return False
        self._tried_s = now_s
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self) -> None:
        """A call was not answered."""
        self._failures += 1
        if self.is_open:
            self._tried_s = self._monotonic()
