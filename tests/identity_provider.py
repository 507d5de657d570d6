"""An identity provider for tests: keys, key sets, tokens right and wrong, and the settings to trust it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.settings import Settings

NOW_S = 1_763_800_000
ISSUER, AUDIENCE = "https://id.example", "payment-analytics"
MASKING_KEY = "0123456789abcdef" * 4

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def rsa_key(name: str, bits: int = 2_048) -> rsa.RSAPrivateKey:
    """An RSA key, the same each time it is asked for by its name."""
    assert name
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    assert name
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key(name: str) -> ed25519.Ed25519PrivateKey:
    """An Ed25519 key."""
    assert name
    return ed25519.Ed25519PrivateKey.generate()


def public_jwk(private: Private, key_id: str, **changed: Any) -> dict[str, Any]:
    """The public half as a JWK."""
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    jwk = {name: value for name, value in jwk.items() if name not in ("key_ops", "use")}
    return {**jwk, "kid": key_id, "use": "sig", **changed}


def key_set(*jwks: dict[str, Any]) -> bytes:
    """A JWKS document."""
    return json.dumps({"keys": jwks}).encode()


def segment(said: object) -> str:
    """JSON (or bytes as they are) in base64url."""
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def sign(private: Private, signed: str) -> bytes:
    """The signature that the key's type has in a token."""
    message = signed.encode()
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return private.sign(message)


def compact(private: Private, header: object, claims: object) -> str:
    """A signed token; header and claims may be bytes, to be wrong on purpose."""
    signed = f"{segment(header)}.{segment(claims)}"
    return f"{signed}.{segment(sign(private, signed))}"


def claims(**changed: Any) -> dict[str, Any]:
    """Claims of an owner of alice; `None` leaves one out."""
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-7",
        "jti": "token-1",
        "iat": NOW_S - 10,
        "exp": NOW_S + 600,
        "role": "owner",
        "accounts": ["alice"],
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    """A header for the RSA key."""
    whole = {"alg": "RS256", "typ": "JWT", "kid": "rsa-1", **changed}
    return {name: value for name, value in whole.items() if value is not None}


def token(**changed: Any) -> str:
    """A good token of the RSA key, claims changed."""
    return compact(rsa_key("1"), header(), claims(**changed))


def secret_of(key: str) -> str:
    """What of an API key nobody else may know: all behind its id, underscores included."""
    return key.split("_", 2)[2]


def shows(text: str, secret: str) -> bool:
    """Whether a text tells a part of a secret: any 16 characters in a row, of which there are no two by chance."""
    return any(secret[at : at + 16] in text for at in range(len(secret) - 15))


def default_keys() -> bytes:
    """A key of each kind."""
    return key_set(
        public_jwk(rsa_key("1"), "rsa-1", alg="RS256"),
        public_jwk(ec_key("1"), "ec-1"),
        public_jwk(ed_key("1"), "ed-1"),
    )


@dataclass
class Clock:
    """A clock to be moved by hand, for both kinds of time."""

    now_s: float = NOW_S

    def epoch_ms(self) -> int:
        """As a wall clock."""
        return int(self.now_s * 1000)

    def monotonic(self) -> float:
        """As a stop watch."""
        return self.now_s


@dataclass
class Trust:
    """The files that a gateway authenticates by, in a folder of a test."""

    folder: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        """One key set, no key, one group."""
        self.write("masking.key", MASKING_KEY)
        self.write("jwks.json", default_keys())
        self.write("revoked.json", {"jti": [], "sub": {}})
        self.write("groups.json", {"friends": {"accounts": ["alice", "bob"]}})
        self.write("keys.json", {"version": 1, "keys": []})

    def write(self, name: str, content: object) -> None:
        """Put a file in place; a later look sees that it changed."""
        path = self.folder / name
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = json.dumps(content).encode()
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(path)

    def settings(self, **changed: Any) -> Settings:
        """Both methods, nobody anonymous."""
        given: dict[str, Any] = {
            "auth": "api_key,jwt",
            "auth_keys": str(self.folder / "keys.json"),
            "auth_groups": str(self.folder / "groups.json"),
            "auth_jwks": str(self.folder / "jwks.json"),
            "auth_issuer": ISSUER,
            "auth_audience": AUDIENCE,
            "auth_revoked": str(self.folder / "revoked.json"),
            "masking_key_file": str(self.folder / "masking.key"),
            "log_level": "info",
            **changed,
        }
        return Settings(**given)


def bearer(text: str) -> list[tuple[bytes, bytes]]:
    """The header as ASGI has it."""
    return [(b"host", b"localhost"), (b"authorization", b"Bearer " + text.encode())]
