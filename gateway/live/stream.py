"""One subscription while it lasts: look, tell what is new, say now and then that one is there, end well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.live.audience import Audience, End
from gateway.live.pace import LONG_S, PULSE_S, Pace
from gateway.live.telling import Event, Snapshot, Telling
from gateway.process.clock import Monotonic
from gateway.process.drain import Drain

Sleep = Callable[[float], Awaitable[None]]


class EndedError(Exception):
    """The subscription cannot go on; `last` is to be told before it ends, if there is anything to tell."""

    def __init__(self, end: End, last: Snapshot | None = None) -> None:
        super().__init__(end.value)
        self.end = end
        self.last = last


class Watcher(Protocol):
    """Looks on behalf of one subscriber, as whoever it still is."""

    async def look(self, since_s: float) -> Snapshot:
        """A snapshot that was asked for at `since_s` or later, or is fresh; raises `EndedError`."""
        ...

    async def check(self) -> bool:
        """Whether the subscriber has other rights than before; raises `EndedError` if its credential ended."""
        ...

    def extensions(self) -> Mapping[str, Any]:
        """What is told beside the last look's snapshot to this subscriber alone."""
        ...


class Wire(Protocol):
    """How a subscriber is told, whatever protocol it speaks."""

    async def taken(self) -> None:
        """Wait until it has taken all that was sent."""
        ...

    async def tell(self, event: Event) -> None:
        """Send an event."""
        ...

    async def beat(self) -> None:
        """Send what says nothing but that somebody is there."""
        ...


@dataclass(slots=True)
class Stream:
    """A subscription whose first snapshot is there."""

    watcher: Watcher
    wire: Wire
    telling: Telling
    pace: Pace
    audience: Audience
    drain: Drain
    monotonic: Monotonic
    sleep: Sleep
    sent: int = 0
    """Events that were sent."""
    _sent_s: float = 0.0

    async def run(self, first: Snapshot) -> End:
        """Go on until it ends; why it did. The client's leaving cancels it."""
        try:
            if not await self._tell(first):
                await self._beat()
            while not self.drain.begun:
                if await self._waits():
                    break
                # First, so that a slow client gets the newest snapshot, and never a queue of them.
                await self.wire.taken()
                await self._tell(await self._look())
                if self.monotonic() - self._sent_s >= self.audience.limits.heartbeat_s:
                    await self._beat()
        except EndedError as error:
            if error.last is not None:
                await self._send(error.last)
            return error.end
        return End.LEAVING

    async def _waits(self) -> bool:
        """Wait for the next look, and see to the subscriber meanwhile; whether the process leaves.

        With other rights it looks at once: a right that ended is told within seconds, however slow the pace.
        """
        next_s = self.pace.next_s(self.monotonic())
        while (left_s := next_s - self.monotonic()) > LONG_S:
            await self.sleep(PULSE_S)
            if self.drain.begun:
                return True
            if await self.watcher.check():
                return False
            if self.monotonic() - self._sent_s >= self.audience.limits.heartbeat_s:
                await self._beat()
        await self.sleep(max(0.0, left_s))
        return self.drain.begun

    async def _look(self) -> Snapshot:
        return await self.watcher.look(self.pace.since_s(self.monotonic()))

    async def _tell(self, snapshot: Snapshot) -> bool:
        if not self.telling.is_new(snapshot):
            self.audience.on_look("unchanged")
            return False
        await self._send(snapshot)
        return True

    async def _send(self, snapshot: Snapshot) -> None:
        self.audience.on_look("failed" if snapshot.codes else "sent")
        await self.wire.tell(self.telling.event(snapshot, self.watcher.extensions()))
        self.sent += 1
        self._sent_s = self.monotonic()

    async def _beat(self) -> None:
        await self.wire.beat()
        self._sent_s = self.monotonic()
