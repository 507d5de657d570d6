"""A response in one piece: bytes that are ready go to the socket as they are, past all that would build them.

To send a response, uvicorn looks at each of its headers by two patterns and writes twice; for an
answer out of the cache that is as much work as all else together. So its HTTP gets an ASGI extension
of our own, which whatever stands in front of the application takes away if it has something to add.
It is also where a request's head ends: uvicorn itself would keep one of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from weakref import ReferenceType, ref

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

NAME = "gateway.whole_response"

MAX_HEAD_BYTES = 32 * 1024
"""Of a request's line and headers."""

Write = Callable[[bytes], bool]
"""Sends what follows the status line of a 200, to the end; `False`: not now, send it as usual."""


class HeadTooLargeError(Exception):
    """A request's head is over its limit; what is left of its connection is not read."""


class WholeResponses(HttpToolsProtocol):
    """uvicorn's HTTP with the extension, and with an end to heads."""

    _unread = 0
    """Bytes since the end of the last chunk without a head under way: no head is larger."""
    _in_head = False
    _ended_head = False
    _refused = False

    def data_received(self, data: bytes) -> None:
        """Read a chunk; 431 if it makes a head too large."""
        if self._refused:
            return
        self._unread += len(data)
        self._ended_head = False
        super().data_received(data)
        if not self._in_head or self._ended_head:
            self._unread = 0
        elif self._unread > MAX_HEAD_BYTES:
            self._refused = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends; raises `HeadTooLargeError`, which the parser makes an error of its own."""
        self._in_head, self._ended_head = False, True
        if self._unread > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES:
            self._refused = True
            raise HeadTooLargeError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, and close the connection."""
        if not self._refused:
            super().send_400_response(msg)
            return
        told = b"A request's line and headers may have up to %d bytes.\n" % MAX_HEAD_BYTES
        own = [b"%s: %s\r\n" % each for each in self.server_state.default_headers]
        head = (
            b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n" % len(told)
        )
        self.transport.write(b"".join((STATUS_LINE[431], *own, head, told)))
        self.transport.close()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # Weak, or each request would be a circle that only the garbage collector ends: at 5,000 a
        # second it would be at that all the time. While a request is answered, its task holds it.
        cycle.scope["extensions"] = {NAME: partial(_write, ref(cycle))}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)


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
