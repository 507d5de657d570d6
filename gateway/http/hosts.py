"""Which names this gateway answers to: a page that had its own name pointed at this machine gets nothing.

Such a page (DNS rebinding) is of the same origin as its requests, so no rule about other sites
stops it; but its name is in `Host`, where a browser lets no page write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.origins import SECURITY_HEADERS
from gateway.http.refused import TellRefused, tell_nobody
from gateway.http.request import RequestIds, head_of
from gateway.process.web_names import MAX_CHARACTERS, place_of
from graphql_schema.error_codes import ErrorCode

LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
PROBES = frozenset({"/healthz", "/readyz"})
"""These answer to any IP address: a kubelet asks by the pod's, and no name can have been rebound to it."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Stands in front of everything; `allowed` are names without ports, `None` for all names."""

    app: ASGIApp
    allowed: frozenset[bytes] | None
    request_ids: RequestIds
    tell: TellRefused = tell_nobody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request to a name that is not this gateway's."""
        if scope["type"] == "lifespan" or self.allowed is None or self._is_ours(scope):
            await self.app(scope, receive, send)
            return
        request_id = self.request_ids.of(head_of({"method": "GET", **scope}))
        self.tell(scope, request_id, 421)
        await _misdirected(request_id)(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        sent = [value for name, value in scope["headers"] if name == b"host"]
        if len(sent) != 1:
            return False
        name = name_of(sent[0])
        if name is None or self.allowed is None:
            return False
        return name in self.allowed or (scope["path"] in PROBES and _is_address(name))


def allowed_names(given: Iterable[str], *, on_loopback: bool) -> frozenset[bytes] | None:
    """The names to answer to: those given and the loopback's; all, if none are given elsewhere."""
    names = frozenset(filter(None, (name_of(name.encode()) for name in given)))
    return names | LOOPBACK if names or on_loopback else None


def name_of(host: bytes) -> bytes | None:
    """The name in a `Host` header, in its one form; `None` for what is no name with a port or without."""
    return _name_of(host) if len(host) <= MAX_CHARACTERS else None


@lru_cache(maxsize=256)
def _name_of(host: bytes) -> bytes | None:
    place = place_of(host.decode("latin-1"))
    return None if place is None else place.host.encode()


def _is_address(name: bytes) -> bool:
    try:
        ip_address(name.decode().strip("[]"))
    except ValueError:
        return False
    return True


def _misdirected(request_id: str) -> JSONResponse:
    extensions = {"code": ErrorCode.FORBIDDEN.name, "requestId": request_id}
    message = "This gateway does not answer to the name in Host; GATEWAY_ALLOWED_HOSTS lists names."
    headers = {**SECURITY_HEADERS, "X-Request-Id": request_id}
    return JSONResponse({"errors": [{"message": message, "extensions": extensions}]}, 421, headers)
