"""What is built of the project has all that lies in its folders: packages, and what they read beside their code."""

from __future__ import annotations

from pathlib import Path

import pytest
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

from local_stack.settings import CHECKOUT

PACKAGES = ("gateway", "graphql_schema", "local_stack", "pinot_config", "stream_jobs")
NOT_IN_A_WHEEL = {"Containerfile"}


def in_the_folders() -> set[Path]:
    """Every file of the packages, but hidden ones and those that Python makes."""
    files = [each for name in PACKAGES for each in (CHECKOUT / name).rglob("[!.]*")]
    own = [each for each in files if each.is_file() and each.name not in NOT_IN_A_WHEEL]
    return {each.relative_to(CHECKOUT) for each in own if each.parent.name != "__pycache__"}


def in_a_wheel() -> set[Path]:
    """Every file that setuptools would put into a wheel, without building it; asked in the checkout."""
    project = Distribution({"src_root": ".", "script_name": "setup.py"})
    apply_configuration(project, "pyproject.toml")
    project.set_defaults()
    command = project.get_command_obj("build_py")
    command.build_lib = "built"
    command.ensure_finalized()
    return {Path(each).relative_to("built") for each in command.get_outputs(include_bytecode=False)}


def test_a_wheel_has_every_file_of_the_packages_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(CHECKOUT)
    expected = in_the_folders()
    assert Path("pinot_config/account_entries_schema.json") in expected
    assert in_a_wheel() == expected
