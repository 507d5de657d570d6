"""A response in one piece: bytes that are ready go to the socket as they are, past all that would build them.

To send a response, uvicorn looks at each of its headers by two patterns and writes twice; for an
answer out of the cache that is as much work as all else together. So its HTTP gets an ASGI extension
of our own, which whatever stands in front of the application takes away if it has something to add.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from weakref import ReferenceType, ref

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

NAME = "gateway.whole_response"

Write = Callable[[bytes], bool]
"""Sends what follows the status line of a 200, to the end; `False`: not now, send it as usual."""


def offer(cycle: RequestResponseCycle) -> None:
    """Give a request the extension.

    Weak, or each request would be a circle that only the garbage collector ends: at 5,000 a second
    it would be at that all the time. While a request is answered, its task holds it.
    """
    cycle.scope["extensions"] = {NAME: partial(_write, ref(cycle))}  # type: ignore[dict-item]


def writer(scope: Scope) -> Write | None:
    """The extension, if this request still has it."""
    extensions = scope.get("extensions")
    return extensions.get(NAME) if extensions else None


def take_away(scope: Scope) -> None:
    """Have this request answered as usual."""
    if scope.get("extensions"):
        scope["extensions"].pop(NAME, None)


def _write(answered: ReferenceType[RequestResponseCycle], rest: bytes) -> bool:
    cycle = answered()
    if cycle is None:
        return False
    usual = cycle.keep_alive and not cycle.flow.write_paused
    if not usual or cycle.disconnected or cycle.response_started:
        return False
    server_own = [b"%s: %s\r\n" % each for each in cycle.default_headers]
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"".join((STATUS_LINE[200], *server_own, rest)))
    cycle.message_event.set()
    cycle.on_response()
    return True
