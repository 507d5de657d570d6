"""What of the tests on Kubernetes runs with the whole suite, by what is here, and what is said of the rest."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local_stack.on_kubernetes import BY_NAME, INSTALLED, RENDERED, Chosen, chosen, run_chosen

TESTS = Path(__file__).parents[2] / "kubernetes"
PRODUCTION = {"KUBECONFIG": "/of/production"}
TOOLED = {"CLUSTER_TOOL": "/opt/a/tool"}
GIVEN = {"KUBECONFIG": "/etc/kube", "CHART_TESTS_REGISTRY": "registry.example/team"}


def here(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name.rsplit('/', 1)[-1]}" if name in programs else None


@pytest.mark.parametrize(
    ("environment", "programs", "runs", "tool"),
    [
        ({}, (), (), ""),
        ({}, ("helm", "kubectl"), RENDERED, ""),
        (GIVEN, ("helm", "kubectl"), (*RENDERED, INSTALLED), ""),
        (TOOLED | GIVEN, ("helm", "kubectl", "/opt/a/tool"), (*RENDERED, INSTALLED), ""),
        (GIVEN, ("helm",), RENDERED, ""),
        (TOOLED | PRODUCTION, ("helm", "kubectl", "/opt/a/tool"), RENDERED, ""),
        ({}, ("helm", "/opt/a/tool"), RENDERED, ""),
        (TOOLED, ("/opt/a/tool",), (*RENDERED, INSTALLED), "/bin/tool"),
        (TOOLED, ("helm",), RENDERED, ""),
    ],
)
def test_what_there_is_all_for_runs_and_the_rest_is_named(
    environment: dict[str, str], programs: tuple[str, ...], runs: tuple[str, ...], tool: str
) -> None:
    what = chosen(environment, here(*programs))
    assert (what.tests, what.tool) == (runs, tool)
    of_all = {f"tests/kubernetes/{file.name}" for file in TESTS.glob("test_*.py")}
    assert {each for each in of_all if each in what.left_out} == of_all - set(runs)
    assert BY_NAME in what.left_out
    assert len(what.left_out.splitlines()) == 1


def test_what_is_lacking_is_said() -> None:
    assert "helm is not here" in chosen({}, here()).left_out
    assert "helm" not in chosen({}, here("helm")).left_out
    assert (
        "takes helm, kubectl and CHART_TESTS_REGISTRY"
        in chosen(PRODUCTION, here("helm", "kubectl")).left_out
    )


class Machine:
    """Its tool says of each of its words how it ends."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes
        self.ran: list[str] = []

    def run(self, command: list[str]) -> int:
        word = command[-1] if "pytest" in command else command[1]
        self.ran.append(word)
        return self.codes.get(word, 0)


ON_TOOL = Chosen((*RENDERED, INSTALLED), "", "/bin/tool")
BROUGHT_UP = ["install", "build", "base", "up", "image"]


def test_a_cluster_that_was_brought_up_is_taken_down() -> None:
    machine = Machine(status=3)
    assert run_chosen(ON_TOOL, machine.run) == [0, 0, 0]
    assert machine.ran == ["status", *BROUGHT_UP, *RENDERED, INSTALLED, "down"]


def test_a_cluster_that_was_up_stays_up() -> None:
    machine = Machine()
    run_chosen(ON_TOOL, machine.run)
    assert machine.ran == ["status", *BROUGHT_UP, *RENDERED, INSTALLED]


def test_a_cluster_that_does_not_come_up_is_a_failure_and_taken_down() -> None:
    machine = Machine(status=3, up=7)
    assert run_chosen(ON_TOOL, machine.run) == [7]
    assert machine.ran == ["status", *BROUGHT_UP[:4], "down"]


def test_tests_get_the_cluster_that_the_tool_names(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n[ $1 = env ] && echo \"export KUBECONFIG='/a b/config'\"\n")
    tool.chmod(0o755)
    told = []

    def run(command: list[str]) -> int:
        if command[0] == "sh":
            *there, _python, _module, _pytest, _quiet, _file = command
            told.append(subprocess.check_output([*there, "sh", "-c", 'echo "$KUBECONFIG"']))
        return 0

    run_chosen(Chosen((INSTALLED,), "", str(tool)), run)
    assert told == [b"/a b/config\n"]


def test_without_a_tool_nothing_is_brought_up() -> None:
    machine = Machine()
    assert run_chosen(Chosen(RENDERED, ""), machine.run) == [0, 0]
    assert machine.ran == list(RENDERED)
