"""Settings are taken out of an environment and the files that it names, and all faults are told at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, read
from gateway.settings.kinds import allowed, file_variable, is_confidential, variable
from gateway.settings.reading import MAX_FILE_BYTES, keys_file

CONFIDENTIAL = [name for name, each in Settings.model_fields.items() if is_confidential(each)]
AN_ADDRESS = "an address like redis://:password@host:6379/0, or rediss://… for TLS"
URL = "redis://joe:hunter2@redis.example:6380/3"


def faults(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read(environment)
    assert "pydantic" not in str(refused.value)
    return refused.value.faults


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "eighty", "is 'eighty': it must be a whole number from 0 to 65535"),
        ("PORT", "-1", "is '-1': it must be a whole number from 0 to 65535"),
        ("AUTH_LEEWAY_S", "301", "is '301': it must be a whole number from 0 to 300"),
        ("MAX_WINDOW_DAYS", "0", "is '0': it must be a whole number from 1 to 36525"),
        ("WORKERS", "0", "is '0': it must be a whole number, 1 or more"),
        ("DRAIN_MS", "2s", "is '2s': it must be a whole number, 0 or more"),
        ("CACHE", "maybe", "is 'maybe': it must be true or false"),
        ("TRUSTED_DOCUMENTS", "Off!", "is 'Off!': it must be one of off, log, enforce"),
        ("AUTH", "password", "is 'password': it must be off, api_key, jwt or both with a comma"),
        ("STORE", "x" * 101, f"is '{'x' * 100}': it must be one of pinot, duckdb"),
        ("STORE", "http://a:b@c", "is 'http://***@c': it must be one of pinot, duckdb"),
        ("BUDGET_REDIS_URL", "redis://:hunter2@", f"is '***': it must be {AN_ADDRESS}"),
    ],
)
def test_a_fault_says_what_was_given_and_what_may_be(name: str, value: str, said: str) -> None:
    assert faults({f"GATEWAY_{name}": value}) == (f"GATEWAY_{name} {said}",)


@pytest.mark.parametrize(
    "url",
    ["redis://:hun/ter2@r", "redis://r:port", "http://r:6379/0", "redis://r/zero", "hunter2"],
)
def test_an_address_that_redis_could_not_take_apart_is_refused_unseen(url: str) -> None:
    (fault,) = faults({"GATEWAY_CACHE_REDIS_URL": url})
    assert "ter2" not in fault


@pytest.mark.parametrize(
    "url", [URL, "rediss://r", "redis://[::1]:6379", "unix:///run/redis.sock", "redis://r/0?x=y"]
)
def test_addresses_of_a_redis_are_taken(url: str) -> None:
    assert read({"GATEWAY_BUDGET_REDIS_URL": url}).budget_redis_url == url


def test_rows_are_kept_of_no_more_days_than_pinot_keeps() -> None:
    (fault,) = faults({"GATEWAY_ENTRIES_KEPT_DAYS": "70"})
    assert "GATEWAY_ROWS_DAYS 70" in fault


def test_all_faults_are_told_at_once() -> None:
    told = faults(
        {
            "GATEWAY_PROT": "9000",
            "GATEWAY_MAX_FIRST": "many",
            "GATEWAY_CACHE": "2",
            "GATEWAY_BUDGET_REDIS_URL_FILE": "/nowhere/redis-url",
            "GATEWAY_ALLOWED_HOSTS": "a.example:80",
            "GATEWAY_AUTH_MASKED_ROLES": "operator",
        }
    )
    named = [fault.split()[0] for fault in told]
    assert named == [
        "GATEWAY_PROT",
        "GATEWAY_BUDGET_REDIS_URL_FILE",
        "GATEWAY_MAX_FIRST",
        "GATEWAY_CACHE",
        "GATEWAY_ALLOWED_HOSTS",
        "GATEWAY_AUTH_MASKED_ROLES",
    ]


def test_a_wrong_value_is_not_told_twice_by_what_it_would_mean_for_others() -> None:
    environment = {"GATEWAY_HOST": "0.0.0.0", "GATEWAY_AUTH": "jwt", "GATEWAY_AUTH_JWKS": "k"}
    told = faults(environment | {"GATEWAY_ALLOW_NON_LOOPBACK": "perhaps"})
    assert [fault.split()[0] for fault in told] == [
        "GATEWAY_ALLOW_NON_LOOPBACK",
        "GATEWAY_AUTH_ISSUER",
        "GATEWAY_AUTH_AUDIENCE",
        "GATEWAY_MASKING_KEY_FILE",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GATEWAY_PROT", "GATEWAY_PROT is no setting; did you mean GATEWAY_PORT?"),
        ("GATEWAY_port", "GATEWAY_port is no setting; did you mean GATEWAY_PORT?"),
        (
            "GATEWAY_REDIS_URL_FILE",
            "GATEWAY_REDIS_URL_FILE is no setting; did you mean GATEWAY_CACHE_REDIS_URL_FILE?",
        ),
        (
            "GATEWAY_MASKING_KEY",
            "GATEWAY_MASKING_KEY is no setting; did you mean GATEWAY_MASKING_KEY_FILE?",
        ),
        ("GATEWAY_QQ", "GATEWAY_QQ is no setting"),
        ("GATEWAY_PORT_FILE", "GATEWAY_PORT_FILE is no setting; did you mean GATEWAY_PORT?"),
    ],
)
@pytest.mark.parametrize("value", ["", "hunter2"])
def test_a_name_that_is_no_setting_is_refused_with_the_nearest(
    name: str, said: str, value: str
) -> None:
    assert faults({name: value, "STACK_GATEWAY_PORT": "1", "gateway_prot": "1"}) == (said,)


@pytest.mark.parametrize(
    "name", ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT_80_TCP", "PORT_80_TCP_ADDR"]
)
def test_what_kubernetes_sets_for_a_service_of_this_name_is_said_to_be_that(name: str) -> None:
    (fault,) = faults({f"GATEWAY_{name}": "10.0.0.1"})
    assert fault.startswith(f"GATEWAY_{name} is no setting; Kubernetes sets it")
    assert "enableServiceLinks: false" in fault


@pytest.mark.parametrize("name", CONFIDENTIAL)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_may_be_in_a_file(name: str, end: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(f"{URL}{end}".encode())
    settings = read({file_variable(name): str(file), variable(name): " "})
    assert settings == Settings.model_validate({name: URL})


@pytest.mark.parametrize("name", CONFIDENTIAL)
def test_a_secret_and_its_file_are_one_too_many(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(URL)
    given = {variable(name): URL, file_variable(name): str(tmp_path / "secret")}
    assert faults(given) == (
        f"{variable(name)} and {file_variable(name)} are both set: one of them is enough",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "which cannot be read (No such file or directory)"),
        (b"", "which is empty"),
        (b" \n", "which is empty"),
        (b"hunter2\xff", "which is not text"),
        (b"hunter2" * MAX_FILE_BYTES, f"which has over {MAX_FILE_BYTES} bytes"),
        (b"hunter2", f"whose content must be {AN_ADDRESS}"),
        (b'{"url": "redis://r", "password": "hunter2"}', f"whose content must be {AN_ADDRESS}"),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_named_and_not_quoted(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "redis-url"
    if content is not None:
        file.write_bytes(content)
    (fault,) = faults({"GATEWAY_CACHE_REDIS_URL_FILE": str(file)})
    assert fault.startswith(f"GATEWAY_CACHE_REDIS_URL_FILE names '{file}', {said}")
    assert "hunter2" not in fault


def test_a_folder_is_no_secrets_file(tmp_path: Path) -> None:
    (fault,) = faults({"GATEWAY_CACHE_REDIS_URL_FILE": str(tmp_path)})
    assert fault.endswith("which cannot be read (Is a directory)")


def test_a_secrets_file_that_everybody_may_write_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "redis-url"
    file.write_text(URL)
    file.chmod(0o606)
    (fault,) = faults({"GATEWAY_BUDGET_REDIS_URL_FILE": str(file)})
    assert fault.endswith("which may be written by everybody (mode 0606): chmod o-w")


def test_whatever_may_hold_a_password_is_confidential() -> None:
    """By their names; those aside are never sent credentials, or are files that are read later."""
    files = {"auth_keys", "masking_key_file", "metrics_token_file", "redis_tls_key_file"}
    files |= {"pinot_password_file", "pinot_token_file", "pinot_tls_key_file"}
    aside = files | {"pinot_broker_url", "max_tokens"}
    may = re.compile(r"url|token|secret|password|credential|dsn|(^|_)keys?(_|$)")
    assert {name for name in Settings.model_fields if may.search(name)} - aside == {*CONFIDENTIAL}


def test_no_variable_means_two_settings() -> None:
    names = [variable(name) for name in Settings.model_fields]
    assert not {file_variable(name) for name in CONFIDENTIAL} & {*names}


def test_every_setting_has_a_meaning_and_every_number_a_least_value() -> None:
    settings = Settings.model_fields.items()
    assert [name for name, each in settings if not each.description] == []
    numbers = {name: allowed(each) for name, each in settings if each.annotation is int}
    assert [name for name, words in numbers.items() if "None" in words] == []
    assert len(numbers) > 40


def test_the_keys_file_is_known_whatever_else_is_wrong() -> None:
    assert keys_file({"GATEWAY_AUTH_KEYS": " keys.json ", "GATEWAY_PROT": "1"}) == "keys.json"
    assert keys_file({}) == ""


def test_the_process_is_asked_if_no_environment_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_MAX_COST", "77")
    assert read() == Settings(max_cost=77)
