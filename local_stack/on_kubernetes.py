"""Which of `tests/kubernetes` runs with the whole suite: what there is helm and a cluster for; the rest is named."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from local_stack import images
from local_stack.suite import Run

RENDERED: Final = (
    "tests/kubernetes/test_rendering.py",
    "tests/kubernetes/test_custom_resources.py",
)
INSTALLED: Final = "tests/kubernetes/test_embedded.py"
BY_NAME: Final = "tests/kubernetes/test_pipeline.py"
REGISTRY: Final = "CHART_TESTS_REGISTRY"
"""What the images' names begin with."""
TOOL: Final = "CLUSTER_TOOL"
"""A program that brings up a cluster on this machine, by name or path."""

_PYTEST: Final = (sys.executable, "-m", "pytest", "-q")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What runs here, what is to be said of the rest, and the tool that brings the cluster if that is needed."""

    tests: tuple[str, ...]
    left_out: str
    tool: str = ""


def chosen(environment: Mapping[str, str], which: Callable[[str], str | None]) -> Chosen:
    """By what is on the PATH. The cluster of KUBECONFIG is used only where the images for it are named as well.

    Many have one there that is not for tests.
    """
    helm = which("helm") is not None
    both = (*RENDERED, INSTALLED)
    if environment.get("KUBECONFIG"):
        if helm and which("kubectl") and environment.get(REGISTRY):
            return Chosen(both, _said("it takes long", BY_NAME))
        lacking = f"the cluster of KUBECONFIG takes helm, kubectl and {REGISTRY} as well"
    elif tool := which(environment.get(TOOL, "")):
        return Chosen(both, _said("it takes long", BY_NAME), tool)
    else:
        lacking = f"neither KUBECONFIG nor {TOOL} names a cluster"
    if helm:
        return Chosen(RENDERED, _said(lacking, INSTALLED, BY_NAME))
    return Chosen((), _said(f"helm is not here, and {lacking}", *both, BY_NAME))


def run_here(environment: Mapping[str, str], run: Run) -> list[int]:
    """Run what there is all for, and say what was not run; the exit codes of all that was."""
    what = chosen(environment, shutil.which)
    codes = run_chosen(what, run)
    print(what.left_out, flush=True)
    return codes


def run_chosen(what: Chosen, run: Run) -> list[int]:
    """If need be on a cluster that is up only for as long."""
    if not what.tool:
        return [run([*_PYTEST, each]) for each in what.tests]
    if run([what.tool, "status"]) == 0:
        return _on_tool(what, run)
    try:
        return _on_tool(what, run)
    finally:
        run([what.tool, "down"])


def _on_tool(what: Chosen, run: Run) -> list[int]:
    version = images.version()
    image = f"image . -t localhost/payment-analytics/gateway:{version} -f gateway/Containerfile"
    image += f" --build-arg BASE=localhost/debian:12-slim --build-arg VERSION={version}"
    for words in ("install", "build", "base", "up", image):
        if code := run([what.tool, *words.split()]):
            return [code]
    there = ["sh", "-c", f'eval "$("$0" env)" && {REGISTRY}=localhost exec "$@"', what.tool]
    return [run([*there, *_PYTEST, each]) for each in what.tests]


def _said(why: str, *tests: str) -> str:
    return f"Not run, since {why}: {', '.join(tests)} (docs/kubernetes.md says how, under Tests)."
