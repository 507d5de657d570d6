"""The door: who sends a request, told from its headers, remembered for a minute, forgotten in a second."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.auth import api_keys, claims, credential, tokens
from gateway.auth.api_keys import Keys
from gateway.auth.claims import ClaimNames, Revoked
from gateway.auth.credential import Credential, Headers, Method
from gateway.auth.grants import Admitted, Groups, admit
from gateway.auth.key_source import KeySource
from gateway.auth.watched import WatchedFile
from gateway.caller import Caller
from gateway.clock import EpochMs, Monotonic
from gateway.errors import UnauthenticatedError

REMEMBER_S = 60.0
REMEMBER_MOST = 10_000
LOOK_EVERY_S = 1.0

Close = Callable[[], Awaitable[None]]


class Verifier(Protocol):
    """Verifies credentials of one method."""

    async def verify(self, text: str, now_s: float) -> Admitted:
        """Whose it is; raises `UnauthenticatedError`."""
        ...

    @property
    def version(self) -> int:
        """Grows when what was verified may have to be verified again."""
        ...


@dataclass(slots=True)
class KeyVerifier:
    """API keys of a watched file."""

    keys: WatchedFile[Keys]
    groups: WatchedFile[Groups] | None
    version: int = field(default=0, init=False)

    async def verify(self, text: str, now_s: float) -> Admitted:
        """The key's holder."""
        key = api_keys.check(text, self.keys.content, now_s)
        return admit(key.grant, _content(self.groups), now_s, key.until_s)


@dataclass(slots=True)
class TokenVerifier:
    """Tokens of one identity provider, for one audience."""

    source: KeySource
    issuer: str
    audience: str
    leeway_s: int
    names: ClaimNames
    groups: WatchedFile[Groups] | None
    revoked: WatchedFile[Revoked] | None

    @property
    def version(self) -> int:
        """That of the provider's keys."""
        return self.source.version

    async def verify(self, text: str, now_s: float) -> Admitted:
        """The token's subject."""
        key = await self.source.key(tokens.key_id_of(text))
        if key is None:
            raise UnauthenticatedError("token_key_unknown")
        said = tokens.signed_claims(text, key)
        tokens.check_issued(said, self.issuer, self.audience)
        until_s = tokens.check_times(said, now_s, self.leeway_s)
        if self.revoked is not None:
            self.revoked.content.check(said)
        return admit(claims.grant_of(said, self.names), _content(self.groups), now_s, until_s)


class Authenticator:
    """Tells the caller of a request by its headers.

    A verified credential is remembered by its hash, for a minute at most and never past its end.
    Watched files are looked at every second; whatever changed in them makes all be verified again.
    """

    def __init__(
        self,
        anonymous: Caller | None,
        verifiers: dict[Method, Verifier],
        watched: Sequence[WatchedFile[Any]],
        epoch_ms: EpochMs,
        monotonic: Monotonic,
        closing: Sequence[Close] = (),
    ) -> None:
        self._anonymous = anonymous
        self._verifiers = verifiers
        self._watched = watched
        self._epoch_ms = epoch_ms
        self._monotonic = monotonic
        self._closing = closing
        self._looked_s = float("-inf")
        self._versions: tuple[int, ...] = ()
        self._verified: dict[bytes, tuple[Admitted, float]] = {}

    def authenticate_cached(self, headers: Headers) -> Caller | None:
        """The caller if that is known without any work; `None`: ask `authenticate`."""
        sent = credential.raw(headers)
        if not sent:
            return self._anonymous
        self._forget_what_changed()
        remembered = self._verified.get(_digest(sent))
        if remembered is None:
            return None
        admitted, until_s = remembered
        if self._monotonic() >= until_s or self._now_s() >= admitted.until_s:
            return None
        return admitted.caller

    async def authenticate(self, headers: Headers) -> Caller:
        """The caller; raises `UnauthenticatedError`."""
        sent = credential.raw(headers)
        if not sent and self._anonymous is not None:
            return self._anonymous
        found = credential.read(sent)
        self._forget_what_changed()
        try:
            admitted = await self._verify(found)
        except UnauthenticatedError:
            # A key that was made just now is valid now, and not only after the next look.
            if not self._look():
                raise
            admitted = await self._verify(found)
        # No look at the files may come in between: what is remembered was judged by them as they are.
        while len(self._verified) >= REMEMBER_MOST:
            del self._verified[next(iter(self._verified))]
        self._verified[_digest(sent)] = (admitted, self._monotonic() + REMEMBER_S)
        return admitted.caller

    async def close(self) -> None:
        """Close the connections to the identity provider, if there are any."""
        for close in self._closing:
            await close()

    async def _verify(self, found: Credential) -> Admitted:
        verifier = self._verifiers.get(found.method)
        if verifier is None:
            raise UnauthenticatedError("method_not_accepted")
        return await verifier.verify(found.text, self._now_s())

    def _forget_what_changed(self) -> None:
        if self._monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._look()
        versions = tuple(each.version for each in self._verifiers.values())
        if versions != self._versions:
            self._versions = versions
            self._verified.clear()

    def _look(self) -> bool:
        """Read again what changed, and forget what was judged by it; whether anything changed."""
        self._looked_s = self._monotonic()
        changed = sum(file.look() for file in self._watched) > 0
        if changed:
            self._verified.clear()
        return changed

    def _now_s(self) -> float:
        return self._epoch_ms() / 1000


def _content(groups: WatchedFile[Groups] | None) -> Groups:
    return {} if groups is None else groups.content


def _digest(sent: tuple[bytes, ...]) -> bytes:
    return hashlib.sha256(b"\n".join(sent)).digest()
