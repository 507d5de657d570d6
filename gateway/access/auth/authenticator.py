"""The door: who sends a request, told from its headers, remembered for a minute, forgotten in a second."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

from gateway.access.auth import api_keys, claims, credential, tokens
from gateway.access.auth.api_keys import Keys
from gateway.access.auth.claims import ClaimNames, Revoked
from gateway.access.auth.credential import Credential, Headers, Method
from gateway.access.auth.failed_logins import FailedLogins
from gateway.access.auth.grants import Admitted, Groups, admit
from gateway.access.auth.key_source import KeySource
from gateway.access.auth.key_uses import KeyUses
from gateway.access.auth.watched import Watch, WatchedFile
from gateway.access.caller import Caller
from gateway.errors import UnauthenticatedError
from gateway.process.clock import EpochMs, Monotonic

REMEMBER_S = 60.0
REMEMBER_MOST = 10_000

Close = Callable[[], Awaitable[None]]


class Verifier(Protocol):
    """Verifies credentials of one method."""

    async def ready(self, text: str) -> None:
        """Wait for what `verify` needs, so that it need not; may raise `UnauthenticatedError`."""
        ...

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
    uses: KeyUses
    version: int = field(default=0, init=False)

    async def ready(self, text: str) -> None:
        """Nothing: the keys are here."""

    async def verify(self, text: str, now_s: float) -> Admitted:
        """The key's holder."""
        key = api_keys.check(text, self.keys.content, now_s)
        admitted = admit(key.grant, _content(self.groups), now_s, key.until_s)
        # Who is remembered is not seen again for a minute, which is exact enough.
        self.uses.saw(key.id, now_s)
        return admitted


@dataclass(slots=True)
class TokenVerifier:
    """Tokens of one identity provider, for one audience."""

    source: KeySource
    issuer: str
    audience: str
    leeway_s: int
    max_life_s: int
    names: ClaimNames
    groups: WatchedFile[Groups] | None
    revoked: WatchedFile[Revoked] | None

    @property
    def version(self) -> int:
        """That of the provider's keys."""
        return self.source.version

    async def ready(self, text: str) -> None:
        """The provider's key has been fetched, if it can be."""
        await self.source.key(tokens.key_id_of(text))

    async def verify(self, text: str, now_s: float) -> Admitted:
        """The token's subject."""
        key = await self.source.key(tokens.key_id_of(text))
        if key is None:
            raise UnauthenticatedError("token_key_unknown")
        said = tokens.signed_claims(text, key)
        tokens.check_issued(said, self.issuer, self.audience)
        until_s = tokens.check_times(said, now_s, self.leeway_s, self.max_life_s)
        if self.revoked is not None:
            self.revoked.content.check(said, self.leeway_s)
        return admit(claims.grant_of(said, self.names), _content(self.groups), now_s, until_s)


class _Verified(NamedTuple):
    """A credential that was good: whose, for how long that is remembered, and by which files and keys."""

    admitted: Admitted
    until_s: float
    judged_by: int


