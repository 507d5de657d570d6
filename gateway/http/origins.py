"""What browsers are told and asked: which other sites may ask, and headers on every response.

Nothing here knows cookies: a page of another site has no credentials of a user to send along.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.refused import TellRefused, tell_nobody
from gateway.http.request import RequestIds, head_of
from gateway.process.web_names import Origin, origin_of, place_of
from gateway.process.whole_response import take_away
from graphql_schema.error_codes import ErrorCode

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""On every response that does not set its own."""

RAW_HEADERS = tuple(
    (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
)
_NAMES = frozenset(name for name, _ in RAW_HEADERS)

ALLOWED_METHODS = "GET, POST"
ALLOWED_HEADERS = (
    *("Accept", "Authorization", "Cache-Control", "Content-Type", "If-None-Match", "Last-Event-ID"),
    *("X-Api-Key", "X-Correlation-Id", "X-Request-Id", "X-Requested-With"),
    # Who asks, for what: Apollo's clients on the web and on phones, and those that GraphQL tools know.
    *("apollo-require-preflight", "apollographql-client-name", "apollographql-client-version"),
    *("graphql-client-name", "graphql-client-version", "graphql-preflight"),
    *("graphql-require-preflight", "x-apollo-operation-id"),
    *("x-apollo-operation-name", "x-apollo-operation-type"),
    # A trace that begins in the page: W3C, Sentry, Zipkin, Datadog, New Relic, Elastic, Azure, AWS, Google.
    *("traceparent", "tracestate", "baggage", "sentry-trace", "b3", "x-b3-traceid", "x-b3-spanid"),
    *("x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "x-datadog-origin"),
    *("x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-tags"),
    *("x-datadog-trace-id", "newrelic", "elastic-apm-traceparent", "uber-trace-id", "request-id"),
    *("request-context", "x-amzn-trace-id", "x-cloud-trace-context"),
)
"""What pages of other sites may send; none of it is believed more than what any other client sends."""

EXPOSED_HEADERS = (
    *("Age", "Allow", "Date", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("WWW-Authenticate", "X-As-Of", "X-Request-Id", "X-Window-End"),
)
"""What they may read of answers, beside what browsers let every page read; a proxy may set limits of its own."""

PREFLIGHT_MAX_AGE_S = 600
_EXPOSED = ", ".join(EXPOSED_HEADERS)


@dataclass(frozen=True, slots=True)
class Origins:
    """Stands in front of an application; `allowed` are the origins of other sites that may ask.

    `headers`: what their pages may send beside `ALLOWED_HEADERS`.
    """

    app: ASGIApp
    allowed: frozenset[Origin]
    headers: tuple[str, ...]
    request_ids: RequestIds
    tell: TellRefused = tell_nobody

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Refuse pages of sites that are not allowed; mark what goes out."""
        if scope["type"] == "lifespan":
            return self.app(scope, receive, send)
        origin = None
        for name, value in scope["headers"]:
            if name == b"origin":
                # Two of them are one that nobody can be of.
                origin = value if origin is None else b""
        if scope["type"] == "websocket":
            return self._of_socket(origin, scope, receive, send)
        if origin is not None or self.allowed:
            take_away(scope)
        if origin is None:
            return self.app(scope, receive, _marking(send, None, varies=bool(self.allowed)))
        return self._of_page(origin.decode("latin-1"), scope, receive, send)

    async def _of_page(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        known = origin_of(origin)
        foreign = known is None or not _is_of_this_server(known, headers.getlist("host"))
        allowed = origin if foreign and known in self.allowed else None
        marking = _marking(send, allowed, varies=bool(self.allowed))
        if foreign and allowed is None:
            request_id = self.request_ids.of(head_of(scope))
            self.tell(scope, request_id, 403)
            await _refused(request_id)(scope, receive, marking)
        elif allowed is not None and _is_preflight(scope, headers):
            await self._preflight()(scope, receive, marking)
        else:
            await self.app(scope, receive, marking)

    async def _of_socket(
        self, origin: bytes | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """A browser lets every page open a WebSocket to anywhere: only who is asked can refuse it."""
        if origin is not None:
            known = origin_of(origin.decode("latin-1"))
            hosts = Headers(scope=scope).getlist("host")
            if known is None or not (known in self.allowed or _is_of_this_server(known, hosts)):
                request_id = self.request_ids.of(head_of({**scope, "method": "GET"}))
                self.tell(scope, request_id, 403)
                await _refused(request_id)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _preflight(self) -> Response:
        headers = {
            "Access-Control-Allow-Methods": ALLOWED_METHODS,
            "Access-Control-Allow-Headers": ", ".join((*ALLOWED_HEADERS, *self.headers)),
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }
        return Response(status_code=204, headers=headers)


def _marking(send: Send, allowed: str | None, *, varies: bool) -> Send:
    def marked(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = message["headers"]
            if _NAMES.isdisjoint(own := dict(headers)):
                headers += RAW_HEADERS
            else:
                headers += [pair for pair in RAW_HEADERS if pair[0] not in own]
            if varies or allowed is not None:
                _mark(MutableHeaders(raw=headers), allowed, varies=varies)
        return send(message)

    return marked


def _is_of_this_server(origin: Origin, hosts: list[str]) -> bool:
    """Whether a page of this very server asks."""
    place = place_of(hosts[0]) if len(hosts) == 1 else None
    return place is not None and origin.serves(place)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


def _refused(request_id: str) -> Response:
    error = {
        "message": "Pages of this origin may not ask here; GATEWAY_ALLOWED_ORIGINS lists those that may.",
        "extensions": {"code": ErrorCode.FORBIDDEN.name, "requestId": request_id},
    }
    headers = {"Cache-Control": "no-store", "X-Request-Id": request_id}
    return JSONResponse({"errors": [error]}, 403, headers)


def _mark(headers: MutableHeaders, allowed: str | None, *, varies: bool) -> None:
    if varies:
        headers.add_vary_header("Origin")
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = _EXPOSED
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
