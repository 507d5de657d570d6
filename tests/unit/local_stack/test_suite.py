"""Which tests run with which command, and what a failure of a part makes of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import suite
from local_stack.settings import CHECKOUT


def test_the_whole_suite_is_every_folder_of_tests_in_two_parts() -> None:
    quick, on_the_stack = suite.test_commands(["-x", "--durations=5"])
    for command in (quick, on_the_stack):
        assert {"-x", "--durations=5"} <= set(command)
    assert quick[-3:] == ["tests/unit", "tests/contract", "tests/simulation"]
    assert on_the_stack[-2:] == ["tests/clients", "tests/integration"]
    assert "-n" in quick
    assert "-n" not in on_the_stack  # they share one stack
    with_tests = {path.parent.relative_to(CHECKOUT).parts[1] for path in _test_files()}
    with_tests -= {"kubernetes", "long"}  # which need a cluster, or are run by name
    assert with_tests == {path.split("/")[1] for path in (*suite.QUICK_TESTS, *suite.STACK_TESTS)}


def test_what_is_named_runs_alone() -> None:
    arguments = ["-q", "tests/unit/local_stack/test_suite.py::test_what_is_named_runs_alone"]
    (command,) = suite.test_commands(arguments)
    assert command[-2:] == arguments
    assert len(suite.test_commands(["-k", "no such test"])) == 2


@pytest.mark.parametrize(
    ("codes", "whole"),
    [([0, 0], 0), ([1, 0], 1), ([0, 1], 1), ([0, 5], 0), ([5, 1], 1), ([5, 5], 5), ([2, 1], 2)],
)
def test_both_parts_run_and_the_worst_counts(codes: list[int], whole: int) -> None:
    left = iter(codes)
    assert suite.test([], lambda _: next(left), lambda _: []) == whole
    assert list(left) == []


def test_what_follows_is_part_of_the_whole_and_of_nothing_that_was_chosen() -> None:
    assert suite.test([], lambda _: 0, lambda run: [run([]), 4]) == 4
    assert suite.test(["-k", "some"], lambda _: 0, lambda _: [4]) == 0


def test_checks_end_with_the_first_that_fails() -> None:
    seen: list[str] = []

    def run(command: list[str]) -> int:
        seen.append(command[0].rsplit("/", 1)[-1])
        return 3 * (seen[-1] == "mypy")

    assert suite.check(run, tests=True) == 3
    assert seen == ["ruff", "ruff", "mypy"]


def test_checks_without_tests_are_all_the_others() -> None:
    all_of_them, without = ([*commands(tests=tests)] for tests in (True, False))
    (left,) = [command for command in all_of_them if command not in without]
    assert left[0].endswith("pytest")
    assert without == all_of_them[:-1]


def commands(*, tests: bool) -> list[list[str]]:
    seen: list[list[str]] = []

    def run(command: list[str]) -> int:
        seen.append(command)
        return 0

    assert suite.check(run, tests=tests) == 0
    return seen


def _test_files() -> list[Path]:
    return [
        path for path in (CHECKOUT / "tests").rglob("test_*.py") if "node_modules" not in path.parts
    ]
