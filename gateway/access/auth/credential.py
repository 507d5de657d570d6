"""The credential that a request carries: one header, one way to say it; never a cookie or the URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gateway.errors import UnauthenticatedError

Headers = Iterable[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""

MAX_BYTES = 8_192
KEY_START = "pak_"
"""What every API key begins with, so that it is recognised wherever it turns up."""


class Method(Enum):
    """How a caller proves who it is."""

    API_KEY = "api_key"
    JWT = "jwt"


@dataclass(frozen=True, slots=True)
class Credential:
    """What was sent, not believed yet; its text is left out wherever it is printed."""

    method: Method
    text: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Credential({self.method.value})"


def raw(headers: Headers) -> tuple[bytes, ...]:
    """The headers that carry credentials, as they came; empty if there are none.

    A header that says nothing carries none: clients send it where they have no credential to fill in.
    """
    return tuple(
        [
            name + b":" + value
            for name, value in headers
            if name in (b"authorization", b"x-api-key") and not _says_nothing(name, value)
        ]
    )


def _says_nothing(name: bytes, value: bytes) -> bool:
    said = value.strip(b" \t")
    return not said or (name == b"authorization" and said.lower() == b"bearer")


def read(found: tuple[bytes, ...]) -> Credential:
    """The one credential; raises `UnauthenticatedError`."""
    if not found:
        raise UnauthenticatedError("missing")
    if len(found) > 1:
        raise UnauthenticatedError("several_credentials")
    name, _, value = found[0].partition(b":")
    if len(value) > MAX_BYTES:
        raise UnauthenticatedError("too_long")
    try:
        text = value.decode("ascii").strip(" ")
    except UnicodeDecodeError:
        raise UnauthenticatedError("not_ascii") from None
    if name == b"authorization":
        scheme, _, text = text.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthenticatedError("not_bearer")
        text = text.strip(" ")
    if not text:
        raise UnauthenticatedError("missing")
    if not text.isprintable() or " " in text or "," in text:
        raise UnauthenticatedError("malformed")
    method = Method.API_KEY if text.startswith(KEY_START) else Method.JWT
    if name == b"x-api-key" and method is Method.JWT:
        raise UnauthenticatedError("not_an_api_key")
    return Credential(method, text)
