"""Leaving without failing anyone: the state of a process that is to end."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.process.whole_response import take_away


@dataclass(slots=True)
class Drain:
    """Whether this process is about to end; the one thing that server and application share."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class ClosingConnections:
    """While draining, every answer tells its client not to send more on its connection."""

    app: ASGIApp
    drain: Drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self.drain.begun:
            take_away(scope)
            send = _closing(send)
        await self.app(scope, receive, send)


def _closing(send: Send) -> Send:
    async def closing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(message)

    return closing
