"""Who may read `/metrics`: operators, and whoever holds the scrape token, which opens nothing else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from gateway.auth import credential
from gateway.auth.authenticator import Authenticator
from gateway.auth.credential import Headers
from gateway.auth.watched import WatchedFile
from gateway.caller import EVERYONE
from gateway.errors import UnauthenticatedError

MIN_TOKEN_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Scraping:
    """The rule; `token` is the hash of the scrape token in a watched file, if there is one.

    Where authentication is off and there is no token, anybody on this machine may read.
    """

    door: Authenticator
    token: WatchedFile[bytes] | None

    async def check(self, headers: Headers) -> None:
        """Raises `UnauthenticatedError`, or `ForbiddenError` for callers who are no operators."""
        sent = credential.raw(headers)
        if self.token is not None:
            self.token.look()
            if sent and hmac.compare_digest(_hash_of(sent), self.token.content):
                return
        known = self.door.authenticate_cached(headers)
        caller = known if known is not None else await self.door.authenticate(headers)
        if caller is EVERYONE and self.token is not None:
            raise UnauthenticatedError("missing")
        caller.may_read_metrics()


def parse_token(content: bytes) -> bytes:
    """The hash of a token file's token; raises `ValueError`."""
    token = content.strip()
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isascii() or len(token.split()) != 1:
        raise ValueError(f"a token has {MIN_TOKEN_CHARACTERS} characters or more, without spaces")
    return _hash(token)


def _hash_of(sent: tuple[bytes, ...]) -> bytes:
    """The hash of the one bearer token that was sent; of no token if it is something else."""
    scheme, _, token = sent[0].partition(b" ")
    is_bearer = len(sent) == 1 and scheme.lower() == b"authorization:bearer"
    return _hash(token.strip()) if is_bearer else b""


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
