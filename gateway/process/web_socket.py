"""A WebSocket as uvicorn speaks it, but that nothing is piled up for a client that takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from gateway.process import one_at_a_time, refusal

NAME = "gateway.taken"

LAST_WORDS_S = 1.0
"""For how long a client that no longer answers may still take why it is cut."""

Taken = Callable[[], Awaitable[object]]


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One connection; requests get an extension that waits until all that was sent is out of our hands."""

    _holds_pongs = False
    """Nothing more is read, since a client does not take what its pings are answered with."""
    _cut: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        """Run the application; who does not take its last words is cut."""
        extensions: dict[str, object] = self.scope.setdefault("extensions", {})  # type: ignore[assignment]
        extensions[NAME] = self.writable.wait
        one_at_a_time.bound(self.transport)
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                after_s = self.close_timeout + LAST_WORDS_S
                self._cut = self.loop.call_later(after_s, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read what came; a handshake that HTTP could read and this protocol cannot has an answer, too."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(refusal.HANDSHAKE_UNREADABLE.response(self.default_headers))
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever is at work for it is told."""
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)

    def handle_cont(self, event: Frame) -> None:
        """Keep a part of a message; of those without content there may be any number."""
        if event.data or event.fin:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer, and read on when the answer is taken: a flood of pings is not to become one of pongs here."""
        super().handle_ping()
        if not self.writable.is_set() and not self.transport.is_closing():
            self._holds_pongs = self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """All was taken; what the application has not taken yet still holds up what comes next."""
        super().resume_writing()
        if self._holds_pongs:
            self._holds_pongs = False
            if self.queue.empty() and not self.transport.is_closing():
                self.read_paused = False
                self.transport.resume_reading()

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
