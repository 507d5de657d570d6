"""Which keys sign: those of the settings, else what the gateways that must agree have in common anyway."""

from __future__ import annotations

from gateway.access.masking import Masking
from gateway.process.signing import Signer
from gateway.settings import Settings


def signer_of_cursors(settings: Settings, masking: Masking, secret: bytes) -> Signer:
    """The signer of cursors; without anything in common it is `secret`, the process's own, which its workers share."""
    return Signer(_keys(settings, masking) or (secret,), b"cursor")


def signer_of_answers(settings: Settings, masking: Masking) -> Signer:
    """The signer of answers in Redis, which hold cursors: whoever accepts these accepts those."""
    return Signer(_keys(settings, masking), b"answer")


def _keys(settings: Settings, masking: Masking) -> tuple[bytes, ...]:
    """What gateways have in common; nothing if there is neither a key nor Redis.

    Without any key, which is only where everybody may see everything, it is Redis' own address: that
    keeps gateways of one Redis together, and out what is none of theirs.
    """
    given = tuple(each.encode() for each in settings.signing_keys.split())
    common = masking.key or settings.cache_redis_url.encode()
    return given or ((common,) if common else ())
