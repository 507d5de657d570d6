"""A response that goes on for long: what its client does not take is not piled up for it.

Its sender may wait until all that was sent is out of the process's hands, and the system holds only
little; and it may break off, which its client sees. An ASGI extension of our own: without it, as under
another server, responses are sent as usual.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.types import Scope
from uvicorn._types import HTTPScope

NAME = "gateway.one_at_a_time"

UNSENT_BYTES = 4_096
"""Of one connection, that the system takes beside what is on its way."""

LONGEST_MS = 2**31 - 1
"""The system's own limit of a time."""


class Means(NamedTuple):
    """What the extension can do."""

    begin: Callable[[], None]
    break_off: Callable[[], None]


def offer(scope: HTTPScope, means: Means) -> None:
    """Give a request the extension."""
    extensions: dict[str, Any] = scope.setdefault("extensions", {})
    extensions[NAME] = means


def begin(scope: Scope) -> None:
    """Have this request answered piece by piece from now on; its connection is to end with it."""
    found = _means(scope)
    if found is not None:
        found.begin()


def break_off(scope: Scope) -> None:
    """End the response where it is: what was sent arrives, and its end does not, so nobody takes it for whole.

    Without the extension a server sees that itself, when the application returns.
    """
    found = _means(scope)
    if found is not None:
        found.break_off()


def bound(transport: asyncio.Transport, taken_within_s: float) -> None:
    """Tell a transport to hold nothing back: its writer is paused until all is handed on.

    A peer that is gone without a word takes nothing either, though the little that is sent to it finds
    room in the system: the system ends the connection when what is on its way has not arrived in time.
    """
    transport.set_write_buffer_limits(high=0)
    own: socket.socket | None = transport.get_extra_info("socket")
    if own is None or own.family == socket.AF_UNIX:
        return
    within_ms = min(LONGEST_MS, round(1000 * taken_within_s))
    wanted = {"TCP_NOTSENT_LOWAT": UNSENT_BYTES, "TCP_USER_TIMEOUT": within_ms}
    for name, value in wanted.items():
        if hasattr(socket, name):  # not every system has both
            own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _means(scope: Scope) -> Means | None:
    extensions = scope.get("extensions")
    return extensions.get(NAME) if extensions else None
