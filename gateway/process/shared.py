"""What the application shares with the server that runs it: metrics, whether it is to end, a secret."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from gateway.process.drain import Drain
from gateway.process.metrics import Metrics

SECRET_BYTES = 32
_FILE = "signing"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the gateway.

    `secret`: nobody else's, but for the workers of the same supervisor.
    """

    metrics: Metrics = field(default_factory=Metrics)
    drain: Drain = field(default_factory=Drain)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)


def write_secret(folder: str) -> None:
    """Put a new secret into a supervisor's folder, which only its user can open."""
    (Path(folder) / _FILE).write_bytes(secrets.token_bytes(SECRET_BYTES))


def read_secret(folder: str) -> bytes:
    """The secret of a supervisor's folder."""
    return (Path(folder) / _FILE).read_bytes()
