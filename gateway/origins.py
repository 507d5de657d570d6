"""What browsers are told and asked: which other sites may ask, and headers on every response.

Nothing here knows cookies: a page of another site has no credentials of a user to send along.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.whole_response import take_away
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
ALLOWED_HEADERS = "Authorization, Content-Type, X-Api-Key, X-Request-Id"
PREFLIGHT_MAX_AGE_S = 600


@dataclass(frozen=True, slots=True)
class Origins:
    """Stands in front of an application; `allowed` are the origins of other sites that may ask."""

    app: ASGIApp
    allowed: frozenset[str]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Refuse pages of sites that are not allowed; mark what goes out."""
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        origin = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
                break
        if origin is not None or self.allowed:
            take_away(scope)
        if origin is None:
            return self.app(scope, receive, _marking(send, None, varies=bool(self.allowed)))
        return self._of_page(origin.decode("latin-1"), scope, receive, send)

    async def _of_page(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        foreign = not _same(origin, headers.get("host"))
        allowed = origin if foreign and origin in self.allowed else None
        marking = _marking(send, allowed, varies=bool(self.allowed))
        if foreign and allowed is None:
            await _refused()(scope, receive, marking)
        elif allowed is not None and _is_preflight(scope, headers):
            await _preflight()(scope, receive, marking)
        else:
            await self.app(scope, receive, marking)


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


def _same(origin: str, host: str | None) -> bool:
    """Whether a page of this very server asks; its scheme is unknown behind a proxy."""
    return host is not None and origin.partition("://")[2] == host


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


def _preflight() -> Response:
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
    }
    return Response(status_code=204, headers=headers)


def _refused() -> Response:
    error = {
        "message": "Pages of this origin may not ask here.",
        "extensions": {"code": ErrorCode.FORBIDDEN.name},
    }
    return JSONResponse({"errors": [error]}, 403)


def _mark(headers: MutableHeaders, allowed: str | None, *, varies: bool) -> None:
    if varies:
        headers.add_vary_header("Origin")
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = "Age, ETag, Retry-After, X-Request-Id"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
