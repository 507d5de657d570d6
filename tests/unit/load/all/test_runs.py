"""`./dev bench all` has every benchmark, knows its options and reads its figures."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_stack.settings import CHECKOUT
from tests.load import all as every
from tests.load.__main__ import BENCHMARKS
from tests.load.all.runs import RUNS, Place, Run
from tests.load.gateway import CASES

RECORDED = Path(__file__).with_name("recorded")
"""What is told of quick runs' figures, and no more of them: out of `.local/bench/NAME.json`, anew where its form has changed."""

COMMAND = re.compile(
    r"\./dev bench ((?!all\b)[a-z][a-z0-9 -]*?(?: --[^`|\n#;]*)?)\s*(?:[`|#;]|$)", re.MULTILINE
)
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
by_name = pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)


class Noted(dict[str, Any]):
    """Figures that note by which names they are read."""

    def __init__(self, said: dict[str, Any], read: set[str]) -> None:
        super().__init__({name: noted(each, read) for name, each in said.items()})
        self.read = read

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


def noted(value: Any, read: set[str]) -> Any:
    if isinstance(value, dict):
        return Noted(value, read)
    return [noted(each, read) for each in value] if isinstance(value, list) else value


def words_of(module: str, seen: set[str]) -> Iterator[str]:
    """All texts, arguments and fields in a benchmark's source and in what it imports or starts of the benchmarks'."""
    place = CHECKOUT / module.replace(".", "/")
    source = next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), "")
    if module in seen or not source:
        return
    seen.add(module)
    others: list[str] = []
    for node in ast.walk(ast.parse(Path(source).read_text())):
        match node:
            case ast.Constant(value=str(text)):
                yield text
                others.append(text)
            case ast.keyword(arg=str(name)) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.ImportFrom(module=str(of), names=names):
                others += [of, *(f"{of}.{name.name}" for name in names)]
            case _:
                pass
    for each in others:
        if each.startswith("tests.load."):
            yield from words_of(each, seen)


def test_every_benchmark_is_among_them_once() -> None:
    cases = {f"gateway {case}".replace("_", "-") for case in CASES}
    assert sorted(each.words for each in RUNS) == sorted({*BENCHMARKS, *cases} - {"gateway"})


@by_name
@pytest.mark.parametrize("quick", [True, False])
def test_a_benchmark_takes_the_options_it_is_given(run: Run, quick: bool) -> None:
    parser = importlib.import_module(run.module).parser()
    assert parser.prog == f"./dev bench {run.words}"
    parser.parse_args(run.options(quick=quick))


def test_the_commands_of_the_documentation_are_taken() -> None:
    said = {each.strip() for page in PAGES for each in COMMAND.findall(page.read_text())}
    assert len(said) > 20
    modules = {run.words: run.module for run in RUNS}
    for command in said:
        words, _, options = command.partition(" --")
        given = shlex.split(f"--{options}".split("[")[0]) if options else []
        importlib.import_module(modules[words]).parser().parse_args(given)


@by_name
def test_the_figures_of_a_benchmark_are_told_by_names_that_it_writes(run: Run) -> None:
    said, read = json.loads((RECORDED / f"{run.name}.json").read_text()), set[str]()
    assert re.search(r"\d", run.told(noted(said, read)))
    assert read - {*words_of(run.module, set())} == set()


def test_quickly_those_that_need_a_fresh_stack_share_it() -> None:
    slowly = [place for place, _ in every.sittings(RUNS, quick=False)]
    quickly = every.sittings(RUNS, quick=True)
    assert [place for place, _ in quickly] == [Place.ALONE, Place.KEPT, Place.STACK]
    assert slowly == [Place.ALONE, Place.KEPT, *[Place.STACK] * 3]
    assert [run for _, some in quickly for run in some] == list(RUNS)
