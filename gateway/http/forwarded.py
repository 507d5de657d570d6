"""Whom a request comes from, where proxies stand before the gateway: told once, in front of everything."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.process import addresses
from gateway.process.addresses import Networks


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Puts the address that trusted proxies tell into the scope, in place of their own."""

    app: ASGIApp
    trusted: Networks

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand the request on."""
        client = scope.get("client")
        if client is not None and scope["type"] != "lifespan":
            told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if told:
                # More than one are one list (RFC 9110, section 5.3).
                forwarded = b",".join(told)[-addresses.MAX_FORWARDED - 1 :]
                scope["client"] = (_asker(client[0], forwarded, self.trusted), client[1])
        return self.app(scope, receive, send)


@lru_cache(maxsize=4096)
def _asker(peer: str, forwarded: bytes, trusted: Networks) -> str:
    return addresses.asker(peer, forwarded.decode("latin-1"), trusted)
