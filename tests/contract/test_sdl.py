"""The committed SDL is what the code says, and everything in it is described."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
    is_enum_type,
    is_scalar_type,
    parse,
    validate,
)
from strawberry.utils.str_converters import to_camel_case

from gateway import model
from gateway.budget.balance import Rate
from gateway.cost import weights
from gateway.sdl import sdl
from gateway.settings import Settings
from gateway.wiring import limits_of
from graphql_schema import enums
from stream_jobs.event_rules import RejectReason

FOLDER = Path(__file__).parents[2] / "graphql_schema"
SCHEMA = build_schema(sdl())
OWN_TYPES = {name: type_ for name, type_ in SCHEMA.type_map.items() if not name.startswith("__")}
BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


def test_the_committed_sdl_is_current() -> None:
    assert (FOLDER / "schema.graphql").read_text() == sdl(), (
        "run: python -m gateway.sdl > graphql_schema/schema.graphql"
    )


def test_everything_is_described() -> None:
    missing = []
    for name, type_ in OWN_TYPES.items():
        if name in BUILT_IN:
            continue
        if not type_.description:
            missing.append(name)
        if is_enum_type(type_):
            missing += [
                f"{name}.{key}" for key, each in type_.values.items() if not each.description
            ]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in type_.fields.items():
                if not field.description:
                    missing.append(f"{name}.{field_name}")
                for argument, each in getattr(field, "args", {}).items():
                    if not each.description:
                        missing.append(f"{name}.{field_name}({argument})")
    assert missing == []


def test_scalars_say_where_they_are_specified() -> None:
    own = {name for name, type_ in OWN_TYPES.items() if is_scalar_type(type_)} - BUILT_IN
    assert own == {"DateTime", "Decimal", "Long", "TimeZone"}
    assert all(SCHEMA.type_map[name].specified_by_url for name in own)  # type: ignore[attr-defined]


def test_a_window_is_said_in_exactly_one_way() -> None:
    window = SCHEMA.type_map["WindowInput"]
    assert isinstance(window, GraphQLInputObjectType)
    assert window.is_one_of


@pytest.mark.parametrize(
    "name",
    [
        "Direction",
        "TransactionKind",
        "RankBy",
        "TimeUnit",
        "CalendarPeriod",
        "Granularity",
        "Comparison",
        "Fill",
    ],
)
def test_the_enums_of_schema_and_model_agree(name: str) -> None:
    schema_values = [each.value for each in getattr(enums, name)]
    assert schema_values == [each.value for each in getattr(model, name)]


def test_there_are_no_more_reasons_than_the_list_of_them_is_priced_for() -> None:
    size = weights.read(SCHEMA)["Pipeline", "rejectedByReason"].size
    assert size is not None
    assert size.assumed is not None
    assert len(RejectReason) <= size.assumed


def test_a_limit_that_tells_its_default_tells_the_right_one() -> None:
    described = SCHEMA.type_map["Limits"]
    assert isinstance(described, GraphQLObjectType)
    telling = 0
    for name, value in asdict(limits_of(Settings(), Rate(0, 0))).items():
        field = "deadlineMilliseconds" if name == "deadline_ms" else to_camel_case(name)
        description = str(described.fields[field].description)
        if "by default" in description:
            telling += 1
            assert f" {value:,} by default." in description
    assert telling >= 9


@pytest.mark.parametrize("path", sorted((FOLDER / "operations").iterdir()), ids=lambda p: p.stem)
def test_the_operations_fit_the_schema(path: Path) -> None:
    assert validate(SCHEMA, parse(path.read_text())) == []


def test_nothing_breaks_clients_of_the_last_release() -> None:
    released = max((FOLDER / "released").iterdir(), key=lambda path: parse_version(path.stem))
    before = build_schema(released.read_text())
    broken = [change.description for change in find_breaking_changes(before, SCHEMA)]
    assert broken == [], f"breaks clients of {released.stem}: deprecate first, remove later"


def parse_version(text: str) -> tuple[int, ...]:
    """A version's numbers, so that 0.10.0 comes after 0.9.0."""
    return tuple(int(part) for part in text.split("."))
