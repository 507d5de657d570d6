"""A subscription's snapshots, sent as they come: as events (GraphQL over SSE), or over whatever brought the request.

The protocol of events is that of graphql-sse, "distinct connections mode":
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive, Scope, Send

from gateway.http.hanging_up import unless_gone
from gateway.http.reading import Answerable
from gateway.http.request import ClientGoneError
from gateway.http.response import BEAT, COMPLETE, EVENT_HEADERS, event
from gateway.http.watching import Snapshots, Watching
from gateway.live import event_id
from gateway.live.audience import Audience, End
from gateway.live.pace import Pace
from gateway.live.stream import Sleep, Stream, Wire
from gateway.live.telling import Event, Snapshot, Telling
from gateway.live.wishes import Wish
from gateway.process import one_at_a_time
from gateway.process.clock import Monotonic
from gateway.process.drain import Drain

OnEnded = Callable[[End, int], None]

_WIRE = "gateway.wire"


class StreamWire(Wire, Protocol):
    """A wire with a beginning and an end."""

    async def begin(self, request_id: str) -> None:
        """There is a first snapshot."""
        ...

    async def end(self, end: End, wait_s: float) -> None:
        """Say that it is all; where the process leaves, to come back in so many seconds."""
        ...


def offer_wire(request: Scope, wire: StreamWire) -> None:
    """Have a request's subscription told by a wire of its own, not by events."""
    request.setdefault("extensions", {})[_WIRE] = wire


def offered_wire(request: Scope) -> StreamWire | None:
    """The wire that a request brought."""
    found: StreamWire | None = (request.get("extensions") or {}).get(_WIRE)
    return found


@dataclass(frozen=True, slots=True)
class EventStreams:
    """Sends subscriptions whose first snapshot is there. `chance`: 0 to 1, any other each time."""

    snapshots: Snapshots
    audience: Audience
    drain: Drain
    monotonic: Monotonic
    sleep: Sleep
    chance: Callable[[], float]

    def pace_of(self, answerable: Answerable) -> Pace:
        """As often as was asked for, and no oftener than is allowed."""
        wish = answerable.live or Wish()
        interval_s = max(self.audience.limits.interval_s, wish.interval_ms / 1000)
        return Pace(interval_s, zlib.crc32(answerable.key[1]) / 2**32, self.chance())

    async def run(
        self,
        watching: Watching,
        first: Snapshot,
        pace: Pace,
        receive: Receive,
        send: Send,
        on_ended: OnEnded,
    ) -> None:
        """Send the stream, from its head on; `on_ended` is told why it ended, and after how many events."""
        wish = watching.answerable.live or Wish()
        before = watching.head.get(b"last-event-id") or wish.last_event_id
        question = event_id.question_of(watching.answerable.key[1])
        telling = Telling(question, event_id.read(before))
        wire = offered_wire(watching.scope) or _Events(send)
        parts = self.audience, self.drain, self.monotonic, self.sleep
        stream = Stream(watching, wire, telling, pace, *parts)
        end = End.CUT
        try:
            end = await unless_gone(receive, self._whole(watching, stream, wire, first))
        except ClientGoneError:
            end = End.CLIENT
        finally:
            self.audience.on_ended(end.value)
            on_ended(end, stream.sent)

    async def _whole(
        self, watching: Watching, stream: Stream, wire: StreamWire, first: Snapshot
    ) -> End:
        one_at_a_time.begin(watching.scope)
        await wire.begin(watching.request_id)
        end = await stream.run(first)
        # Where the process leaves, each is to come back at a moment of its own.
        await wire.end(end, 0.1 + self.chance() * self.audience.limits.reconnect_s)
        return end


@dataclass(frozen=True, slots=True)
class _Events:
    """The wire of SSE."""

    send: Send

    async def begin(self, request_id: str) -> None:
        """Send the head."""
        headers = [
            *EVENT_HEADERS,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    async def taken(self) -> None:
        """Wait until all is on its way; the server waits for that before it sends more, be it nothing."""
        await self._write(b"")

    async def tell(self, told: Event) -> None:
        """Send an event."""
        await self._write(event(told.body, told.id))

    async def beat(self) -> None:
        """Send a comment."""
        await self._write(BEAT)

    async def end(self, end: End, wait_s: float) -> None:
        """Send the last words."""
        last = b"retry: %d\n\n" % (1000 * wait_s) if end is End.LEAVING else COMPLETE
        await self.send({"type": "http.response.body", "body": last, "more_body": False})

    async def _write(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})
