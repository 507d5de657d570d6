"""What is built of the project has all that lies in its folders: packages, and what they read beside their code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local_stack.settings import CHECKOUT

PACKAGES = ("gateway", "graphql_schema", "local_stack", "pinot_config", "stream_jobs")
NOT_IN_A_WHEEL = {"Containerfile"}


def in_the_folders() -> set[Path]:
    """Every file of the packages, but hidden ones and those that Python makes."""
    files = [each for name in PACKAGES for each in (CHECKOUT / name).rglob("[!.]*")]
    own = [each for each in files if each.is_file() and each.name not in NOT_IN_A_WHEEL]
    return {each.relative_to(CHECKOUT) for each in own if each.parent.name != "__pycache__"}


def in_a_wheel() -> set[Path]:
    """Every file that a wheel would have."""
    command = [sys.executable, "-m", "tests.contract.wheel_files"]
    said = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    return {Path(line) for line in said.stdout.splitlines()}


def test_a_wheel_has_every_file_of_the_packages_and_no_other() -> None:
    expected = in_the_folders()
    assert Path("pinot_config/account_entries_schema.json") in expected
    assert in_a_wheel() == expected
