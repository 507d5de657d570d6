"""Settings come from the environment, and what cannot work is refused with its name."""

from __future__ import annotations

import gc
import socket
import sys

import pytest

from gateway import settings
from gateway.__main__ import listen, main
from gateway.document_line import YIELD_S
from gateway.setting_values import SettingsError
from gateway.settings import Settings


def test_defaults_and_given_values() -> None:
    assert settings.read({}) == Settings()
    given = {
        "GATEWAY_PORT": "9000",
        "GATEWAY_STORE": "duckdb",
        "GATEWAY_GRAPHIQL": "false",
        "GATEWAY_INTROSPECTION": "yes",
        "GATEWAY_LOG_LEVEL": " ",
    }
    read = settings.read(given)
    assert (read.port, read.store, read.graphiql, read.introspection, read.log_level) == (
        9000,
        "duckdb",
        False,
        True,
        "info",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PORT", "eighty"),
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_STORE", "redis"),
        ("GATEWAY_LOG_LEVEL", "loud"),
        ("GATEWAY_TRUSTED_DOCUMENTS", "maybe"),
        ("GATEWAY_GRAPHIQL", "perhaps"),
        ("GATEWAY_DEADLINE_MS", "0"),
        ("GATEWAY_MAX_WINDOW_DAYS", "40000"),
        ("GATEWAY_HOST", "0.0.0.0"),
        ("GATEWAY_HOST", "example.org"),
    ],
)
def test_what_cannot_work_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings.read({name: value})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_is_served_without_more_words(host: str) -> None:
    assert settings.read({"GATEWAY_HOST": host}).host == host


def test_other_addresses_need_a_word() -> None:
    given = {"GATEWAY_HOST": "0.0.0.0", "GATEWAY_ALLOW_NON_LOOPBACK": "true"}
    with pytest.raises(SettingsError, match="GATEWAY_AUTH is off"):
        settings.read(given)
    proven = {
        "GATEWAY_AUTH": "api_key",
        "GATEWAY_AUTH_KEYS": "keys.json",
        "GATEWAY_MASKING_KEY_FILE": "masking.key",
    }
    assert settings.read(given | proven).host == "0.0.0.0"
    with pytest.raises(SettingsError, match="GATEWAY_HOST"):
        settings.read(proven | {"GATEWAY_HOST": "0.0.0.0"})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"GATEWAY_AUTH": "password"}, "GATEWAY_AUTH is"),
        ({"GATEWAY_AUTH": "api_key,off"}, "GATEWAY_AUTH"),
        ({"GATEWAY_AUTH": "api_key"}, "GATEWAY_AUTH_KEYS"),
        ({"GATEWAY_AUTH_KEYS": "keys.json"}, "GATEWAY_MASKING_KEY_FILE"),
        ({"GATEWAY_AUTH": "jwt"}, "GATEWAY_AUTH_JWKS"),
        ({"GATEWAY_AUTH": "jwt", "GATEWAY_AUTH_JWKS": "keys"}, "GATEWAY_AUTH_ISSUER"),
        (
            {"GATEWAY_AUTH_JWKS": "keys", "GATEWAY_AUTH_ISSUER": "https://id.example"},
            "GATEWAY_AUTH_AUDIENCE",
        ),
        ({"GATEWAY_AUTH_LEEWAY_S": "3600"}, "GATEWAY_AUTH_LEEWAY_S"),
        ({"GATEWAY_AUTH_MASKED_ROLES": "operator"}, "GATEWAY_AUTH_MASKED_ROLES"),
    ],
)
def test_authentication_that_cannot_work_names_what_it_lacks(
    given: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=named):
        settings.read(given)


def test_every_setting_is_in_the_table() -> None:
    table = settings.markdown_table()
    assert table.count("\n") == len(Settings.__dataclass_fields__) + 2
    assert "| `GATEWAY_PORT` | `8000` | Port to listen on. |" in table
    assert "| `GATEWAY_ALLOW_NON_LOOPBACK` | `false` |" in table


def test_a_taken_port_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen(Settings(port=port))
        monkeypatch.setenv("GATEWAY_PORT", str(port))
        assert main() == 2
    assert capsys.readouterr().err.strip().endswith("set GATEWAY_PORT to a free port")


def test_whoever_asks_waits_for_a_check_no_longer_than_its_line_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[float] = []
    monkeypatch.setattr("gateway.__main__.serve", lambda *_: seen.append(sys.getswitchinterval()))
    monkeypatch.setenv("GATEWAY_PORT", "0")
    monkeypatch.setenv("GATEWAY_STORE", "duckdb")
    before = sys.getswitchinterval()
    try:
        assert main() == 0
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()
    assert seen == [pytest.approx(YIELD_S)]
