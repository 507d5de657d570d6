"""One keep-alive HTTP/1.1 connection of the load generator: as little work a request as possible."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol, cast

_BLANK = b"\r\n\r\n"


class Pool(Protocol):
    """What a connection tells: that it is free again, with what came of its request."""

    def answered(self, connection: Connection, status: bytes, body: bytes) -> None:
        """A whole answer has come."""
        ...

    def lost(self, connection: Connection, *, waiting: bool) -> None:
        """The connection is gone; `waiting`: before the answer was there."""
        ...


class Connection(asyncio.Protocol):
    """Sends one request at a time; `due_s` is when that one was meant to be sent."""

    __slots__ = ("_buffer", "_pool", "_transport", "_wanted", "due_s", "sent_s", "waiting")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport
        self._buffer = b""
        self._wanted = 0
        self.waiting = False
        self.due_s = self.sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_open(self) -> bool:
        """Whether a request can still be sent."""
        return not self._transport.is_closing()

    def send(self, request: bytes, due_s: float) -> None:
        """Send one request now."""
        self.due_s, self.waiting = due_s, True
        self.sent_s = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        whole = self._buffer + data if self._buffer else data
        if len(whole) < self._wanted:
            self._buffer = whole
            return
        blank = whole.find(_BLANK)
        end = blank + 4 + content_length(whole, blank) if blank >= 0 else len(whole) + 1
        if len(whole) < end:
            self._buffer, self._wanted = whole, end
            return
        self._buffer, self._wanted, self.waiting = b"", 0, False
        self._pool.answered(self, whole[9:12], whole[blank + 4 : end])

    def connection_lost(self, _: Exception | None) -> None:
        self._pool.lost(self, waiting=self.waiting)


def content_length(head: bytes, blank: int) -> int:
    """The length of the body; answers without one are not expected from any server here."""
    at = head.find(b"ontent-", 0, blank)
    while at >= 0:
        if head[at + 7 : at + 14].lower() == b"length:":
            return int(head[at + 14 : head.find(b"\r\n", at)])
        at = head.find(b"ontent-", at + 7, blank)
    raise ValueError("an answer without Content-Length")
