"""An event loop whose time is made up and whose order is drawn from a seed: every run can be had again."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

Got = TypeVar("Got")


class DeadlockError(AssertionError):
    """Everybody waits and nothing will ever happen: a wake-up was lost."""


class _Waits(selectors.SelectSelector):
    """A selector that waits by moving the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("nothing is left that could happen")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready in an order of the seed's; sleeps without waiting."""

    def __init__(self, seed: int) -> None:
        self._waits = _Waits()
        self._chance = Random(seed)
        super().__init__(self._waits)

    def time(self) -> float:
        return self._waits.now_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass while the loop is held by who calls this."""
        self._waits.now_s += seconds

    def _run_once(self) -> None:
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            shuffled = list(ready)
            self._chance.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]


def run(seed: int, main: Coroutine[Any, Any, Got]) -> Got:
    """The result of a coroutine on a loop of this seed."""
    loop = VirtualLoop(seed)
    try:
        return loop.run_until_complete(main)
    finally:
        # Whoever is given up may have begun something else on leaving.
        while pending := asyncio.all_tasks(loop):
            for task in pending:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()
