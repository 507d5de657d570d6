"""The documentation says what the code does: tables are current, links lead somewhere, commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from local_stack import commands, tables
from local_stack.__main__ import MODULES, STREAM_TOOLS
from local_stack.settings import CHECKOUT

README = CHECKOUT / "README.md"
FOLDERS = ("*.md", "docs/*.md", "[!.]*/README.md", "tests/*/README.md")
PAGES = sorted({page for pattern in FOLDERS for page in CHECKOUT.glob(pattern)})
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
PATH = re.compile(
    r"`((?:docs|gateway|graphql_schema|local_stack|pinot_config|stream_jobs|tests)/[\w./-]+)`"
)
STARTED = {**MODULES, **STREAM_TOOLS, "keys": "gateway.access.auth.keys"}


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_tables_are_what_the_code_says() -> None:
    assert [str(page) for page, _ in tables.stale()] == [], "run ./dev docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_file_and_module_that_is_named_is_there() -> None:
    said = "\n".join(page.read_text() for page in CURRENT)
    paths, modules = set(PATH.findall(said)), set(re.findall(r"python -m ([\w.]+)", said))
    assert len(paths) > 20
    assert len(modules) > 3
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []
    assert [module for module in modules if find_spec(module) is None] == []


def test_the_index_and_the_readme_lead_to_every_page_of_the_documentation() -> None:
    for index in (CHECKOUT / "docs" / "README.md", README):
        linked = {
            (index.parent / link).resolve()
            for link in re.findall(r"\]\(([^)#]+\.md)[)#]", index.read_text())
        }
        others = {
            page for page in PAGES if page.parent == CHECKOUT / "docs" and page.name != "README.md"
        }
        assert others - linked == set(), index


def test_every_command_that_is_named_is_one() -> None:
    named = {name for page in PAGES for name in re.findall(r"\./dev ([a-z]+)\b", page.read_text())}
    assert named - set(commands.names()) == set()


@pytest.mark.parametrize("name", sorted(set(commands.PASSED_ON) - {"test", "bench"}))
def test_what_the_table_says_of_a_handed_on_command_its_program_reads(name: str) -> None:
    usage = next(
        line for line in commands.markdown_table().splitlines() if f"./dev {name} " in line
    )
    words = re.findall(r"--[a-z-]+|[a-z]+(?=\\\|)", usage.split("` |")[0])
    assert words
    command = [sys.executable, "-P", "-m", STARTED[name], "--help"]
    said = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."}
    ).stdout
    assert [word for word in words if word not in said] == []


def test_the_readme_is_read_in_five_minutes() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    assert {"./dev up", "./dev test"} <= set(re.findall(r"^\./dev \w+", text, flags=re.MULTILINE))
    picture = CHECKOUT / re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)[0]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000
