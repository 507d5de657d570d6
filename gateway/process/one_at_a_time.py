"""A response that goes on for long: what its client does not take is not piled up for it.

Its sender may wait until all that was sent is out of the process's hands, and the system holds only
little. An ASGI extension of our own: without it, as under another server, responses are sent as usual.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn._types import HTTPScope

NAME = "gateway.one_at_a_time"

UNSENT_BYTES = 4_096
"""Of one connection, that the system takes beside what is on its way."""

Begin = Callable[[], None]


def offer(scope: HTTPScope, begin: Begin) -> None:
    """Give a request the extension."""
    extensions: dict[str, Any] = scope.setdefault("extensions", {})
    extensions[NAME] = begin


def begin(scope: Scope) -> None:
    """Have this request answered piece by piece from now on; its connection is to end with it."""
    extensions = scope.get("extensions")
    found: Begin | None = extensions.get(NAME) if extensions else None
    if found is not None:
        found()


def bound(transport: asyncio.Transport) -> None:
    """Tell a transport to hold nothing back: its writer is paused until all is handed on."""
    transport.set_write_buffer_limits(high=0)
    own: socket.socket | None = transport.get_extra_info("socket")
    if own is not None and hasattr(socket, "TCP_NOTSENT_LOWAT") and own.family != socket.AF_UNIX:
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
