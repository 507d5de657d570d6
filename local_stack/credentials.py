"""Demo credentials of a local stack: an owner's token, a partner's and an operator's key, made anew by each `up`."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access.auth import api_keys, key_file
from gateway.access.auth.api_keys import ApiKey, Keys
from gateway.access.caller import Role
from local_stack.settings import StackSettings

ISSUER = "https://identity.localhost"
AUDIENCE = "payment-analytics"
TOKEN_HOURS = 12
KEY_DAYS = 30
OWNED = ("acct-000001",)
GROUP, GROUP_ACCOUNTS = "demo-group", ("acct-000002", "acct-000003")
PARTNER, OPERATOR = "demo-partner", "demo-operator"

Header = Mapping[str, str]
"""What to send, as GraphiQL's Headers tab takes it."""


@dataclass(frozen=True, slots=True)
class AuthFiles:
    """Where a stack keeps what its gateway authenticates by; secrets are readable by their owner only."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    @property
    def groups(self) -> Path:
        return self.folder / "groups.json"

    @property
    def jwks(self) -> Path:
        return self.folder / "jwks.json"

    @property
    def signing_key(self) -> Path:
        return self.folder / "signing-key.pem"

    @property
    def revoked(self) -> Path:
        return self.folder / "revoked.json"

    @property
    def masking_key(self) -> Path:
        return self.folder / "masking.key"

    @property
    def metrics_token(self) -> Path:
        """What Prometheus shows to read the gateway's metrics."""
        return self.folder / "metrics.token"

    @property
    def demo(self) -> Path:
        return self.folder / "demo.json"

    @property
    def tools(self) -> Path:
        """The headers that our own commands send."""
        return self.folder / "tools.json"


def files(settings: StackSettings) -> AuthFiles:
    """The files of a stack."""
    return AuthFiles(settings.state / "auth")


def gateway_environment(settings: StackSettings, *, required: bool) -> dict[str, str]:
    """The gateway's settings; without `required`, requests without a credential see everything."""
    at = files(settings)
    return {
        "GATEWAY_AUTH": "api_key,jwt" if required else "off",
        "GATEWAY_AUTH_KEYS": str(at.keys),
        "GATEWAY_AUTH_GROUPS": str(at.groups),
        "GATEWAY_AUTH_JWKS": str(at.jwks),
        "GATEWAY_AUTH_ISSUER": ISSUER,
        "GATEWAY_AUTH_AUDIENCE": AUDIENCE,
        "GATEWAY_AUTH_REVOKED": str(at.revoked),
        "GATEWAY_MASKING_KEY_FILE": str(at.masking_key),
        # Where nobody needs a credential, it would shut out those who read the metrics without.
        **({"GATEWAY_METRICS_TOKEN_FILE": str(at.metrics_token)} if required else {}),
    }


def issue(settings: StackSettings, now: datetime, *, required: bool) -> None:
    """Make the demo credentials and every file that the gateway needs; other keys and lists stay."""
    at = files(settings)
    at.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    group = {GROUP: {"accounts": list(GROUP_ACCOUNTS)}}
    _write_new(at.masking_key, secrets.token_hex(32).encode())
    _write_new(at.metrics_token, secrets.token_hex(32).encode())
    _write_new(at.groups, json.dumps(group).encode())
    _write_new(at.revoked, b'{"jti": [], "sub": {}}')
    _write_new(at.signing_key, _private_key())
    partner, partner_key = _api_key(PARTNER, Role.PARTNER, (GROUP,), now)
    operator, operator_key = _api_key(OPERATOR, Role.OPERATOR, (), now)

    def wanted(keys: Keys) -> list[ApiKey]:
        others = [each for each in keys.values() if each.name not in (PARTNER, OPERATOR)]
        return [*others, partner, operator]

    key_file.change(at.keys, wanted)
    demo = {
        f"owner of {', '.join(OWNED)}": _bearer(_owner_token(at, now)),
        f"partner with {', '.join(GROUP_ACCOUNTS)}; other ids masked": _bearer(partner_key),
        "operator": _bearer(operator_key),
    }
    key_file.write_private(at.demo, json.dumps(demo, indent=2).encode())
    tools = _bearer(operator_key) if required else {}
    key_file.write_private(at.tools, json.dumps(tools).encode())


def demo(settings: StackSettings) -> dict[str, Header]:
    """The demo credentials, by whose they are; none before the first `up`."""
    return dict(_json(files(settings).demo))


def tool_headers(settings: StackSettings) -> Header:
    """What our own commands send to the gateway."""
    return dict(_json(files(settings).tools))


def _json(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else {}


def _write_new(path: Path, content: bytes) -> None:
    if not path.exists():
        key_file.write_private(path, content)


def _bearer(text: str) -> Header:
    return {"Authorization": f"Bearer {text}"}


def _api_key(name: str, role: Role, groups: tuple[str, ...], now: datetime) -> tuple[ApiKey, str]:
    key_id, key, sha256 = api_keys.new_secret()
    made = ApiKey(
        id=key_id,
        name=name,
        role=role,
        sha256=sha256,
        created=now.isoformat(),
        expires=(now + timedelta(days=KEY_DAYS)).isoformat(),
        revoked=None,
        accounts=frozenset(),
        groups=groups,
        sees_counterparties=role is Role.OPERATOR,
    )
    return made, key


def _private_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _owner_token(at: AuthFiles, now: datetime) -> str:
    """A token of the stack's own identity provider, whose public key becomes the key set."""
    private = serialization.load_pem_private_key(at.signing_key.read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise TypeError(f"{at.signing_key} is not the key that an earlier up has made")
    raw = private.public_key().public_bytes_raw()
    public = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": public[:16]}
    key_file.write_private(at.jwks, json.dumps({"keys": [jwk | {"x": public}]}).encode())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "demo-owner",
        "jti": secrets.token_hex(8),
        "iat": now.astimezone(UTC),
        "exp": now.astimezone(UTC) + timedelta(hours=TOKEN_HOURS),
        "role": "owner",
        "accounts": list(OWNED),
    }
    return jwt.encode(claims, private, "EdDSA", headers={"kid": jwk["kid"]})
