"""Who may read `/metrics`: operators, and whoever holds the scrape token, which opens nothing else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from gateway.access.auth import credential
from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.credential import Headers
from gateway.access.auth.watched import Watch, WatchedFile
from gateway.access.caller import EVERYONE
from gateway.errors import UnauthenticatedError

MIN_TOKEN_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Scraping:
    """The rule; `token` is the hash of the scrape token in a watched file, if there is one.

    Where authentication is off and there is no token, anybody on this machine may read.
    """

    door: Authenticator
    token: WatchedFile[bytes] | None
    watch: Watch

    async def check(self, headers: Headers, address: str | None = None) -> None:
        """Raises `UnauthenticatedError`, `FailedLoginsError`, or `ForbiddenError` for who is no operator."""
        # So that the alarm of a file that breaks is raised though nobody asks.
        await self.door.watch.look_if_due()
        sent = credential.raw(headers)
        if self.token is not None:
            await self.watch.look()
            if sent and hmac.compare_digest(_hash_of(sent), self.token.content):
                return
        known = self.door.authenticate_cached(headers)
        caller = known if known is not None else await self.door.authenticate(headers, address)
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
