"""Who we say we are to the broker, and whom we believe: password, token and certificate files, read anew as they change."""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import StoreUnavailableError
from gateway.process import file_mode

Signature = tuple[int, int, int]
MAX_FILE_BYTES = 65_536


@dataclass(slots=True)
class BrokerAccess:
    """Basic authentication, a bearer token or neither; for `https://`, PEM files.

    Without `tls_ca_file` the system's authorities are believed. The certificate must name the host of the address.
    """

    username: str = ""
    password_file: str = ""
    token_file: str = ""
    tls_ca_file: str = ""
    tls_cert_file: str = ""
    tls_key_file: str = ""
    _seen: Signature | None = field(default=None, init=False)
    _headers: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _tls_seen: tuple[Signature, ...] | None = field(default=None, init=False)
    _tls: ssl.SSLContext | None = field(default=None, init=False)

    @property
    def who(self) -> str:
        """Who we say we are, for messages."""
        if self.token_file:
            return "the token of GATEWAY_PINOT_TOKEN_FILE"
        return (
            f"user {self.username}"
            if self.username
            else "nobody (GATEWAY_PINOT_USERNAME is not set)"
        )

    def check(self) -> None:
        """Raise `OSError` (`ssl.SSLError` is one) or `ValueError` if the files are of no use."""
        self._read()
        if self.tls_ca_file or self.tls_cert_file:
            self._context()

    def headers(self) -> dict[str, str]:
        """What is sent with each statement; raises `StoreUnavailableError` if it can no longer be read."""
        file = self.token_file or self.password_file
        if not file:
            return {}
        try:
            if _signature(file) != self._seen:
                self._read()
        except (OSError, ValueError) as error:
            named = "GATEWAY_PINOT_TOKEN_FILE" if self.token_file else "GATEWAY_PINOT_PASSWORD_FILE"
            raise StoreUnavailableError(f"{named} cannot be used: {error}") from None
        return self._headers

    def tls(self) -> ssl.SSLContext | bool:
        """What the next connection takes; a changed file makes a new one. Raises `StoreUnavailableError`."""
        files = [each for each in (self.tls_ca_file, self.tls_cert_file, self.tls_key_file) if each]
        if not files:
            return True
        try:
            seen = tuple(_signature(each) for each in files)
            if self._tls is None or seen != self._tls_seen:
                self._tls, self._tls_seen = self._context(), seen
        except OSError as error:
            raise StoreUnavailableError(
                f"GATEWAY_PINOT_TLS_…_FILE cannot be used: {error}"
            ) from None
        return self._tls

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.tls_ca_file or None)
        if self.tls_cert_file:
            context.load_cert_chain(self.tls_cert_file, self.tls_key_file)
        return context

    def _read(self) -> None:
        file = self.token_file or self.password_file
        if not file:
            return
        with Path(file).open("rb") as opened:
            status = os.fstat(opened.fileno())
            refusal = file_mode.refusal(status)
            content = opened.read(MAX_FILE_BYTES + 1)
        text = content.decode(errors="replace").rstrip("\r\n")
        if refusal or not text.strip() or len(content) > MAX_FILE_BYTES:
            raise ValueError(refusal or f"it is empty or has over {MAX_FILE_BYTES} bytes")
        if self.token_file:
            self._headers = {"Authorization": f"Bearer {text}"}
        else:
            encoded = base64.b64encode(f"{self.username}:{text}".encode()).decode()
            self._headers = {"Authorization": f"Basic {encoded}"}
        self._seen = (status.st_mtime_ns, status.st_size, status.st_ino)


def _signature(file: str) -> Signature:
    status = Path(file).stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
