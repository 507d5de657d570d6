"""Responses as ASGI sends them: status, headers, bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from starlette.types import Send

from gateway.access.budget.balance import Balance
from gateway.execution.outcome import Outcome
from gateway.http.negotiation import GRAPHQL, JSON
from gateway.http.origins import RAW_HEADERS
from gateway.http.request import Head
from gateway.response_cache.cache import Served, Status
from gateway.response_cache.entry import Entry, etag_of

Header = tuple[bytes, bytes]

_TYPES: dict[str, Header] = {
    each: (b"content-type", f"{each}; charset=utf-8".encode()) for each in (GRAPHQL, JSON)
}
VARY: Header = (b"vary", b"Accept, Authorization, X-API-Key")
_NO_STORE: Header = (b"cache-control", b"no-store")
BEAT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
EVENT_HEADERS: Sequence[Header] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
    VARY,
)
_WHOLE = {
    name: b"".join(b"%s: %s\r\n" % each for each in (kind, _NO_STORE, VARY, *RAW_HEADERS))
    + b"content-length: %d\r\nx-request-id: %s\r\nage: %d\r\n\r\n%s"
    for name, kind in _TYPES.items()
}
_MARKS = {Status.STALE: "STALE", Status.RESCUED: "STALE_IF_ERROR"}


class Addressee(NamedTuple):
    """To whom, and how, a response goes."""

    head: Head
    media_type: str
    request_id: str


class Response(NamedTuple):
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
    to: Addressee, entry: Entry, age_s: int, status: Status, balance: Balance | None
) -> Response:
    """The response that a kept answer gives; one that is not fresh says so."""
    mark = None if status is Status.HIT else stale_mark(status, age_s)
    body = entry.body if balance is None else with_cost(entry.body, balance)
    if mark:
        extensions = {**mark}
        if balance is not None:
            extensions["cost"] = balance.extensions()
        body = with_extensions(entry.body, extensions)
    own = [VARY, (b"x-request-id", to.request_id.encode())]
    if status is not Status.MISS:
        own.append((b"age", b"%d" % age_s))
    content = (_TYPES[to.media_type], (b"content-length", b"%d" % len(body)))
    if to.head.method != "GET":
        return Response(200, (*content, _NO_STORE, *own), body)
    common = (*_for_get(entry.etag, b"0" if mark else entry.max_age), *own)
    if _matches(to.head.get(b"if-none-match"), entry.etag):
        return Response(304, common, b"")
    return Response(200, (*content, *common), body)


def whole(to: Addressee, entry: Entry, age_s: int, balance: Balance) -> bytes:
    """The same response to a POST, of a fresh answer, as bytes: what follows its status line."""
    body = with_cost(entry.body, balance)
    return _WHOLE[to.media_type] % (len(body), to.request_id.encode(), age_s, body)


def of_outcome(
    to: Addressee, outcome: Outcome, status: int, balance: Balance | None = None
) -> Response:
    """The response of an operation that was just executed, or refused."""
    plain = outcome.body(to.request_id)
    told = balance or outcome.balance
    cost = {"cost": told.extensions()} if told is not None else {}
    body = with_extensions(plain, {**outcome.extensions, **cost})
    content = (_TYPES[to.media_type], (b"content-length", b"%d" % len(body)))
    own = [VARY, (b"x-request-id", to.request_id.encode()), *outcome.headers]
    if to.head.method != "GET" or status != 200 or outcome.codes:
        return Response(status, (*content, *own, _NO_STORE), body)
    # Not kept, so not to be kept by others.
    etag = etag_of(plain)
    if _matches(to.head.get(b"if-none-match"), etag):
        return Response(304, (*own, *_for_get(etag, b"0")), b"")
    return Response(200, (*content, *own, *_for_get(etag, b"0")), body)


def of_served(
    to: Addressee, served: Served[Outcome], now_s: float, balance: Balance | None
) -> Response:
    """The response of what the cache gave."""
    if served.entry is not None:
        return of_entry(to, served.entry, served.entry.age_s(now_s), served.status, balance)
    assert served.told is not None
    return of_outcome(to, served.told, served.told.status, balance)


def event(body: bytes, event_id: str | None = None) -> bytes:
    """An answer, which is one line of JSON, as an event."""
    identified = b"id: %s\n" % event_id.encode() if event_id else b""
    return b"event: next\n%sdata: %s\n\n" % (identified, body)


def as_events(response: Response) -> Response:
    """A response of GraphQL's as the one event of a stream that then is complete."""
    body = event(response.body) + COMPLETE
    dropped = {name for name, _ in EVENT_HEADERS} | {b"content-length"}
    kept = [each for each in response.headers if each[0] not in dropped]
    length = (b"content-length", b"%d" % len(body))
    return Response(200, (*EVENT_HEADERS, length, *kept), body)


def stale_mark(status: Status, age_s: int) -> dict[str, Any]:
    """What a kept answer says of itself that is not fresh; empty for one that is."""
    mark = _MARKS.get(status)
    return {"cache": {"status": mark, "ageSeconds": age_s}} if mark is not None else {}


def with_cost(body: bytes, balance: Balance) -> bytes:
    """The same for the one field that every answer has."""
    return b'%s,"extensions":{"cost":%s}}' % (body[:-1], balance.json)


def with_extensions(body: bytes, extensions: Mapping[str, Any]) -> bytes:
    """A JSON object, which is not empty, with one more field: what differs between requests."""
    if not extensions:
        return body
    return b'%s,"extensions":%s}' % (body[:-1], orjson.dumps(extensions))


def _for_get(etag: bytes, max_age: bytes) -> tuple[Header, Header]:
    return (b"etag", etag), (b"cache-control", b"private, max-age=" + max_age)


def _matches(if_none_match: str | None, etag: bytes) -> bool:
    if if_none_match is None:
        return False
    ours = etag.decode().removeprefix("W/")
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (ours, "*") for tag in tags)
