"""JSON Web Tokens: a text that anyone may have written, to claims that the provider has signed.

After RFC 7519 and RFC 8725. Nothing in a token chooses how it is verified: its `kid` finds a key,
and the key has its one algorithm. Addresses and keys inside a token (`jku`, `x5u`, `jwk`) are refused.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from gateway.access.auth.jwks import PinnedKey
from gateway.errors import UnauthenticatedError

ALGORITHMS = ("ES256", "EdDSA", "RS256")
TYPES = ("jwt", "at+jwt", "application/at+jwt")
MAX_HEADER = 1_024
MAX_TEXT = 256
_COMPACT = re.compile(r"([\w-]+)\.[\w-]+\.[\w-]+", re.ASCII)
_NEVER = ("crit", "b64", "zip", "jku", "x5u", "jwk")

Claims = Mapping[str, Any]


def key_id_of(token: str) -> str:
    """The id of the key that is said to have signed; raises `UnauthenticatedError`."""
    compact = _COMPACT.fullmatch(token)
    if compact is None or len(compact[1]) > MAX_HEADER:
        raise UnauthenticatedError("token_malformed")
    try:
        header = _object(base64.urlsafe_b64decode(compact[1] + "=" * (-len(compact[1]) % 4)))
    except ValueError:
        raise UnauthenticatedError("token_malformed") from None
    if header.get("alg") not in ALGORITHMS:
        raise UnauthenticatedError("token_algorithm")
    if any(name in header for name in _NEVER):
        raise UnauthenticatedError("token_header")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise UnauthenticatedError("token_type")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not 1 <= len(key_id) <= MAX_TEXT:
        raise UnauthenticatedError("token_key_id")
    return key_id


def signed_claims(token: str, key: PinnedKey) -> Claims:
    """What the key has signed; raises `UnauthenticatedError`."""
    try:
        payload = PyJWS().decode(token, key.key, algorithms=[key.algorithm])
    except PyJWTError:
        raise UnauthenticatedError("token_signature") from None
    try:
        return _object(payload)
    except ValueError:
        raise UnauthenticatedError("token_claims") from None


def check_issued(claims: Claims, issuer: str, audience: str) -> None:
    """Refuse tokens of another provider, or for another service."""
    if claims.get("iss") != issuer:
        raise UnauthenticatedError("token_issuer")
    meant = claims.get("aud")
    audiences = [meant] if isinstance(meant, str) else meant
    if not isinstance(audiences, list) or audience not in audiences:
        raise UnauthenticatedError("token_audience")
    for name in ("sub", "jti"):
        if not isinstance(claims.get(name, "-"), str) or len(claims.get(name, "-")) > MAX_TEXT:
            raise UnauthenticatedError("token_claims")
    if not claims.get("sub"):
        raise UnauthenticatedError("token_claims")


def check_times(claims: Claims, now_s: float, leeway_s: int, max_life_s: int) -> float:
    """The epoch second at which the token ends, its issuer's clock being off by the leeway at most.

    A token lives from when it says it was issued, else from now on, for `max_life_s` at most.
    """
    expires_s = _number(claims, "exp")
    if expires_s is None or now_s >= expires_s + leeway_s:
        raise UnauthenticatedError("token_expired")
    for name in ("nbf", "iat"):
        at_s = _number(claims, name)
        if at_s is not None and now_s + leeway_s < at_s:
            raise UnauthenticatedError("token_not_yet_valid")
    issued_s = _number(claims, "iat")
    if expires_s - (now_s if issued_s is None else issued_s) > max_life_s:
        raise UnauthenticatedError("token_life_too_long")
    return expires_s + leeway_s


def _number(claims: Claims, name: str) -> float | None:
    found = claims.get(name)
    if name not in claims:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not _finite(found):
        raise UnauthenticatedError("token_claims")
    return float(found)


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _object(content: bytes) -> dict[str, Any]:
    """A JSON object of UTF-8 in which no name comes twice; raises `ValueError`."""
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None
    match found:
        case dict():
            return found
        case _:
            raise ValueError("not an object")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
