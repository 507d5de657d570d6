"""docs/house.md leads a stranger to places that exist, and leaves no folder out."""

from __future__ import annotations

import re
import tomllib

import pytest

from local_stack.settings import CHECKOUT

TEXT = (CHECKOUT / "docs" / "house.md").read_text()
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`( \(not there yet\))?")
CHANGES = (
    *("an argument", "a metric", "another store", "an error code", "a topic"),
    *(
        "a header",
        "a setting",
        "a panel of the page",
        "a column of a table",
        "a value of the chart",
    ),
)


def contract(name: str) -> list[str]:
    """The layers of an import contract from the top down, independent ones apart."""
    configuration = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["name"] == name)
    return [part.strip() for layer in layers for part in layer.split("|")]


def order(folder: str) -> list[str]:
    """The parts of a folder as the first column of the page's tables has them."""
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith(f"| `{folder}/")]
    return re.findall(rf"`{folder}/(\w+?)(?:\.py|/)`", " ".join(rows))


def test_every_path_is_there_unless_it_is_said_not_to_be() -> None:
    found = PATH.findall(TEXT)
    assert len(found) > 40
    wrong = [path for path, not_yet in found if (CHECKOUT / path).exists() == bool(not_yet)]
    assert wrong == []


@pytest.mark.parametrize("change", CHANGES)
def test_an_everyday_change_has_a_place_to_go_to(change: str) -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {change} |"))
    assert PATH.search(row.split("|")[2])


@pytest.mark.parametrize("top", ["gateway", "stream_jobs"])
def test_every_folder_is_named(top: str) -> None:
    packages = [file.parent.relative_to(CHECKOUT) for file in (CHECKOUT / top).rglob("__init__.py")]
    assert len(packages) > 5
    assert [str(each) for each in packages if f"`{each}/`" not in TEXT] == []


@pytest.mark.parametrize(
    ("top", "name"),
    [
        ("gateway", "The gateway's wings, in order"),
        ("stream_jobs", "The stream jobs' rooms, in order"),
    ],
)
def test_wings_and_rooms_stand_in_the_order_that_their_import_contract_has(
    top: str, name: str
) -> None:
    layers = contract(name)
    told = order(top)
    shared = {"one_of", "json_http", "http_access", "secret_files", "pinot_stream"}
    assert set(layers) - set(told) <= shared
    assert told == [each for each in layers if each in told]


def test_unit_tests_lie_where_what_they_test_does() -> None:
    folders = [
        each for each in (CHECKOUT / "tests" / "unit").rglob("*") if any(each.glob("test_*"))
    ]
    places = [each.relative_to(CHECKOUT / "tests" / "unit") for each in folders]
    assert len(places) > 20
    roots = (CHECKOUT, CHECKOUT / "tests")
    assert [str(at) for at in places if not any((root / at).is_dir() for root in roots)] == []
