"""What processes must have in common to serve each other's answers: their code, their settings, their masks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from gateway.access.masking import Masking
from gateway.settings import Settings

_CODE = ("gateway", "graphql_schema")
_LIBRARIES = ("graphql-core", "orjson", "strawberry-graphql", "tzdata")
"""Those that an answer's bytes depend on."""

_OWN = (
    "host",
    "port",
    "workers",
    "drain_",
    "log_",
    "traces",
    "allow_",
    "graphiql",
    "page",
    "budget_redis_url",
    "cache_max_bytes",
    "cache_redis_",
    "redis_",
    "signing_keys",
    "masking_key_file",
    "failed_logins_",
    "trusted_proxies",
    "audit_log",
    "max_connections",
    "head_ms",
    "body_ms",
    "idle_ms",
    "send_ms",
    "half_closed_ms",
)
"""Settings that may differ, by how their names begin; the masking key's content counts, not where it is."""


def generation_of(settings: Settings, masking: Masking) -> bytes:
    """A digest of all that; other code, even of the same version, has another one."""
    digest = hashlib.sha256()
    key = b"" if masking.key is None else hmac.digest(masking.key, b"generation", hashlib.sha256)
    named = [name for name in Settings.model_fields if not name.startswith(_OWN)]
    parts = [
        key,
        *(f"{name}={getattr(settings, name)!r}".encode() for name in named),
        *(f"{name}={version(name)}".encode() for name in _LIBRARIES),
        *_files(),
    ]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _files() -> Iterable[bytes]:
    root = Path(__file__).parents[2]
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*.py")):
            yield str(path.relative_to(root)).encode()
            yield path.read_bytes()
