"""Parts are started, noticed dead, started again, and all ended: with real, small processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_stack import health, processes, run_file
from local_stack.part import Part
from local_stack.supervisor import PartFailedError, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# Starts a child in a session of its own, as a task manager's Python worker might be.
WITH_STRAY = [
    sys.executable,
    "-c",
    (
        "import subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True);"
        "time.sleep(60)"
    ),
]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, told: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "stack.json", tmp_path / "log", os.environ, told.append)
    yield made
    made.stop([list(made.run.parts)])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_part_that_dies_is_started_again_and_counted(
    supervisor: Supervisor, told: list[str]
) -> None:
    supervisor.bring_up(Part("sleeper", SLEEP, health.lives, "-"))
    first = supervisor.run.parts["sleeper"].process.pid
    os.kill(first, signal.SIGKILL)

    def again() -> bool:
        supervisor.watch_once()
        part = supervisor.run.parts["sleeper"]
        return part.state == "running" and part.process.pid != first

    until(again)
    assert supervisor.run.parts["sleeper"].restarts == 1
    assert told[0] == "sleeper died (code -9); starting it again in 1 s"
    assert "running again (restart 1)" in told[1]


def test_a_part_that_ends_at_once_is_named_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    dying = [sys.executable, "-c", "print('no such topic'); raise SystemExit(3)"]
    with pytest.raises(
        PartFailedError, match=r"dying did not come up: ended with code 3"
    ) as caught:
        supervisor.bring_up(Part("dying", dying, lambda: False, "-"))
    assert "no such topic" in str(caught.value)


def test_a_part_that_never_gets_healthy_fails_at_its_deadline(supervisor: Supervisor) -> None:
    with pytest.raises(PartFailedError, match="not healthy after 0 s"):
        supervisor.bring_up(Part("mute", SLEEP, lambda: False, "-", deadline_s=0.1))


def test_a_failed_preparation_of_a_restart_is_tried_again_later(
    supervisor: Supervisor, told: list[str]
) -> None:
    calls: list[int] = []

    def prepare() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise ConnectionError("zookeeper is away")

    supervisor.bring_up(Part("prepared", SLEEP, health.lives, "-", prepare=prepare))
    os.kill(supervisor.run.parts["prepared"].process.pid, signal.SIGKILL)

    def tried() -> bool:
        supervisor.watch_once()
        return len(calls) > 1

    until(tried)
    assert told[-1] == "prepared could not be started: zookeeper is away"


def test_one_that_was_started_and_runs_no_more_has_ended(supervisor: Supervisor) -> None:
    assert not supervisor.ended("sleeper")
    supervisor.bring_up(Part("sleeper", SLEEP, health.lives, "-"))
    assert not supervisor.ended("sleeper")
    os.kill(supervisor.run.parts["sleeper"].process.pid, signal.SIGKILL)
    until(lambda: supervisor.ended("sleeper"))


def test_stopping_leaves_nothing_behind_even_what_left_its_group(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.bring_up(Part("parent", WITH_STRAY, health.lives, "-"))
    until(lambda: len(processes.owned(supervisor.owner)) == 2)
    family = [processes.identify(process.pid) for process in processes.owned(supervisor.owner)]
    supervisor.stop([["parent"]])
    assert not any(each.alive() for each in family if each is not None)
    assert run_file.read(tmp_path / "stack.json") is None


def test_a_dead_part_is_not_healthy_because_something_else_answers(supervisor: Supervisor) -> None:
    dying = [sys.executable, "-c", "raise SystemExit(1)"]
    part = Part("shadowed", dying, lambda: True, "-", settle_s=60)
    with pytest.raises(PartFailedError, match="ended with code 1"):
        supervisor.bring_up(part)


def test_watching_goes_on_after_it_went_wrong(supervisor: Supervisor, told: list[str]) -> None:
    answers: Iterator[bool | OSError] = iter([True, OSError("disk full"), True])

    def healthy() -> bool:
        answer = next(answers, True)
        if isinstance(answer, OSError):
            raise answer
        return answer

    supervisor.bring_up(Part("moody", SLEEP, healthy, "-"))
    first = supervisor.run.parts["moody"].process.pid
    watching = threading.Thread(target=supervisor.watch, daemon=True)
    watching.start()
    os.kill(first, signal.SIGKILL)
    until(lambda: any("went wrong and goes on" in line for line in told))
    until(lambda: any("is running again" in line for line in told))
    supervisor.begin_stop()
    watching.join(5)
    assert not watching.is_alive()
