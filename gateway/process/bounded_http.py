"""HTTP/1.1 as uvicorn reads it with httptools, but that all a client sends has an end.

A request's headers are what came before its body. Nothing is switched to another protocol but to a
WebSocket. Whether what cannot be read is answered, and how a connection ends, is for who inherits.
"""

from __future__ import annotations

import re
from abc import abstractmethod

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.process import refusal
from gateway.process.refusal import Refusal

MAX_HEAD_BYTES = 32 * 1024
"""Of a request's line and headers."""

MAX_HEADERS = 100

MAX_PIPELINED = 16
"""Requests that wait for the answer to another; what is sent beyond is not read, and not answered."""

MAX_REST_BYTES = 1024 * 1024
"""What is read of a body, and dropped, whose answer is out."""

FRAMING = 8
"""Bytes around a body that each of its bytes may bring along: who sends chunks of one needs five."""

_ABSOLUTE = re.compile(rb"[a-z][a-z0-9+.-]*://([^/?#]*)", re.IGNORECASE)

_OF_BODY = {b"content-length", b"transfer-encoding"}

_PIECE = MAX_HEAD_BYTES
"""The parser gets no more at once, for it does not tell where in it something ended."""

_ROOM = MAX_HEAD_BYTES + _PIECE


class _Trailers(list[tuple[bytes, bytes]]):
    """Where headers go that come after a body: they are none, and nobody keeps them."""

    def append(self, _: tuple[bytes, bytes], /) -> None:
        """Drop one."""


_TRAILERS = _Trailers()


class _UnreadableError(Exception):
    """Stops the parser in the middle."""


class BoundedHttp(HttpToolsProtocol):
    """Reads requests; what is in excess of a bound, or malformed, is refused."""

    deaf = False
    """Nothing more is read."""
    number = 0
    """Of the request that is, or was last, read."""
    in_head = False
    _switching = False
    """The parser has left HTTP for what the client offers to speak instead."""
    _piece = 0
    _room = _ROOM
    """Bytes that may still come until something of the request must be whole."""

    @abstractmethod
    def refuse(self, told: Refusal, because: str = "unreadable") -> None:
        """Read no more, and answer what was read last in its turn."""

    @abstractmethod
    def give_up(self) -> None:
        """Close when what was written is out."""

    @property
    def is_pending(self) -> bool:
        """Whether an answer is to come."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def in_body(self) -> bool:
        """Whether the newest request is not whole, be it answered or not."""
        return self.cycle is not None and self.cycle.more_body

    def data_received(self, data: bytes) -> None:
        """Read what came, in pieces."""
        if len(data) > _PIECE:
            for at in range(0, len(data), _PIECE):
                self.data_received(data[at : at + _PIECE])
            return
        if self.deaf:
            return
        self._piece = len(data)
        self._room -= self._piece
        self._parse(data)
        if self._room < 0 and not self.deaf:
            self._overrun()

    def on_message_begin(self) -> None:
        """A head begins."""
        self.in_head = True
        self.number += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is not to be answered."""
        if self._room < _ROOM - MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES:
            self._stop(refusal.head_too_large(MAX_HEAD_BYTES))
        if len(self.headers) > MAX_HEADERS:
            self._stop(refusal.too_many_headers(MAX_HEADERS))
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._stop(refusal.VERSION_UNKNOWN)
        self.expect_100_continue &= version == "1.1"  # an older client takes it for the answer
        absolute = _ABSOLUTE.match(self.url)
        if absolute:  # RFC 9112, section 3.2.2: what `Host` says does not count
            others = [each for each in self.headers if each[0] != b"host"]
            self.headers[:] = [*others, (b"host", absolute[1])]
        codings = [
            value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"
        ]
        if codings and codings != [b"chunked"]:
            self._stop(refusal.CODING_UNKNOWN)
        self._switching = self.parser.should_upgrade()
        if self._switching:
            method = self.parser.get_method()
            if method == b"CONNECT":
                self._stop(refusal.METHOD_UNKNOWN)
            self.scope["method"] = method.decode()
            self.in_head = False
            return
        if len(self.pipeline) >= MAX_PIPELINED:
            self.cycle.keep_alive = False
            self._stop(None)
        self.in_head = False
        super().on_headers_complete()
        self.headers = _TRAILERS
        self._room = _ROOM - self._piece

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body for who reads it; drop it if nobody will."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        self._room += FRAMING * len(body)
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """A request is whole, answered or not."""
        if self._switching:
            return
        self._room = _ROOM - self._piece
        cycle = self.cycle
        cycle.more_body = False
        if cycle.keep_alive and not self.parser.should_keep_alive():
            # A trailer says `Connection: close`: to the parser it is a header, and it reads no more.
            self.deaf, cycle.keep_alive = True, False
            if cycle.response_complete:
                self.give_up()
        if not cycle.response_complete:
            cycle.message_event.set()

    def drop_rest(self) -> None:
        """The newest request is answered before its body is whole: read no more of it than so much."""
        self._room = MAX_REST_BYTES

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as left:
            self._stay(data[left.args[0] :])
        except httptools.HttpParserCallbackError:
            if not self.deaf:
                self.refuse(refusal.MALFORMED)
        except httptools.HttpParserInvalidMethodError:
            self.refuse(refusal.METHOD_UNKNOWN)
        except httptools.HttpParserError as error:
            self.refuse(refusal.unreadable(str(error)))

    def _stay(self, behind: bytes) -> None:
        """Read a request again without its offer to speak something else, which the parser takes as made."""
        if self._should_upgrade():
            self.handle_websocket_upgrade()
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % each for each in self.headers if each[0] != b"upgrade"]
        self._switching = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(b"\r\n".join([*lines, b"", b""]))
        if not self.deaf:
            self._parse(behind)

    def _should_upgrade(self) -> bool:
        """Whether a WebSocket begins: only for who asks for nothing else with it."""
        if self.is_pending or self.parser.get_method() != b"GET":
            return False
        if self.parser.get_http_version() != "1.1":
            return False
        names = {name for name, _ in self.headers}
        if b"sec-websocket-key" not in names or names & _OF_BODY:
            return False
        return super()._should_upgrade()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _overrun(self) -> None:
        if self.in_body and not self.in_head:
            self.refuse(refusal.TOO_MUCH_AROUND_BODY)
        else:
            self.refuse(refusal.head_too_large(MAX_HEAD_BYTES))

    def _stop(self, told: Refusal | None) -> None:
        """Have the parser end in the middle; raises."""
        self.deaf = True
        if told is not None:
            self.refuse(told)
        raise _UnreadableError
