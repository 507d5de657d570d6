"""The tables of sizes say what the arithmetic gives."""

from __future__ import annotations

import pytest

from pinot_config.sizing.__main__ import main
from pinot_config.sizing.arithmetic import Load, Measured
from pinot_config.sizing.tables import markdown_tables

TABLES = markdown_tables(Load(), Measured())


def test_every_row_is_as_wide_as_its_head() -> None:
    for table in TABLES.values():
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_year_is_29_billion_rows_and_growth_keeps_what_was() -> None:
    assert "| 1 year | 29.2 billion |" in TABLES["sizing segments"]
    years = [line.split(" | ") for line in TABLES["sizing growth"].splitlines()[2:]]
    assert [year[1] for year in years] == [
        "14.6 billion",
        "29.2 billion",
        "58.4 billion",
        "116.8 billion",
    ]


def test_another_load_is_reckoned_by_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--transactions", "29.2e9", "--replicas", "2"]) == 0
    printed = capsys.readouterr().out
    assert "| 1 year | 58.4 billion |" in printed
    assert "2 copies" in printed
