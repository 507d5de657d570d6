"""What is missing is said at once with one command, or installed where that may be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_stack import apt, prerequisites
from local_stack.prerequisites import CHROMIUM, JAVA, MAVEN, NPM, PROMTOOL, REDIS, Machine

UPDATE = "dlstatus:1:0.0:Retrieving file 1 of 2\nHit:1 some list\ndlstatus:2:100.0:Done"
INSTALL = "\n".join(
    [
        "12 newly installed",
        *(f"dlstatus:{n}:{n * 5}.0:Retrieving file {n} of 20" for n in range(21)),
        *(f"pmstatus:npm:{percent}.5:Unpacking npm" for percent in range(0, 100, 3)),
        "pmstatus:dpkg-exec:100.0000:Running dpkg",
    ]
)

OF_TESTS = [each for each in prerequisites.ALL if each.tests]


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


@dataclass
class FakeApt:
    """Says what apt-get says, and lays programs into a folder on the path when it installs."""

    folder: Path
    brings: Sequence[str] = ()
    exit_codes: dict[str, int] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)

    def __call__(self, command: Sequence[str], heard: apt.Tell) -> int:
        self.commands.append(list(command))
        for line in (UPDATE if command[1] == "update" else INSTALL).splitlines():
            heard(line)
        if command[1] == "install":
            for name in self.brings:
                program(self.folder, name)
        return self.exit_codes.get(command[1], 0)


def machine(folder: Path, run: FakeApt, *, is_root: bool = True, installs: bool = True) -> Machine:
    return Machine({"PATH": str(folder)}, is_root, installs, run)


def test_what_is_here_is_not_spoken_of(tmp_path: Path) -> None:
    program(tmp_path, "mvn")
    program(tmp_path, "chromium-browser")
    run, told = FakeApt(tmp_path), list[str]()
    prerequisites.provide([MAVEN, CHROMIUM], machine(tmp_path, run), told.append)
    assert (run.commands, told) == ([], [])


def test_root_on_debian_gets_all_that_is_missing_in_one_go_and_hears_of_it(tmp_path: Path) -> None:
    program(tmp_path, "mvn")
    run, told = FakeApt(tmp_path, ["npm", "redis-server"]), list[str]()
    prerequisites.provide([MAVEN, REDIS, NPM], machine(tmp_path, run), told.append)
    options = ["-q", "-o", "APT::Status-Fd=1", "-o", "DPkg::Lock::Timeout=300"]
    assert run.commands == [
        ["apt-get", "update", *options],
        ["apt-get", "install", "-y", "--no-install-recommends", "npm", "redis-server", *options],
    ]
    assert told == [
        "Not installed, and needed: redis-server, npm. This is Debian and you are root, so:",
        "  $ apt-get update",
        *("  fetching packages: 0 %", "  fetching packages: 100 %"),
        "  $ apt-get install -y --no-install-recommends npm redis-server",
        *(f"  fetching packages: {percent} %" for percent in range(0, 101, 20)),
        *(f"  installing: {percent:.0f} %" for percent in (0.5, 21.5, 42.5, 63.5, 84.5)),
    ]


@pytest.mark.parametrize(
    ("is_root", "command"),
    [
        (
            False,
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends maven redis-server",
        ),
        (True, "apt-get update && apt-get install -y --no-install-recommends maven redis-server"),
    ],
)
def test_where_nothing_may_be_installed_all_is_told_at_once(
    tmp_path: Path, is_root: bool, command: str
) -> None:
    run, told = FakeApt(tmp_path, ["mvn", "redis-server"]), list[str]()
    here = machine(tmp_path, run, is_root=is_root, installs=False)
    with pytest.raises(prerequisites.MissingError) as refused:
        prerequisites.provide([MAVEN, REDIS], here, told.append)
    assert str(refused.value).splitlines() == [
        "Not installed, and needed: mvn, redis-server.",
        f"    mvn            {MAVEN.purpose}",
        f"    redis-server   {REDIS.purpose}",
        "Install that and run the command again (the packages' names are Debian's):",
        f"    {command}",
    ]
    assert (run.commands, told) == ([], [])


@pytest.mark.parametrize(("failing", "ran"), [("update", 1), ("install", 2)])
def test_when_apt_fails_its_last_words_are_shown(tmp_path: Path, failing: str, ran: int) -> None:
    run = FakeApt(tmp_path, exit_codes={failing: 100})
    with pytest.raises(prerequisites.MissingError) as refused:
        prerequisites.provide([MAVEN], machine(tmp_path, run), lambda _: None)
    assert len(run.commands) == ran
    words = str(refused.value).splitlines()
    assert words[0] == "Not installed, and needed: mvn."
    assert words[-1] == {"update": "Hit:1 some list", "install": "12 newly installed"}[failing]


def test_what_apt_says_it_installed_must_be_there(tmp_path: Path) -> None:
    run = FakeApt(tmp_path, ["mvn"])
    with pytest.raises(prerequisites.MissingError, match=r"needed: npm\."):
        prerequisites.provide([MAVEN, NPM], machine(tmp_path, run), lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ([], OF_TESTS),
        (["-x", "--lf"], OF_TESTS),
        (["tests"], OF_TESTS),
        (["tests/unit/local_stack/test_java.py::test_java_home_comes_first", "-q"], []),
        (["tests/contract", "-q"], [PROMTOOL]),
        (["tests/simulation"], []),
        (["tests/clients", "tests/simulation"], [JAVA, MAVEN, CHROMIUM, NPM]),
        (["tests/integration/test_audit.py"], [JAVA, MAVEN, PROMTOOL, REDIS]),
    ],
)
def test_the_tests_that_are_named_say_what_they_need(
    arguments: list[str], needed: Sequence[prerequisites.Prerequisite]
) -> None:
    assert prerequisites.for_tests(arguments) == list(needed)


def test_maven_is_needed_as_long_as_jars_are_missing() -> None:
    assert prerequisites.for_stack(["kafka"]) == [JAVA, MAVEN]
    assert prerequisites.for_stack([]) == [JAVA]


def test_a_command_is_run_with_its_lines_handed_on_and_its_exit_code_returned() -> None:
    heard: list[str] = []
    command = ["sh", "-c", 'echo "$DEBIAN_FRONTEND"; echo wrong >&2; read line; exit 3']
    assert apt.run(command, heard.append) == 3
    assert heard == ["noninteractive", "wrong"]
