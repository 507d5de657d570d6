"""One connection: how it begins, is answered in order, is looked after while it stands still, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from weakref import ReferenceType, ref

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from gateway.process import one_at_a_time, refusal, whole_response
from gateway.process.bounded_http import BoundedHttp
from gateway.process.connections import Connections, Stage
from gateway.process.refusal import Refusal


def speaking(among: Connections) -> type[asyncio.Protocol]:
    """What uvicorn takes as its HTTP: each of its connections is one of these."""
    return cast("type[asyncio.Protocol]", partial(Connection, among=among))


class Connection(BoundedHttp):
    """A connection among others; requests get the extension for whole responses."""

    _half_closed = False
    _counted = False
    _last_words: Refusal | None = None
    """A refusal that waits for the answers before it."""
    _answering: RequestResponseCycle | None = None
    """The oldest request that is not answered; `cycle` is the newest."""
    _seen: tuple[Stage, int] | None = None
    _emptied: int | None = None
    """How often a response that is sent piece by piece was taken as far as it was sent."""
    _since_s = 0.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        among: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._among = among

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, or send it away."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._counted = self._among.enter(self._address)
        if not self._counted:
            self.deaf = True
            transport.write(refusal.TOO_MANY_CONNECTIONS.response(self._own_headers))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever is at work for it is told."""
        if self._counted:
            self._among.leave(self._address)
        self._abandon()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what was asked, and close: a client that sends no more may still read."""
        self._half_closed = True
        if not self.deaf and (self.in_head or self.in_body):
            self.refuse(refusal.NOT_WHOLE)
        if not self.is_pending:
            return False
        self.deaf = True
        if self._last_words is None:
            self.cycle.keep_alive = False
        self.loop.call_later(self._among.limits.half_closed_s, self.give_up)
        return True

    def on_response_complete(self) -> None:
        """Go on with what waits: a request, or a refusal."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._last_words is not None:
            self._end_with(self._last_words)
        elif self.cycle.more_body:
            self.drop_rest()

    def handle_websocket_upgrade(self) -> None:
        """Give the transport to the WebSocket's protocol; it counts as a connection until it ends."""
        self.deaf = True
        self._counted = False
        self._among.hand_on(self._address, self.transport)
        super().handle_websocket_upgrade()

    def resume_writing(self) -> None:
        """The client has taken what was sent: it does not stand still."""
        if self._emptied is not None:
            self._emptied += 1
        super().resume_writing()

    def send_one_at_a_time(self) -> None:
        """Pile up nothing that this client does not take."""
        self._emptied = 0
        one_at_a_time.bound(self.transport, self._among.limits.send_s)

    def shutdown(self) -> None:
        """End with the server; it does not wait for who does not take what goes on for long anyway."""
        if self._emptied is not None and self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().shutdown()

    def look(self, now_s: float) -> None:
        """End the connection if it has stood still for longer than it may."""
        stage = self._stage()
        seen = stage, self.number + (self._emptied or 0)
        if seen != self._seen:
            # The time of a first head runs from the opening.
            if self._seen is None or (self._seen[0], stage) != (Stage.OPENED, Stage.HEAD):
                self._since_s = now_s
            self._seen = seen
        elif now_s - self._since_s >= self._among.longest_s[stage]:
            self._end_late(stage)

    def _stage(self) -> Stage:
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            return Stage.SENDING
        if self.is_pending:
            # While a request stands in line, its body is not read.
            return Stage.BODY if self.in_body and not self.pipeline else Stage.ANSWER
        if self.deaf:
            return Stage.LINGERING
        if self.in_head:
            return Stage.HEAD
        if self.cycle is None:
            return Stage.OPENED
        return Stage.BODY if self.in_body else Stage.IDLE

    def _end_late(self, stage: Stage) -> None:
        if stage in (Stage.HEAD, Stage.BODY):
            told = refusal.too_slow(stage.value, self._among.longest_s[stage])
            self.refuse(told, because=stage.value)
            return
        self._among.count(stage.value)
        if stage in (Stage.SENDING, Stage.LINGERING):
            self.transport.abort()
        else:
            self.transport.close()

    def refuse(self, told: Refusal, because: str = "unreadable") -> None:
        """Read no more; answer what cannot be read in its turn, unless it is answered already."""
        self.deaf = True
        self._among.count(because)
        answered = False
        if self.in_body and not self.in_head:
            if self.pipeline:
                self._drop_newest()
            else:
                answered = self.cycle.response_started
                self._abandon()
        if self.is_pending:
            self._last_words = told
        else:
            self._end_with(None if answered else told)

    def _drop_newest(self) -> None:
        self.pipeline.popleft()
        before = self.pipeline[0][0] if self.pipeline else self._answering
        assert before is not None
        self.cycle = before

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        whole_response.offer(cycle)
        one_at_a_time.offer(cycle.scope, _means(ref(self)))
        super()._start_asgi_task(cycle, app)

    def _end_with(self, told: Refusal | None) -> None:
        """Say it and close, but not before the client has heard it."""
        if told is not None:
            self.transport.write(told.response(self._own_headers))
        if self._half_closed or not self.transport.can_write_eof():
            self.transport.close()
        else:
            # Closed with something unread, a connection would lose what was just written.
            self.transport.write_eof()
            self.flow.resume_reading()

    def give_up(self) -> None:
        """Close, and leave unanswered what is not answered yet; what was written still goes out."""
        if not self.transport.is_closing():
            self._abandon()
            self.transport.close()

    def _abandon(self) -> None:
        """Tell those who are at work that nobody waits for them."""
        self.pipeline.clear()
        for cycle in (self._answering, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = cycle.response_complete = True
                cycle.message_event.set()

    @property
    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        return self.server_state.default_headers


def _means(connection: ReferenceType[Connection]) -> one_at_a_time.Means:
    # Weak, or each request would be a circle (see `whole_response.offer`).
    return one_at_a_time.Means(
        partial(_on, connection, Connection.send_one_at_a_time),
        partial(_on, connection, Connection.give_up),
    )


def _on(connection: ReferenceType[Connection], do: Callable[[Connection], None]) -> None:
    found = connection()
    if found is not None:
        do(found)
