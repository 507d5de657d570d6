"""The gate before the store: so many queries at once, few wait, the rest is refused at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.clock import Monotonic
from gateway.errors import DeadlineExceededError
from gateway.overload.limit import AdaptiveLimit

Got = TypeVar("Got")
QUEUE_PER_SLOT = 1
"""Queries that may wait, a slot: so many wait about as long as one query takes."""


class Gate:
    """Lets queries through in the order they came, up to a limit that adapts."""

    def __init__(self, limit: AdaptiveLimit, monotonic: Monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self._limit.value

    @property
    def running(self) -> int:
        """How many run."""
        return self._running

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether at least half of the places are taken."""
        return 2 * self._running >= self._limit.value

    @property
    def is_full(self) -> bool:
        """Whether one operation more would only wait, and make others wait."""
        return len(self._waiting) >= self._limit.value * QUEUE_PER_SLOT

    async def run(self, kind: str | None, call: Callable[[], Awaitable[Got]]) -> Got:
        """Make a call when it is its turn; its time teaches the limit, if it is of a kind and ends."""
        await self._enter()
        started_s = self._monotonic()
        try:
            got = await call()
        except DeadlineExceededError:
            self._observe(kind, started_s, timed_out=True)
            raise
        else:
            self._observe(kind, started_s, timed_out=False)
            return got
        finally:
            self._leave()

    async def _enter(self) -> None:
        if self._running < self._limit.value and not self._waiting:
            self._running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The turn had come: it goes to the next.
                self._leave()
            elif turn in self._waiting:  # else somebody who left has passed over it
                self._waiting.remove(turn)
            raise

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self._limit.value:
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def _observe(self, kind: str | None, started_s: float, *, timed_out: bool) -> None:
        seconds = self._monotonic() - started_s
        self._limit.observe(kind, seconds, self._running, timed_out=timed_out)
