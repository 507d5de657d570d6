"""A door that is opened for a trust, and keys that are made for it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.keys import main as keys_command
from gateway.access.auth.opening import open_door
from tests.identity_provider import Trust


def opened(trust: Trust, **changed: Any) -> Authenticator:
    return open_door(trust.settings(**changed), trust.clock.epoch_ms, trust.clock.monotonic)


def keys(trust: Trust, *words: str) -> int:
    return keys_command(["--store", str(trust.folder / "keys.json"), *words])


def new_key(
    trust: Trust, capsys: pytest.CaptureFixture[str], *words: str, name: str = "acme"
) -> str:
    assert keys(trust, "create", "--name", name, *words) == 0
    return capsys.readouterr().out.split()[0]
