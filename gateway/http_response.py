"""Responses as ASGI sends them: status, headers, bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Send

from gateway.http_request import Head
from gateway.negotiation import GRAPHQL, JSON
from gateway.outcome import Outcome
from gateway.response_cache.cache import Served, Status
from gateway.response_cache.entry import Entry, etag_of

Header = tuple[bytes, bytes]

_TYPES: dict[str, Header] = {
    each: (b"content-type", f"{each}; charset=utf-8".encode()) for each in (GRAPHQL, JSON)
}
_VARY: Header = (b"vary", b"Accept")
_NO_STORE: Header = (b"cache-control", b"no-store")
_MARKS = {Status.STALE: b"STALE", Status.RESCUED: b"STALE_IF_ERROR"}


@dataclass(frozen=True, slots=True)
class Response:
    """One response."""

    status: int
    headers: Sequence[Header]
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [*self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def of_entry(
    head: Head, media_type: str, request_id: str, entry: Entry, age_s: int, status: Status
) -> Response:
    """The response that a kept answer gives; one that is not fresh says so."""
    mark = _MARKS.get(status)
    body, length = entry.body, entry.length
    if mark is not None:
        body = _with_mark(body, mark, age_s)
        length = b"%d" % len(body)
    own = [_VARY, (b"x-request-id", request_id.encode())]
    if status is not Status.MISS:
        own.append((b"age", b"%d" % age_s))
    if head.method != "GET":
        headers = (_TYPES[media_type], (b"content-length", length), _NO_STORE, *own)
        return Response(200, headers, body)
    lasts = b"0" if mark is not None else entry.max_age
    common = (*_for_get(entry.etag, lasts), *own)
    if _matches(head.get(b"if-none-match"), entry.etag):
        return Response(304, common, b"")
    return Response(200, (_TYPES[media_type], (b"content-length", length), *common), body)


def of_outcome(
    head: Head, media_type: str, request_id: str, outcome: Outcome, status: int
) -> Response:
    """The response of an operation that was just executed, or refused."""
    body = outcome.body(request_id)
    headers = [
        _TYPES[media_type],
        (b"content-length", b"%d" % len(body)),
        _VARY,
        (b"x-request-id", request_id.encode()),
        *outcome.headers,
    ]
    if head.method != "GET" or status != 200 or outcome.codes:
        return Response(status, [*headers, _NO_STORE], body)
    # Not kept, so not to be kept by others.
    etag = etag_of(body)
    if _matches(head.get(b"if-none-match"), etag):
        return Response(304, [*headers[2:], *_for_get(etag, b"0")], b"")
    return Response(200, [*headers, *_for_get(etag, b"0")], body)


def of_served(
    head: Head, media_type: str, request_id: str, served: Served[Outcome], now_s: float
) -> Response:
    """The response of what the cache gave."""
    if served.entry is not None:
        age_s = served.entry.age_s(now_s)
        return of_entry(head, media_type, request_id, served.entry, age_s, served.status)
    assert served.told is not None
    return of_outcome(head, media_type, request_id, served.told, served.told.status)


def _with_mark(body: bytes, mark: bytes, age_s: int) -> bytes:
    # A kept body is an object of `data` alone, so its last byte closes it.
    return b'%s,"extensions":{"cache":{"status":"%s","ageSeconds":%d}}}' % (body[:-1], mark, age_s)


def _for_get(etag: bytes, max_age: bytes) -> tuple[Header, Header]:
    return (b"etag", etag), (b"cache-control", b"private, max-age=" + max_age)


def _matches(if_none_match: str | None, etag: bytes) -> bool:
    if if_none_match is None:
        return False
    ours = etag.decode().removeprefix("W/")
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (ours, "*") for tag in tags)
