"""What this machine must have beside Python: one list, looked at before anything starts."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_stack import apt
from local_stack.java import find_java_home
from local_stack.settings import CHECKOUT


class MissingError(Exception):
    """Something is not installed; the message names all of it, and the command that installs it."""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A program: its names, of which one is enough, Debian's package, and the tests that need it."""

    commands: tuple[str, ...]
    package: str
    purpose: str
    tests: tuple[str, ...]

    def find(self, environment: Mapping[str, str]) -> str | None:
        """The program's path, if it is here."""
        path = environment.get("PATH", os.defpath)
        return next(filter(None, (shutil.which(name, path=path) for name in self.commands)), None)


class _Java(Prerequisite):
    def find(self, environment: Mapping[str, str]) -> str | None:
        """The home of a Java of the right version, be it the Python package's."""
        home = find_java_home(environment)
        return None if home is None else str(home)


_STACK = ("tests/clients", "tests/integration", "tests/long")
_CUSTOM = ("tests/kubernetes/test_custom_resources.py",)
JAVA = _Java(
    ("java",),
    "openjdk-17-jre-headless",
    "Java 17, for Kafka, Flink and Pinot; or remove .venv/.installed: the next ./dev up brings one",
    (*_STACK, *_CUSTOM),
)
MAVEN = Prerequisite(
    ("mvn",),
    "maven",
    "fetches Kafka, Pinot, Flink's connector and what the pages load, once",
    (*_STACK, *_CUSTOM),
)
CHROMIUM = Prerequisite(
    ("chromium", "chromium-browser", "google-chrome"),
    "chromium",
    "the pages in a real browser",
    ("tests/clients",),
)
NPM = Prerequisite(
    ("npm",), "npm", "Apollo Client, urql and graphql-codegen, on Node.js", ("tests/clients",)
)
PROMTOOL = Prerequisite(
    ("promtool",),
    "prometheus",
    "Prometheus' own check of metrics",
    ("tests/contract", "tests/integration"),
)
PROMETHEUS = Prerequisite(
    ("prometheus",), "prometheus", "`./dev up --observe`: figures and alarms of the stack", ()
)
REDIS = Prerequisite(
    ("redis-server",),
    "redis-server",
    "what several gateways share: budgets and answers",
    ("tests/integration",),
)
ALL = (JAVA, MAVEN, CHROMIUM, NPM, PROMTOOL, PROMETHEUS, REDIS)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where programs are looked for; `installs`: what is missing is installed without asking."""

    environment: Mapping[str, str]
    is_root: bool
    installs: bool
    run: apt.Run


def this_machine() -> Machine:
    """The machine that this runs on: as root on Debian, it installs."""
    try:
        debian = platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        debian = False
    is_root = os.geteuid() == 0
    installs = debian and is_root and shutil.which("apt-get") is not None
    return Machine(os.environ, is_root, installs, apt.run)


def for_tests(arguments: Sequence[str]) -> list[Prerequisite]:
    """What the tests need that pytest's arguments name; all of it if they name none."""
    paths = [(CHECKOUT / word.partition("::")[0]).resolve() for word in arguments]
    named = [path for path in paths if path.exists()] or [CHECKOUT]
    return [each for each in ALL if any(_overlap(path, each.tests) for path in named)]


def for_stack(missing_jars: Sequence[str]) -> list[Prerequisite]:
    """What the real Kafka, Flink and Pinot need."""
    return [JAVA, MAVEN] if missing_jars else [JAVA]


def provide(wanted: Sequence[Prerequisite], machine: Machine, tell: apt.Tell) -> None:
    """Return when all of it is here; root on Debian gets it installed, and is told so.

    Raises:
        MissingError: something is not, and could not be installed.

    """
    lacking, failed = _missing(wanted, machine), ""
    if lacking and machine.installs:
        tell(f"{_names(lacking)} This is Debian and you are root, so:")
        try:
            apt.install(_packages(lacking), machine.run, tell)
        except apt.AptError as problem:
            failed = f"\n{problem}"
        lacking = _missing(lacking, machine)
    if lacking:
        raise MissingError(message(lacking, is_root=machine.is_root) + failed)


def message(lacking: Sequence[Prerequisite], *, is_root: bool = True) -> str:
    """What is missing, what for, and the one command that installs it."""
    lines = [f"    {each.commands[0]:<14} {each.purpose}" for each in lacking]
    sudo = () if is_root else ("sudo",)
    commands = ([*sudo, *apt.UPDATE], [*sudo, *apt.INSTALL, *_packages(lacking)])
    return "\n".join(
        [
            _names(lacking),
            *lines,
            "Install that and run the command again (the packages' names are Debian's):",
            f"    {' && '.join(map(shlex.join, commands))}",
        ]
    )


def markdown_table() -> str:
    """The list as a Markdown table."""
    lines = ["| program | Debian's package | what for | tests that need it |", "|---|---|---|---|"]
    for each in ALL:
        programs = " or ".join(f"`{name}`" for name in each.commands)
        tests = ", ".join(f"`{folder}`" for folder in each.tests)
        lines.append(f"| {programs} | `{each.package}` | {each.purpose} | {tests} |")
    return "\n".join(lines) + "\n"


def _missing(wanted: Sequence[Prerequisite], machine: Machine) -> list[Prerequisite]:
    return [each for each in wanted if each.find(machine.environment) is None]


def _names(lacking: Sequence[Prerequisite]) -> str:
    return f"Not installed, and needed: {', '.join(each.commands[0] for each in lacking)}."


def _packages(lacking: Sequence[Prerequisite]) -> list[str]:
    return sorted(each.package for each in lacking)


def _overlap(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path is in one of the folders, or one of them in it."""
    absolute = [CHECKOUT / folder for folder in folders]
    return any(path.is_relative_to(each) or each.is_relative_to(path) for each in absolute)