class Authenticator:
    """Tells the caller of a request by its headers.

    A verified credential is remembered by its hash, for a minute at most and never past its end.
    Who asks a second after the last look at the files waits for another one; whatever changed in them
    makes all be verified again.
    """

    def __init__(
        self,
        anonymous: Caller | None,
        verifiers: dict[Method, Verifier],
        watch: Watch,
        epoch_ms: EpochMs,
        monotonic: Monotonic,
        closing: Sequence[Close] = (),
        failed_logins: FailedLogins | None = None,
    ) -> None:
        self._anonymous = anonymous
        self._verifiers = verifiers
        self.watch = watch
        self._epoch_ms = epoch_ms
        self._monotonic = monotonic
        self._closing = closing
        self._failed_logins = failed_logins
        self._versions: tuple[int, ...] = ()
        self._judged_by = 0
        """Grows when what was verified has to be verified anew."""
        self._verified: dict[bytes, _Verified] = {}
        self._account_sets: WeakValueDictionary[int, frozenset[str]] = WeakValueDictionary()

    def authenticate_cached(self, headers: Headers) -> Caller | None:
        """The caller if that is known without any work; `None`: ask `authenticate`."""
        sent = credential.raw(headers)
        if not sent:
            return self._anonymous
        return None if self.watch.is_due else self._remembered(sent)

    async def authenticate(self, headers: Headers, address: str | None = None) -> Caller:
        """The caller; raises `UnauthenticatedError`, or `FailedLoginsError` for too many from this address.

        What was good before is looked at whatever others of its address send; `None`: any number.
        """
        sent = credential.raw(headers)
        if not sent and self._anonymous is not None:
            return self._anonymous
        digest = _digest(sent)
        failed = self._failed_logins
        if failed is None or address is None or not sent or digest in self._verified:
            return await self._authenticated(sent, digest)
        # All that is waited for comes before the payment: else many good ones that wait together
        # would have paid what bad ones may cost.
        await self._ready(sent)
        failed.tries(address)
        caller = await self._authenticated(sent, digest)
        failed.succeeded(address)
        return caller

    async def _ready(self, sent: tuple[bytes, ...]) -> None:
        """Wait for what judges a credential; the files last, as a look at them is soon too old."""
        with suppress(UnauthenticatedError):  # which is told when it is verified
            found = credential.read(sent)
            verifier = self._verifiers.get(found.method)
            if verifier is not None:
                await verifier.ready(found.text)
        await self.watch.look_if_due()

    async def _authenticated(self, sent: tuple[bytes, ...], digest: bytes) -> Caller:
        found = credential.read(sent)
        await self.watch.look_if_due()
        remembered = self._remembered(sent)
        if remembered is not None:
            return remembered
        version = self.watch.version
        try:
            admitted = await self._verify(found)
        except UnauthenticatedError:
            self._verified.pop(digest, None)
            # A key that was made just now is valid now, and not only after the next look.
            await self.watch.look()
            if self.watch.version == version:
                raise
            admitted = await self._verify(found)
        # Nothing is waited for from here on: what is remembered was judged by the files as they are.
        self._forget_what_changed()
        self._verified.pop(digest, None)
        while len(self._verified) >= REMEMBER_MOST:
            del self._verified[next(iter(self._verified))]
        until_s = self._monotonic() + REMEMBER_S
        self._verified[digest] = _Verified(admitted, until_s, self._judged_by)
        return admitted.caller

    def provider_fails(self) -> bool:
        """Whether the identity provider's keys could not be fetched at the last try."""
        tokens_by = [each for each in self._verifiers.values() if isinstance(each, TokenVerifier)]
        return any(each.source.fails for each in tokens_by)

    async def close(self) -> None:
        """Close the connections to the identity provider, if there are any."""
        for close in self._closing:
            await close()

    async def _verify(self, found: Credential) -> Admitted:
        verifier = self._verifiers.get(found.method)
        if verifier is None:
            raise UnauthenticatedError("method_not_accepted")
        return self._sharing(await verifier.verify(found.text, self._now_s()))

    def _sharing(self, admitted: Admitted) -> Admitted:
        """The same, with the one set of all who have equal accounts.

        Whatever is kept for a caller holds its set, which may be large, and each verification makes it anew.
        """
        caller = admitted.caller
        if caller.accounts is None:
            return admitted
        known = self._account_sets.setdefault(hash(caller.accounts), caller.accounts)
        if known != caller.accounts:
            return admitted
        return replace(admitted, caller=replace(caller, accounts=known))

    def _remembered(self, sent: tuple[bytes, ...]) -> Caller | None:
        """The caller, if it was verified by what is valid still."""
        self._forget_what_changed()
        remembered = self._verified.get(_digest(sent))
        if remembered is None:
            return None
        admitted, until_s, judged_by = remembered
        if judged_by != self._judged_by or self._monotonic() >= until_s:
            return None
        if self._now_s() >= admitted.until_s:
            return None
        return admitted.caller

    def _forget_what_changed(self) -> None:
        versions = (self.watch.version, *[each.version for each in self._verifiers.values()])
        if versions != self._versions:
            self._versions = versions
            self._judged_by += 1

    def _now_s(self) -> float:
        return self._epoch_ms() / 1000


def _content(groups: WatchedFile[Groups] | None) -> Groups:
    return {} if groups is None else groups.content


def _digest(sent: tuple[bytes, ...]) -> bytes:
    return hashlib.sha256(b"\n".join(sent)).digest()
