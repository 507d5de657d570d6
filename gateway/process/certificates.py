"""When certificates in PEM files end, told again soon after somebody has replaced them."""

from __future__ import annotations

import math
from pathlib import Path

from cryptography import x509

from gateway.process.clock import Monotonic

LOOK_EVERY_S = 60.0


class CertificateFile:
    """A file of one certificate and its chain, or, with `is_authorities`, of several that may be believed."""

    def __init__(self, path: Path, monotonic: Monotonic, *, is_authorities: bool = False) -> None:
        self._path = path
        self._monotonic = monotonic
        self._is_authorities = is_authorities
        self._looked_s = float("-inf")
        self._ends_s = math.nan

    def ends_s(self) -> float:
        """Epoch seconds at which it is of no use any more; not a number if it cannot be read.

        A chain is as good as its first end, authorities as the last of them. Read at most once a minute.
        """
        if self._monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = self._monotonic()
            self._ends_s = self._read()
        return self._ends_s

    def _read(self) -> float:
        try:
            found = x509.load_pem_x509_certificates(self._path.read_bytes())
        except (OSError, ValueError):
            return math.nan
        ends = [each.not_valid_after_utc.timestamp() for each in found]
        return max(ends) if self._is_authorities else min(ends)
