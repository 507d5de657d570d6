"""Signatures of what leaves the gateway and comes back: made with the first key, accepted with any."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

SIGNATURE_BYTES = 16
"""128 bits: nobody guesses one."""


class Signer:
    """Signs for one purpose: what is signed for another one is not accepted.

    `keys`: secrets of any length, one or more. A keyed BLAKE2b takes a microsecond, and one more
    for each KiB.
    """

    def __init__(self, keys: Iterable[bytes], purpose: bytes) -> None:
        self._keys = tuple(hmac.digest(each, purpose, hashlib.sha256) for each in keys)

    def sign(self, content: bytes) -> bytes:
        """The signature of some content, `SIGNATURE_BYTES` long."""
        return _signature(self._keys[0], content)

    def is_signed(self, content: bytes | memoryview, signature: bytes | memoryview) -> bool:
        """Whether the signature is one of ours, of this very content."""
        return any(hmac.compare_digest(_signature(each, content), signature) for each in self._keys)


def _signature(key: bytes, content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, key=key, digest_size=SIGNATURE_BYTES).digest()
