"""API keys as they are kept: hashes with what they grant, in one JSON file that only its owner reads.

A key is `pak_<id>_<secret>`. The secret is 256 random bits, so one SHA-256 of the key is as good as
any slow hash: there is no dictionary to try. The id is no secret; it tells keys apart in lists.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.access.auth.credential import KEY_START
from gateway.access.auth.grants import Grant, account_ids, instant_s
from gateway.access.caller import Role
from gateway.errors import UnauthenticatedError

VERSION = 1
_NO_HASH = hashlib.sha256(b"no key has this hash").hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key: whose it is, what it grants, from when to when; instants are RFC 3339 texts.

    `name` is the holder's: keys that follow each other in a rotation have it in common.
    """

    id: str
    name: str
    role: Role
    sha256: str = field(repr=False)
    created: str
    expires: str | None
    revoked: str | None
    accounts: frozenset[str]
    groups: tuple[str, ...]
    sees_counterparties: bool

    @property
    def prefix(self) -> str:
        """What of the key may be shown."""
        return f"{KEY_START}{self.id}_…"

    @property
    def until_s(self) -> float:
        """Epoch seconds from which on it is not valid; a revoked one never was, whatever the clock."""
        if self.revoked is not None:
            return float("-inf")
        return float("inf") if self.expires is None else instant_s(self.expires)

    @property
    def grant(self) -> Grant:
        """What it grants."""
        return Grant(
            f"key:{self.name}",
            self.role,
            self.accounts,
            self.groups,
            self.sees_counterparties,
            self.id,
        )


Keys = Mapping[str, ApiKey]
"""By id."""


def new_secret() -> tuple[str, str, str]:
    """A new key's id, the key itself, and its hash."""
    key_id = secrets.token_hex(6)
    key = f"{KEY_START}{key_id}_{secrets.token_urlsafe(32)}"
    return key_id, key, digest(key)


def digest(key: str) -> str:
    """The hash that is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def check(key: str, keys: Keys, now_s: float) -> ApiKey:
    """The key's record; raises `UnauthenticatedError`. Hashes are compared in constant time."""
    key_id = key.removeprefix(KEY_START).partition("_")[0]
    known = keys.get(key_id)
    same = hmac.compare_digest(digest(key), known.sha256 if known else _NO_HASH)
    if known is None or not same:
        raise UnauthenticatedError("unknown_key")
    if now_s >= known.until_s:
        raise UnauthenticatedError("key_expired_or_revoked")
    return known


def next_end_s(keys: Keys, now_s: float) -> float:
    """Epoch seconds at which the first holder is without a valid key if nobody rotates it; infinite: never.

    Of a holder's keys the one that lasts longest counts, so that an old one may run out beside its successor.
    """
    last: dict[str, float] = {}
    for each in keys.values():
        last[each.name] = max(last.get(each.name, float("-inf")), each.until_s)
    return min((end_s for end_s in last.values() if end_s > now_s), default=float("inf"))


def parse(content: bytes) -> Keys:
    """The keys of a store's file; raises `ValueError` for anything that `dump` did not write."""
    said = json.loads(content)
    if said.get("version") != VERSION:
        raise ValueError("not a key store of this version")
    keys = [_key(each) for each in said["keys"]]
    found = {each.id: each for each in keys}
    if len(found) != len(keys):
        raise ValueError("two keys have one id")
    return found


def dump(keys: Iterable[ApiKey]) -> bytes:
    """A store's file."""
    said = [
        asdict(each)
        | {
            "role": each.role.value.lower(),
            "accounts": sorted(each.accounts),
            "groups": list(each.groups),
        }
        for each in keys
    ]
    return json.dumps({"version": VERSION, "keys": said}, indent=2).encode() + b"\n"


def _key(said: dict[str, Any]) -> ApiKey:
    key = ApiKey(
        **said
        | {
            "role": Role(said["role"].upper()),
            "accounts": account_ids(said["accounts"]),
            "groups": tuple(said["groups"]),
        }
    )
    for instant in (key.created, key.expires, key.revoked):
        if instant is not None:
            instant_s(instant)
    if len(key.sha256) != len(_NO_HASH) or not isinstance(key.sees_counterparties, bool):
        raise ValueError("not a key")
    return key
