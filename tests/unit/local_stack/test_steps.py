"""Dependent steps run in order, side by side, and stop at the first failure."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from local_stack.steps import Board, Step, StepError, Tell, run_steps


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def board(output: io.StringIO) -> Board:
    return Board(Console(file=output, force_terminal=False))


def test_a_step_begins_when_all_it_needs_are_done(board: Board) -> None:
    order: list[str] = []

    def step(name: str, *needs: str) -> Step:
        def action(_: Tell) -> str:
            order.append(name)
            return ""

        return Step(name, action, needs)

    run_steps([step("c", "a", "b"), step("b", "a"), step("a")], board)
    assert order == ["a", "b", "c"]


def test_steps_that_do_not_wait_for_one_another_run_side_by_side(board: Board) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def action(_: Tell) -> str:
        meeting.wait()
        return ""

    run_steps([Step(name, action) for name in "abc"], board)


def test_a_failure_names_its_step_and_nothing_after_it_begins(
    board: Board, output: io.StringIO
) -> None:
    begun: list[str] = []

    def fail(_: Tell) -> str:
        raise ValueError("no such jar")

    def note(_: Tell) -> str:
        begun.append("later")
        return ""

    with pytest.raises(StepError, match="no such jar") as caught:
        run_steps([Step("jars", fail), Step("later", note, ("jars",))], board)
    assert caught.value.step == "jars"
    assert begun == []
    assert "✗ jars" in output.getvalue()


def test_what_a_step_tells_is_shown_where_there_is_no_terminal(
    board: Board, output: io.StringIO
) -> None:
    def action(tell: Tell) -> str:
        tell("half way")
        return "done [1 of 1]"

    run_steps([Step("jars", action)], board)
    assert "jars: half way" in output.getvalue()
    assert "✓ jars" in output.getvalue()
