"""The README says what the code does: its tables are current, its commands and documents exist."""

from __future__ import annotations

import re

import pytest

from local_stack import readme
from local_stack.__main__ import main
from local_stack.settings import CHECKOUT


def test_the_readmes_tables_are_what_the_code_says() -> None:
    text = readme.README.read_text()
    assert readme.with_tables(text) == text, "run ./dev docs"


def test_every_relative_link_leads_somewhere() -> None:
    text = readme.README.read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert links
    assert [link for link in links if not (CHECKOUT / link).exists()] == []


def test_every_command_that_the_readme_names_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"\./dev ([a-z]+)", readme.README.read_text()))
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, flags=re.MULTILINE))
    assert named == known
