"""A circuit breaker: a store that has failed again and again is left alone for a moment."""

from __future__ import annotations

from gateway.process.clock import Monotonic


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

    @property
    def rests(self) -> bool:
        """Whether no call at all is let through for the moment."""
        return self.is_open and self._monotonic() - self._tried_s < self._rest_s

    def lets_through(self) -> bool:
        """Whether a call may be made now; asking counts as making it."""
        if self.rests:
            return False
        self._tried_s = self._monotonic()
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self) -> None:
        """A call was not answered."""
        self._failures += 1
        if self.is_open:
            self._tried_s = self._monotonic()
