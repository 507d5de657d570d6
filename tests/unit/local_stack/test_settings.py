"""Ports and folders from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack.settings import SettingsError, StackSettings, from_environment


def test_without_variables_the_defaults_hold() -> None:
    assert from_environment({}) == StackSettings()
    assert StackSettings().gateway_url == "http://127.0.0.1:8000"


def test_a_port_and_the_folder_can_be_moved(tmp_path: Path) -> None:
    settings = from_environment({"STACK_KAFKA_PORT": "12345", "STACK_STATE": str(tmp_path)})
    assert settings.kafka_servers == "127.0.0.1:12345"
    assert settings.data == tmp_path / "data"
    assert settings.jars == StackSettings().jars  # downloads are shared


@pytest.mark.parametrize("text", ["", "many", "0", "65536", "-1", "8000.5", "²"])
def test_a_malformed_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"STACK_KAFKA_PORT is '.*'; it must be a port"):
        from_environment({"STACK_KAFKA_PORT": text})


def test_a_port_used_twice_is_refused_with_both_names() -> None:
    with pytest.raises(
        SettingsError, match="STACK_GATEWAY_PORT and STACK_KAFKA_PORT are both 8000"
    ):
        from_environment({"STACK_KAFKA_PORT": "8000"})


def test_every_default_port_is_its_own() -> None:
    ports = StackSettings().ports()
    assert len(set(ports.values())) == len(ports) == 13


def test_a_misspelt_setting_is_pointed_out() -> None:
    with pytest.raises(SettingsError, match="no setting STACK_KAFKA_PROT; is STACK_KAFKA_PORT"):
        from_environment({"STACK_KAFKA_PROT": "1"})
    assert from_environment({"STACK_OVERFLOW": "1"}) == StackSettings()
