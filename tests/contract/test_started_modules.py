"""What is started or imported by a name in a text, which no type checker reads, is where it is said to be."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from local_stack.__main__ import MODULES, STREAM_TOOLS
from tests.load.__main__ import BENCHMARKS
from tests.load.gateway import CASES
from tests.load.stores.terms import ENGINES

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("gateway", "local_stack", "pinot_config", "stream_jobs", "tests")
    for path in (ROOT / package).rglob("*.py")
]
# What a benchmark's or an engine's module must define.
DEFINED = {f"tests.load.{name}": "measure" for name in BENCHMARKS}
DEFINED |= {f"tests.load.gateway.{name}": "measure" for name in CASES}
DEFINED |= dict(each.split(":") for each in ENGINES.values())


def started(path: Path) -> Iterator[str]:
    """Whatever stands behind a `-m` in a list, a tuple or a call."""
    for node in ast.walk(ast.parse(path.read_text())):
        words = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
        for flag, name in pairwise(words):
            if isinstance(flag, ast.Constant) and flag.value == "-m":
                yield from [str(name.value)] if isinstance(name, ast.Constant) else []


STARTED = {name for path in SOURCES for name in started(path)}


@pytest.mark.parametrize("name", sorted({*STARTED, *MODULES.values(), *STREAM_TOOLS.values()}))
def test_a_module_that_is_started_is_there(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


@pytest.mark.parametrize(("name", "defined"), sorted(DEFINED.items()))
def test_a_benchmark_is_there_and_measures(name: str, defined: str) -> None:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    body = ast.parse(Path(found.origin).read_text()).body
    assert defined in {getattr(each, "name", None) for each in body}


def test_what_is_started_is_found_in_the_sources() -> None:
    assert {"gateway", "stream_jobs.audit", "tests.load.gateway.sender"} <= STARTED
