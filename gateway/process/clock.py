"""Time as an argument: what "now" is, and how long an operation may still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError

Monotonic = Callable[[], float]
"""Seconds that never go back."""

EpochS = Callable[[], float]
"""Seconds since 1970."""

EpochMs = Callable[[], int]
"""Milliseconds since 1970."""


def system_epoch_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an operation must have its answer."""

    at_s: float
    monotonic: Monotonic

    @classmethod
    def after(cls, timeout_s: float, monotonic: Monotonic) -> Deadline:
        """The deadline some seconds from now."""
        return cls(monotonic() + timeout_s, monotonic)

    def remaining_s(self) -> float:
        """Seconds left; raises `DeadlineExceededError` if there are none."""
        remaining_s = self.at_s - self.monotonic()
        if remaining_s <= 0:
            raise DeadlineExceededError("no time was left to ask the store")
        return remaining_s
