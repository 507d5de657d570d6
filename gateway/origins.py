"""What browsers are told and asked: which other sites may ask, and headers on every response.

Nothing here knows cookies: a page of another site has no credentials of a user to send along.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

ALLOWED_METHODS = "GET, POST"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Api-Key, X-Request-Id"
PREFLIGHT_MAX_AGE_S = 600


@dataclass(frozen=True, slots=True)
class Origins:
    """Stands in front of an application; `allowed` are the origins of other sites that may ask."""

    app: ASGIApp
    allowed: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse pages of sites that are not allowed; mark what goes out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        foreign = origin is not None and not _same(origin, headers.get("host"))
        allowed = origin if foreign and origin in self.allowed else None

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(scope=message), allowed, varies=bool(self.allowed))
            await send(message)

        if foreign and allowed is None:
            await _refused()(scope, receive, marked)
        elif allowed is not None and _is_preflight(scope, headers):
            await _preflight()(scope, receive, marked)
        else:
            await self.app(scope, receive, marked)


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
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if varies:
        headers.add_vary_header("Origin")
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
