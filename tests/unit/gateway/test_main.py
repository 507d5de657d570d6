"""What `python -m gateway` does before it serves: settings refused or told, the port, the interpreter's switches."""

from __future__ import annotations

import gc
import os
import resource
import socket
import sys
from pathlib import Path

import pytest

from gateway.__main__ import files_for, listen, main
from gateway.documents.line import YIELD_S
from gateway.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)


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


def test_each_fault_is_a_line_and_nothing_is_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_MAX_DEPHT", "3")
    monkeypatch.setenv("GATEWAY_WORKERS", "two")
    assert main() == 2
    assert capsys.readouterr().err.splitlines() == [
        "gateway: GATEWAY_MAX_DEPHT is no setting; did you mean GATEWAY_MAX_DEPTH?",
        "gateway: GATEWAY_WORKERS is 'two': it must be a whole number, 1 or more",
    ]


def test_the_configuration_is_printed_even_while_another_gateway_has_the_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("GATEWAY_PORT", str(port))
        monkeypatch.setenv("GATEWAY_CACHE_REDIS_URL", "redis://:hunter2@redis.example/0")
        assert main(["--print-config"]) == 0
    said = capsys.readouterr()
    lines = [line.split() for line in said.out.splitlines()]
    assert [f"GATEWAY_PORT={port}", "#", "environment"] in lines
    assert ["GATEWAY_CACHE_REDIS_URL=redis://***@redis.example/0", "#", "environment"] in lines
    assert ["GATEWAY_HOST=127.0.0.1", "#", "default"] in lines
    assert (said.err, "hunter2" in said.out) == ("", False)


@pytest.mark.parametrize(
    "given",
    [
        {"GATEWAY_LOG_LEVEL": "loud"},
        {"GATEWAY_CACHE_REDIS_URL_FILE": "/nowhere/url", "GATEWAY_QQ": ""},
        {"GATEWAY_CACHE_REDIS_URL": "unix:///run/redis.sock"},
        {"GATEWAY_METRICS_TOKEN_FILE": "/nowhere/token"},
        {"GATEWAY_TRUSTED_DOCUMENTS_MANIFEST": "/nowhere/manifest.json"},
        {"GATEWAY_TRUSTED_DOCUMENTS_MANIFEST": __file__},
        {"GATEWAY_AUDIT_LOG": "/nowhere/audit.log"},
        {"GATEWAY_AUDIT_LOG": "/"},
        {"GATEWAY_AUDIT_LOG": __file__ + "/audit.log"},
        {"GATEWAY_AUDIT_LOG": "/nowhere/audit.log", "GATEWAY_WORKERS": "2"},
    ],
)
def test_what_would_not_start_has_no_configuration(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    started = capsys.readouterr()
    assert main(["--print-config"]) == 2
    assert capsys.readouterr() == started
    assert started.out == ""
    assert next(iter(given)) in started.err


def test_who_answers_nobody_makes_no_audit_log_and_keeps_none_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, opened = tmp_path / "audit.log", []

    def files() -> list[Path]:
        return [each.resolve() for each in Path("/proc/self/fd").iterdir()]

    def supervise(*_: object) -> int:
        opened.extend(files())
        return 0

    monkeypatch.setattr("gateway.__main__.supervise", supervise)
    monkeypatch.setenv("GATEWAY_AUDIT_LOG", str(path))
    monkeypatch.setenv("GATEWAY_PORT", "0")
    monkeypatch.setenv("GATEWAY_STORE", "duckdb")
    assert main(["--print-config"]) == 0
    monkeypatch.setenv("GATEWAY_WORKERS", "2")
    assert (main(["--print-config"]), main()) == (0, 0)
    assert not path.exists()
    path.write_text("")
    assert main() == 0
    assert opened
    assert path not in opened


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "raised", "most"),
    [
        (1_024, 20_000, 4_000, 4_256, 4_000),
        (1_024, 2_000, 4_000, 2_000, 1_744),
        (20_000, 20_000, 4_000, None, 4_000),
        (1_024, 20_000, 0, 20_000, 19_744),
        (1_024, resource.RLIM_INFINITY, 4_000, 4_256, 4_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 0, None, 0),
        (100, 100, 4_000, None, 1),
    ],
)
def test_there_is_a_file_for_each_connection(
    monkeypatch: pytest.MonkeyPatch,
    soft: int,
    hard: int,
    asked: int,
    raised: int | None,
    most: int,
) -> None:
    said: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: said.append(limits))
    assert files_for(asked) == most
    assert said == ([] if raised is None else [(raised, hard)])
