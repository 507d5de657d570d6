"""Other accounts' ids as a caller is shown them: in clear, or masked, by masks that only that caller can use.

A mask is a keyed hash of the id and the caller's subject, and the id encrypted under that hash: a synthetic
initialisation vector (Rogaway and Shrimpton, 2006) out of one HMAC key. So it is always the same, tells nothing
but which multiple of 32 bytes the id is long, and no other subject's requests can be made of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.access.account_id import check_account_id
from gateway.access.caller import Caller
from gateway.errors import CallerError, ForbiddenError, Right
from gateway.process import file_mode

PREFIX = "masked:"
MIN_KEY_BYTES = 32
DIGEST_CHARACTERS = 16
"""In hex, of an account's digest in the record."""

_DIGEST_BYTES = 15
"""120 bits: no two accounts of a system meet by chance."""
_HASH_CHARACTERS = 24
"""In base32, of such a hash; all of a mask that there was before masks could be used."""
_STEP_BYTES = 32
_MAX_CHARACTERS = 512
"""More than the mask of the longest id has: 64 characters of 4 bytes are 434."""

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

    def digest_named(self, caller: Caller, text: str) -> str:
        """The same of another account as a caller names it: of a mask that it was shown, the account's."""
        try:
            return self.digest(self.named(caller, text, ""))
        except CallerError:
            return self.digest(text)

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
        hash_ = self._hash(caller, account_id)
        clear = account_id.encode("utf-8", "surrogatepass")
        padded = clear + bytes(-len(clear) % _STEP_BYTES)  # no id holds a zero
        return PREFIX + _text(hash_) + _text(self._crypted(hash_, padded))

    def named(self, caller: Caller, text: str, argument: str) -> str:
        """The id that a caller names: in clear, or by the mask that it was shown.

        Raises:
            BadUserInputError: no account has such an id.
            ForbiddenError: an id that the caller is not shown, or another one's mask, or none at all.

        """
        if text.startswith(PREFIX) and not caller.sees(text):
            return self._unmasked(caller, text)
        checked = check_account_id(text, argument)
        caller.may_name(checked)
        return checked

    def _unmasked(self, caller: Caller, mask: str) -> str:
        hash_ = _bytes(mask[len(PREFIX) :][:_HASH_CHARACTERS])
        crypted = _bytes(mask[len(PREFIX) + _HASH_CHARACTERS : _MAX_CHARACTERS])
        clear = self._crypted(hash_, crypted).rstrip(b"\0")
        try:
            account_id = clear.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise ForbiddenError(Right.SEE_COUNTERPARTIES) from None
        # All of it is compared, so that there is one mask of an id, and nothing that is not one passes.
        ours = self.shown(caller, account_id).encode()
        if not hmac.compare_digest(ours, mask.encode("utf-8", "surrogatepass")):
            raise ForbiddenError(Right.SEE_COUNTERPARTIES)
        return account_id

    def _hash(self, caller: Caller, account_id: str) -> bytes:
        if self.key is None:
            raise ValueError("a masked caller was let in without a masking key")
        said = f"{len(caller.subject)}:{caller.subject}{account_id}".encode(
            "utf-8", "surrogatepass"
        )
        return hmac.digest(self.key, said, hashlib.sha256)[:_DIGEST_BYTES]

    def _crypted(self, hash_: bytes, text: bytes) -> bytes:
        """Clear to encrypted and back: the bits of a stream that the hash begins."""
        key = self.key or b""
        stream = b"".join(
            hmac.digest(key, b"mask:%d:" % block + hash_, hashlib.sha256)
            for block in range(-(-len(text) // _STEP_BYTES))
        )
        mixed = int.from_bytes(text) ^ int.from_bytes(stream[: len(text)])
        return mixed.to_bytes(len(text))


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes:
    """What `_text` wrote; anything at all for other text, whose mask is another one then."""
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError:
        return b""


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
