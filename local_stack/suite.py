"""The checks and the tests: which there are, in which order, and which of them run side by side.

`tests/long` has what needs a stack of its own or minutes of waiting: it is run by name. What of `tests/kubernetes` runs,
`local_stack/on_kubernetes.py` says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from local_stack.settings import CHECKOUT

QUICK_TESTS: Final = ("tests/unit", "tests/contract", "tests/simulation")
STACK_TESTS: Final = ("tests/clients", "tests/integration")
_SIDE_BY_SIDE: Final = ("-n", "auto", "--maxprocesses", "4")
_SLOWEST_TOLD: Final = ("--durations=25", "--durations-min=5")
_STATIC: Final = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
)
_NO_TESTS_COLLECTED: Final = 5

Run = Callable[[list[str]], int]
"""Runs a command and returns its exit code."""


def test(arguments: Sequence[str], run: Run, further: Callable[[Run], list[int]]) -> int:
    """Run the tests that pytest's arguments name; of the whole suite first those that need no stack, on all cores.

    `further` is what follows them where there are no arguments. All parts run whatever one finds; returns the worst
    exit code.
    """
    codes = [run(command) for command in test_commands(arguments)]
    if not arguments:
        codes += further(run)
    found = [code for code in codes if code != _NO_TESTS_COLLECTED]
    return max(found, default=_NO_TESTS_COLLECTED)


def test_commands(arguments: Sequence[str]) -> list[list[str]]:
    """What `./dev test` starts."""
    pytest = [sys.executable, "-m", "pytest"]
    if _name_a_path(arguments):
        return [[*pytest, *arguments]]
    return [
        [*pytest, "-q", *_SIDE_BY_SIDE, *arguments, *QUICK_TESTS],
        [*pytest, *_SLOWEST_TOLD, *arguments, *STACK_TESTS],
    ]


def check(run: Run, *, tests: bool) -> int:
    """Run what needs no stack, up to the first that fails; returns its exit code."""
    return next(filter(None, map(run, _check_commands(tests=tests))), 0)


def _check_commands(*, tests: bool) -> Iterator[list[str]]:
    tools = Path(sys.executable).parent
    words = [*_STATIC, ("pytest", "-q", *_SIDE_BY_SIDE, *QUICK_TESTS)] if tests else _STATIC
    for tool, *rest in words:
        yield [str(tools / tool), *rest]


def _name_a_path(arguments: Sequence[str]) -> bool:
    return any(
        not word.startswith("-") and (CHECKOUT / word.partition("::")[0]).exists()
        for word in arguments
    )
