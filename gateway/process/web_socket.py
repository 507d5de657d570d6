"""A WebSocket as uvicorn speaks it, but that nothing is piled up for a client that takes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.process import one_at_a_time

NAME = "gateway.taken"

LAST_WORDS_S = 1.0
"""For how long a client that no longer answers may still take why it is cut."""

Taken = Callable[[], Awaitable[object]]


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One connection; requests get an extension that waits until all that was sent is out of our hands."""

    async def run_asgi(self) -> None:
        """Run the application."""
        extensions: dict[str, object] = self.scope.setdefault("extensions", {})  # type: ignore[assignment]
        extensions[NAME] = self.writable.wait
        one_at_a_time.bound(self.transport)
        await super().run_asgi()

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
