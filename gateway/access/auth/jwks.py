"""An identity provider's public keys (JWKS), each pinned to the one algorithm that its type allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import AllowedPublicKeys, ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from gateway.process import logs

MIN_RSA_BITS = 2_048
MAX_KEYS = 100

_PINNED = {
    ("RSA", None): ("RS256", RSAAlgorithm.from_jwk),
    ("EC", "P-256"): ("ES256", ECAlgorithm.from_jwk),
    ("OKP", "Ed25519"): ("EdDSA", OKPAlgorithm.from_jwk),
}
"""By key type and curve. Secret keys are not in it: a public key is never tried as one."""


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A public key, and the only algorithm that a signature by it may have."""

    key_id: str
    algorithm: str
    key: AllowedPublicKeys


KeySet = Mapping[str, PinnedKey]
"""By key id."""


def parse(content: bytes) -> KeySet:
    """The usable keys; raises `ValueError` if this is no key set, or one of no use."""
    listed = json.loads(content)["keys"]
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("not a list of keys")
    objects = (_said(each) for each in listed if isinstance(each, dict))
    found = _by_id([each for each in objects if isinstance(each.get("kid"), str)])
    if len(found) < len(listed):
        logs.logger().warning("jwks_keys_not_used", count=len(listed) - len(found))
    if not found:
        raise ValueError("no usable key")
    return found


def _by_id(said: list[dict[str, Any]]) -> KeySet:
    """The one key for signatures of each id, said once or more; an id that may mean two has none.

    So an id that is also that of a key for encryption serves, and one whose private half is told does not.
    """
    found: dict[str, PinnedKey] = {}
    unclear = {each["kid"] for each in said if "d" in each}
    for key in filter(None, map(_pinned, said)):
        if found.setdefault(key.key_id, key) != key:
            unclear.add(key.key_id)
    return {key_id: key for key_id, key in found.items() if key_id not in unclear}


def _said(jwk: dict[str, Any]) -> dict[str, Any]:
    # Some providers write what a key does not have as null, its private half among it.
    return {name: value for name, value in jwk.items() if value is not None}


def _pinned(jwk: dict[str, Any]) -> PinnedKey | None:
    """A key that a signature may be by; whatever another one is, it takes nothing from those beside it."""
    try:
        kind = _PINNED.get((str(jwk.get("kty")), jwk.get("crv")))
        if kind is None or "d" in jwk or jwk.get("use", "sig") != "sig":
            return None
        algorithm, from_jwk = kind
        if jwk.get("alg", algorithm) != algorithm or "verify" not in jwk.get("key_ops", ["verify"]):
            return None
        key = from_jwk(jwk)
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return None
    return PinnedKey(jwk["kid"], algorithm, key)  # type: ignore[arg-type]  # never private: no "d"
