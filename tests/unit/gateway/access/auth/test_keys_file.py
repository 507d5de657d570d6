"""Which file the command for API keys works on: the one it is told, else the gateway's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.access.auth.keys import USAGE, main

CREATE = ["create", "--name", "acme", "--role", "operator"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The one that the environment names, whatever else is wrong with it, and another."""
    monkeypatch.setenv("GATEWAY_AUTH_KEYS", str(tmp_path / "named.json"))
    monkeypatch.setenv("GATEWAY_PROT", "0")
    return tmp_path / "named.json", tmp_path / "other.json"


def test_it_is_the_gateways(files: tuple[Path, Path]) -> None:
    assert main(CREATE) == 0
    assert [file.exists() for file in files] == [True, False]


def test_it_is_another_if_that_is_said(files: tuple[Path, Path]) -> None:
    assert main(["--store", str(files[1]), *CREATE]) == 0
    assert [file.exists() for file in files] == [False, True]


def test_it_must_be_said_somewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_AUTH_KEYS", " ")
    assert main(["list"]) == USAGE
    assert "GATEWAY_AUTH_KEYS" in capsys.readouterr().err
