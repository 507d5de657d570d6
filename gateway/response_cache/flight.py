"""Single flight: whoever asks for what is being made waits for it, and nobody makes it twice.

The making runs in a task of its own, so no waiter that leaves takes it down with it; when the last
one has left, it is cancelled. Its error goes to those who wait, and is not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from opentelemetry.trace import SpanContext

from gateway.process import traces

Made = TypeVar("Made")
Make = Callable[[], Coroutine[Any, Any, Made]]


@dataclass(slots=True)
class _Flight(Generic[Made]):
    task: asyncio.Task[Made]
    kept: bool
    waiters: int = 0
    begun_in: SpanContext = field(default_factory=traces.here)


class Flights(Generic[Made]):
    """What is being made, by key."""

    def __init__(self) -> None:
        self._flying: dict[Hashable, _Flight[Made]] = {}

    def __len__(self) -> int:
        return len(self._flying)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._flying

    @property
    def renewals(self) -> int:
        """How many are made though nobody may wait for them."""
        return sum(flight.kept for flight in self._flying.values())

    async def join(self, key: Hashable, make: Make[Made]) -> tuple[Made, bool]:
        """What `make` gives, and whether this call is the one that started it."""
        flight = self._flying.get(key)
        leads = flight is None
        if flight is None:
            flight = self._launch(key, make, kept=False)
        else:
            traces.link(flight.begun_in)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task), leads
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.kept and not flight.task.done():
                # Whoever comes while it unwinds must not wait for what is being given up.
                self._forget(key, flight)
                flight.task.cancel()

    def refresh(self, key: Hashable, make: Make[Made]) -> bool:
        """Start making, unless that is under way; goes on though nobody waits."""
        if key in self._flying:
            return False
        self._launch(key, make, kept=True)
        return True

    async def close(self) -> None:
        """Stop all of it."""
        tasks = [flight.task for flight in self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _launch(self, key: Hashable, make: Make[Made], *, kept: bool) -> _Flight[Made]:
        flight = _Flight(asyncio.ensure_future(make()), kept)
        self._flying[key] = flight

        def landed(task: asyncio.Task[Made]) -> None:
            self._forget(key, flight)
            if not task.cancelled():
                task.exception()  # told to whoever waits; nobody may

        flight.task.add_done_callback(landed)
        return flight

    def _forget(self, key: Hashable, flight: _Flight[Made]) -> None:
        if self._flying.get(key) is flight:
            del self._flying[key]
