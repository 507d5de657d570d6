"""One ready answer: its bytes, and until when they may be served."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

OVERHEAD_BYTES = 900
"""What an entry takes beside its body: its key, and its own fields."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer that was asked for at `born_s`; all times in monotonic seconds.

    `body` is a JSON object of `data` alone: what differs between requests is put in when it is sent.
    """

    body: bytes
    length: bytes
    etag: bytes
    born_s: float
    fresh_until_s: float
    stale_until_s: float
    rescue_until_s: float
    max_age: bytes

    @property
    def size(self) -> int:
        """Bytes that the entry takes, about."""
        return len(self.body) + OVERHEAD_BYTES

    def age_s(self, now_s: float) -> int:
        """Whole seconds since the entry was asked for, as `Age` tells them."""
        return max(0, int(now_s - self.born_s))


def make(
    body: bytes,
    born_s: float,
    fresh_s: float,
    stale_s: float,
    rescue_s: float,
    max_age_s: int,
    true_for_s: float = math.inf,
) -> Entry:
    """An entry that is fresh, then stale, then of use in an outage only; nothing past `true_for_s`."""
    fresh_until_s = born_s + fresh_s
    stale_until_s = fresh_until_s + stale_s
    ends_s = born_s + true_for_s
    if true_for_s < math.inf:
        # Whoever keeps it counts from an age that is told in whole seconds, and may be one more.
        max_age_s = max(0, min(max_age_s, int(true_for_s) - 1))
    return Entry(
        bytes(memoryview(body)),  # a copy: orjson leaves its whole buffer behind what it returns
        str(len(body)).encode(),
        etag_of(body),
        born_s,
        min(fresh_until_s, ends_s),
        min(stale_until_s, ends_s),
        min(max(stale_until_s, born_s + rescue_s), ends_s),
        str(max_age_s).encode(),
    )


def etag_of(body: bytes) -> bytes:
    """The tag of an answer: weak, as the extensions beside equal data may differ."""
    return b'W/"' + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b'"'
