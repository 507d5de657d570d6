"""Each command says what it needs before it starts, also where there is no `.venv` yet."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from local_stack.needed import main, needed, parsed
from local_stack.prerequisites import (
    ALL,
    CHROMIUM,
    JAVA,
    MAVEN,
    PROMETHEUS,
    PROMTOOL,
    Machine,
    Prerequisite,
)
from local_stack.settings import CHECKOUT


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["up", "--fresh"], [JAVA, MAVEN]),
        (["up", "--embedded"], []),
        (["up", "--observe"], [JAVA, MAVEN, PROMETHEUS]),
        (["up", "--observe", "--embedded"], [PROMETHEUS]),
        (["test"], [each for each in ALL if each.tests]),
        (["test", "-q", "tests/unit"], []),
        (["check"], [PROMTOOL]),
        (["check", "--no-tests"], []),
        (["picture"], [JAVA, MAVEN, CHROMIUM]),
        (["down"], []),
        (["bench", "tests"], []),
    ],
)
def test_a_command_needs_no_more_than_it_uses(
    arguments: list[str], wanted: Sequence[Prerequisite]
) -> None:
    options, rest = parsed(arguments)
    assert needed(options, rest, ["kafka"]) == list(wanted)


def test_maven_is_no_longer_needed_once_its_jars_are_here() -> None:
    assert needed(*parsed(["up"]), []) == [JAVA]
    assert needed(*parsed(["picture"]), []) == [JAVA, CHROMIUM]


def test_before_the_set_up_all_but_java_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Machine({"PATH": str(tmp_path)}, is_root=False, installs=False, run=lambda *_: 1)
    assert main(["test"], empty) == 2
    said = capsys.readouterr().out
    for each in ALL:
        assert (each.package in said) == (each is not JAVA)
    assert main(["up", "--embedded"], empty) == 0


def test_the_look_before_the_set_up_needs_no_package() -> None:
    command = [sys.executable, "-S", "-P", "-m", "local_stack.needed", "down"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_dev_says_what_is_missing_before_it_sets_anything_up(tmp_path: Path) -> None:
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    shutil.copytree(CHECKOUT / "local_stack", checkout / "local_stack")
    for file in (CHECKOUT / "dev", *CHECKOUT.glob("requirements*.lock")):
        shutil.copy2(file, checkout)
    programs.mkdir()
    for name in ("sh", "env", "cat", "cksum", "dirname", "readlink"):
        (programs / name).symlink_to(shutil.which(name) or name)
    environment = {"PATH": str(programs), "PYTHON": sys.executable}
    command = [str(checkout / "dev"), "up"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("Not installed, and needed: mvn.\n")
    assert not (checkout / ".venv").exists()
