"""A WebSocket as uvicorn speaks it, but that nothing is piled up for a client that takes nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from starlette.types import Scope
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from gateway.process import one_at_a_time, refusal

NAME = "gateway.taken"

LAST_WORDS_S = 1.0
"""For how long a client that no longer answers may still take why it is cut."""

PIECE_BYTES = 2_048
"""Read in one turn: of the smallest frames, 340, which take some 5 ms."""

MOST_WAITING = 340
"""Messages told apart that wait for the application: with as many no further piece is read."""

MAX_PARTS = 1_000
"""Of one message."""

Taken = Callable[[], Awaitable[object]]


def leaving_within(seconds: float) -> type[asyncio.Protocol]:
    """What uvicorn takes as its WebSockets; when it ends they are closed over so many seconds."""
    return cast("type[asyncio.Protocol]", partial(BoundedWebSocket, leave_s=seconds))


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One connection; requests get an extension that waits until all that was sent is out of our hands."""

    _holds_pongs = False
    """Nothing more is read, since a client does not take what its pings are answered with."""
    _unread = b""
    """What came and waits for its turn: nothing more is read before."""
    _waits_for_room = False
    """The next piece is read when the application has taken what waits for it."""
    _is_served = True
    """Whether the application still takes messages."""
    _parts = 0
    """Of the message that is not whole."""
    _cut: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def __init__(
        self,
        *own: Any,
        leave_s: float = 0,
        chance: Callable[[], float] = random.random,
        **more: Any,
    ) -> None:
        super().__init__(*own, **more)
        self._leave_s = leave_s
        self._chance = chance

    async def run_asgi(self) -> None:
        """Run the application; who does not take its last words is cut."""
        extensions: dict[str, object] = self.scope.setdefault("extensions", {})  # type: ignore[assignment]
        extensions[NAME] = self.writable.wait
        one_at_a_time.bound(self.transport, self.ping_timeout or 0)
        try:
            await super().run_asgi()
        finally:
            self._is_served = False
            self._read_waiting_piece()
            if not self.disconnected:
                after_s = self.close_timeout + LAST_WORDS_S
                self._cut = self.loop.call_later(after_s, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read what came piece by piece: of the smallest frames a whole reading would hold all others for a second.

        The handshake is one piece. One that HTTP could read and this protocol cannot has an answer, too.
        """
        if not self.handshake_initiated:
            super().data_received(data)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self.transport.write(refusal.HANDSHAKE_UNREADABLE.response(self.default_headers))
                self.transport.close()
        elif self._unread or len(data) > PIECE_BYTES:
            is_first, self._unread = not self._unread, self._unread + data
            self._pause()
            if is_first:
                self._read_piece()
        else:
            super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        """Go on with a handshake that is one; what is wrong with another is told by who has read it."""
        if self.conn.accept(event).status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)

    def _read_piece(self) -> None:
        if self.transport.is_closing():
            self._unread = b""
            return
        if self._is_served and self.queue.qsize() >= MOST_WAITING:
            self._waits_for_room = True
            return
        piece, rest = self._unread[:PIECE_BYTES], self._unread[PIECE_BYTES:]
        super().data_received(piece)
        self._unread = rest
        if rest:
            self.loop.call_soon(self._read_piece)
        else:
            self._read_on()

    def send_receive_event_to_app(self) -> None:
        """Hand on a message that is whole; the server would log text that is not UTF-8 as an error of ours."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA, "text is in UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; the server would log a handshake that is refused as an error of ours."""
        await super().send(message)
        self.handshake_complete = self.handshake_complete or self.close_sent

    async def receive(self) -> ASGIReceiveEvent:
        """What came next; more is read if the application waits for it."""
        message = await self.queue.get()
        if self.queue.empty():
            self._read_waiting_piece()
        self._read_on()
        return message

    def _read_waiting_piece(self) -> None:
        if self._waits_for_room:
            self._waits_for_room = False
            self.loop.call_soon(self._read_piece)

    def _pause(self) -> None:
        if not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def _read_on(self) -> None:
        is_free = self.queue.empty() and not self._unread and not self._holds_pongs
        if self.read_paused and is_free and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def shutdown(self) -> None:
        """End as the server does, at a moment of its own: all clients at once would come back at once."""
        after_s = 0 if self.close_sent else self._chance() * self._leave_s
        self._leaving = self.loop.call_later(after_s, self._end_with_server)

    def _end_with_server(self) -> None:
        super().shutdown()
        if self.transport.get_write_buffer_size():
            self._leaving = self.loop.call_later(LAST_WORDS_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever is at work for it is told."""
        for timer in (self._cut, self._leaving):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def handle_cont(self, event: Frame) -> None:
        """Keep a part of a message, of which there may be so many."""
        if self.close_sent:
            return
        self._parts = 0 if event.fin else self._parts + 1
        if self._parts < MAX_PARTS:
            super().handle_cont(event)
        else:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, f"over {MAX_PARTS} parts")
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer, and read on when the answer is taken: a flood of pings is not to become one of pongs here."""
        super().handle_ping()
        if not self.writable.is_set():
            self._holds_pongs = True
            self._pause()

    def resume_writing(self) -> None:
        """All was taken; what the application has not taken yet still holds up what comes next."""
        super().resume_writing()
        self._holds_pongs = False
        self._read_on()

    def keepalive_timeout(self) -> None:
        """Cut who does not answer, be there something that it has not taken."""
        super().keepalive_timeout()
        self.loop.call_later(LAST_WORDS_S, self.transport.abort)


def taken(scope: Scope) -> Taken:
    """Waits until the client has taken what was sent; under another server, not at all."""
    extensions = scope.get("extensions") or {}
    found: Taken = extensions.get(NAME, _at_once)
    return found


async def _at_once() -> None:
    pass
