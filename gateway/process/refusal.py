"""Answers to what cannot be read as a request, in the API's own form; the connection ends with each."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import NamedTuple

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from graphql_schema.error_codes import ErrorCode

Headers = Iterable[tuple[bytes, bytes]]


class Refusal(NamedTuple):
    """What is said instead of an answer."""

    status: int
    message: str
    code: ErrorCode = ErrorCode.BAD_USER_INPUT
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def response(self, server_own: Headers) -> bytes:
        """All of the response; a request that cannot be read has no id, so it gets one here."""
        request_id = secrets.token_hex(16)
        extensions = {"code": self.code.name, "requestId": request_id}
        body = orjson.dumps({"errors": [{"message": self.message, "extensions": extensions}]})
        told = (
            *server_own,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
            *self.headers,
        )
        lines = (b"%s: %s\r\n" % each for each in told)
        return b"".join((STATUS_LINE[self.status], *lines, b"\r\n", body))


NOT_WHOLE = Refusal(400, "The request ended before it was whole.")
MALFORMED = Refusal(400, "The request cannot be read: its target is malformed.")
METHOD_UNKNOWN = Refusal(
    405, "GraphQL is asked by GET or POST.", headers=((b"allow", b"GET, POST"),)
)
CODING_UNKNOWN = Refusal(
    501, "A body may be sent in chunks, and coded in no other way for its transfer."
)
VERSION_UNKNOWN = Refusal(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
HANDSHAKE_UNREADABLE = Refusal(
    400,
    "The WebSocket's handshake cannot be read: it is of version 13, its key is 16 bytes in base64, "
    "and each of its lines may have up to 8,192 bytes.",
    headers=((b"sec-websocket-version", b"13"),),
)
TOO_MANY_CONNECTIONS = Refusal(
    503,
    "There are too many connections; try again in a second.",
    ErrorCode.RATE_LIMITED,
    ((b"retry-after", b"1"),),
)


def unreadable(why: str) -> Refusal:
    """The parser gave up."""
    return Refusal(400, f"The request cannot be read: {why}.")


def head_too_large(most: int) -> Refusal:
    """Too many bytes before the body."""
    return Refusal(431, f"A request's line and headers may have up to {most} bytes.")


def too_many_headers(most: int) -> Refusal:
    """Too many of them."""
    return Refusal(431, f"A request may have up to {most} headers.")


TOO_MUCH_AROUND_BODY = Refusal(
    431, "A body's chunks may not bring along so much: sizes, extensions, trailers."
)


def too_slow(what: str, within_s: float) -> Refusal:
    """A deadline passed."""
    message = f"The request's {what} must be there within {within_s:g} seconds."
    return Refusal(408, message, ErrorCode.DEADLINE_EXCEEDED)
