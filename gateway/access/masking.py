"""Other accounts' ids as a caller is shown them: in clear, or as keyed hashes that are its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.access.caller import Caller
from gateway.process import file_mode

PREFIX = "masked:"
MIN_KEY_BYTES = 32
DIGEST_CHARACTERS = 16
"""In hex, of an account's digest in the record."""

_DIGEST_BYTES = 15
"""120 bits: no two accounts of a system meet by chance."""

Show = Callable[[str], str]
"""From an account id to what the caller is shown of it."""


@dataclass(frozen=True, slots=True)
class Masking:
    """The deployment's masking key; without one nobody can be masked."""

    key: bytes | None = field(default=None, repr=False)
    _own: bytes = field(
        default_factory=lambda: secrets.token_bytes(MIN_KEY_BYTES), init=False, repr=False
    )

    def digest(self, account_id: str) -> str:
        """What the record tells an account by: not to be found by trying ids, and nobody's mask.

        The same as long as the masking key is; without one, as long as the process lives.
        """
        said = b"log:" + account_id.encode("utf-8", "surrogatepass")
        digest = hmac.digest(self.key or self._own, said, hashlib.sha256)
        return digest.hex()[:DIGEST_CHARACTERS]

    def for_caller(self, caller: Caller) -> Show:
        """What this caller is shown of an id."""
        if caller.sees_all:
            return str
        return lambda account_id: self.shown(caller, account_id)

    def shown(self, caller: Caller, account_id: str) -> str:
        """The id, or its mask: always the same to one subject, another one to each subject.

        The key makes it impossible to try out ids; the subject, that two partners join their data.
        """
        if caller.sees(account_id):
            return account_id
        if self.key is None:
            raise ValueError("a masked caller was let in without a masking key")
        said = f"{len(caller.subject)}:{caller.subject}{account_id}".encode(
            "utf-8", "surrogatepass"
        )
        digest = hmac.digest(self.key, said, hashlib.sha256)[:_DIGEST_BYTES]
        return PREFIX + base64.b32encode(digest).decode().lower()


def read_key(path: Path) -> bytes:
    """The masking key of a file; raises `ValueError` that says how to make one."""
    try:
        refusal = file_mode.refusal(path.stat())
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from None
    if refusal is not None:
        raise ValueError(f"{path} {refusal}")
    key = parse_key(content)
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(
            f"{path} must hold {MIN_KEY_BYTES} random bytes or more: openssl rand -hex 32 > {path}"
        )
    return key


def parse_key(content: bytes) -> bytes:
    """The key in a file's content."""
    return content.strip()
