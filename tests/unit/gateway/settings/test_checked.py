"""Settings come from the environment, and what cannot work is refused with its name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway import settings
from gateway.settings import Settings, SettingsError


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
        ("GATEWAY_TRUSTED_PROXIES", "balancer.example.org"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1, 10.0.0.1/8"),
        ("GATEWAY_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("GATEWAY_HEAD_MS", "0"),
        ("GATEWAY_MAX_CONNECTIONS", "-1"),
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


def test_what_is_parsed_does_not_change_and_takes_no_other_names() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 9000
    with pytest.raises(ValidationError, match="prot"):
        Settings(prot=9000)  # type: ignore[call-arg]


def test_settings_that_were_made_by_hand_are_checked_against_each_other_too() -> None:
    with pytest.raises(SettingsError, match="GATEWAY_AUTH is off"):
        Settings(host="0.0.0.0", allow_non_loopback=True)


def test_a_password_in_an_origin_is_not_told() -> None:
    with pytest.raises(SettingsError) as refused:
        settings.read({"GATEWAY_ALLOWED_ORIGINS": "https://joe:hunter2@a.example"})
    assert str(refused.value) == (
        "GATEWAY_ALLOWED_ORIGINS has 'https://***@a.example': an origin is like https://example.org"
    )
