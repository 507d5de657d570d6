"""What people are told of the settings: everything but secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import Settings
from gateway.settings.masks import shown
from gateway.settings.reading import reading_of
from gateway.settings.telling import configuration, markdown_table

SECRET = Settings.model_fields["cache_redis_url"]
OPEN = Settings.model_fields["auth_jwks"]


def told(environment: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Value and origin by variable."""
    lines = [line.partition("=") for line in configuration(reading_of(environment)).splitlines()]
    parts = {name: rest.rpartition(" # ") for name, _, rest in lines}
    return {name: (value.rstrip(), origin) for name, (value, _, origin) in parts.items()}


def test_every_setting_is_told_with_where_it_is_from(tmp_path: Path) -> None:
    file = tmp_path / "redis-url"
    file.write_text("rediss://joe:hunter2@redis.example:6380/3\n")
    given = told(
        {
            "GATEWAY_PORT": "9000",
            "GATEWAY_CACHE": "NO",
            "GATEWAY_MAX_COST": "5000",
            "GATEWAY_CACHE_REDIS_URL_FILE": str(file),
        }
    )
    assert len(given) == len(Settings.model_fields)
    assert given["GATEWAY_PORT"] == ("9000", "environment")
    assert given["GATEWAY_CACHE"] == ("false", "environment")
    assert given["GATEWAY_MAX_COST"] == ("5000", "environment")
    assert given["GATEWAY_CACHE_REDIS_URL"] == (
        "rediss://***@redis.example:6380/3",
        f"file {file}",
    )
    assert given["GATEWAY_BUDGET_REDIS_URL"] == ("", "default")
    assert given["GATEWAY_STORE"] == ("pinot", "default")


def test_a_value_takes_one_line() -> None:
    given = told({"GATEWAY_AUTH_ISSUER": "https://id.example\nGATEWAY_PORT=1"})
    assert given["GATEWAY_AUTH_ISSUER"][0] == r"'https://id.example\nGATEWAY_PORT=1'"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("", ""),
        ("redis://redis.example:6379/0", "redis://redis.example:6379/0"),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
        ("redis://:hunter2@r:6379/1", "redis://***@r:6379/1"),
        ("redis://joe:hunter2@r/", "redis://***@r/"),
        ("redis://hunter2@r", "redis://***@r"),
        ("redis://joe:hunt@er2@r", "redis://***@r"),
        ("redis://:hun/ter2@r:6379", "redis://***@r:6379"),
        ("redis://r:6379/0?password=hunter2", "redis://r:6379/0?***"),
        ("redis://r?username=joe&password=hunt@er2", "***"),
        ("redis://:hunt?er2@r", "***"),
        ("redis://:hunter2", "***"),
        ("redis://joe:hunter2", "***"),
        ("hunter2", "***"),
        ("hunter2@redis.example", "***"),
        ("redis://r/0\nhunter2", "***"),
        ("unix:///run/redis.sock?password=hunter2", "***"),
    ],
)
def test_of_a_secret_only_the_place_is_shown(url: str, seen: str) -> None:
    assert shown(SECRET, url) == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("https://id.example/jwks.json", "https://id.example/jwks.json"),
        ("https://joe:hunter2@id.example/jwks.json", "https://***@id.example/jwks.json"),
        ("https://joe:hunt@er2@id.example", "https://***@id.example"),
        ("/etc/gateway/jwks.json", "/etc/gateway/jwks.json"),
        ("team@example.org", "team@example.org"),
    ],
)
def test_no_setting_shows_a_password_in_an_address(value: str, seen: str) -> None:
    assert shown(OPEN, value) == seen


def test_every_setting_is_in_the_table() -> None:
    table = markdown_table()
    assert table.count("\n") == len(Settings.model_fields) + 2
    assert "| `GATEWAY_PORT` | `8000` | Port to listen on. |" in table
    assert "| `GATEWAY_ALLOW_NON_LOOPBACK` | `false` |" in table
    assert "| `GATEWAY_AUTH_KEYS` |  | The API keys' file" in table
    assert table.count("_FILE` names.") == 3
    assert "Or in the file that `GATEWAY_BUDGET_REDIS_URL_FILE` names. |" in table
