"""The committed SDL is what the code says, and everything in it is described."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Visitor,
    build_schema,
    find_breaking_changes,
    get_named_type,
    is_enum_type,
    is_non_null_type,
    is_scalar_type,
    parse,
    validate,
    visit,
)
from strawberry.utils.str_converters import to_camel_case

from gateway.access.budget.balance import Rate
from gateway.analytics import model
from gateway.documents.asked_accounts import OTHERS
from gateway.documents.cost import weights
from gateway.execution.executor import DEFINITION
from gateway.execution.schema import make_schema
from gateway.execution.sdl import sdl
from gateway.settings import Settings
from gateway.wiring.documents import limits_of
from graphql_schema import enums
from stream_jobs.events.reasons import RejectReason

FOLDER = Path(__file__).parents[2] / "graphql_schema"
SCHEMA = build_schema(sdl())
OWN_TYPES = {name: type_ for name, type_ in SCHEMA.type_map.items() if not name.startswith("__")}
BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


def test_the_committed_sdl_is_current() -> None:
    assert (FOLDER / "schema.graphql").read_text() == sdl(), (
        "run: python -m gateway.execution.sdl > graphql_schema/schema.graphql"
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


def test_every_directive_is_declared_but_those_that_all_tools_know() -> None:
    """`@oneOf` is younger than most tools; graphql-js 15 and 16.0 refuse an SDL with what they do not know."""
    used: set[str] = set()

    class Uses(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            used.add(node.name.value)

    document = parse(sdl())
    visit(document, Uses())
    declared = [
        each.name.value
        for each in document.definitions
        if isinstance(each, DirectiveDefinitionNode)
    ]
    assert used - {"deprecated", "specifiedBy"} == set(declared) == {"cost", "listSize", "oneOf"}
    assert len(declared) == 3
    assert all(each.description for each in SCHEMA.directives)


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
        "TransactionSort",
        "WeekStart",
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


DOCUMENTS = sorted([*(FOLDER / "operations").iterdir(), *(FOLDER / "subscriptions").iterdir()])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.stem)
def test_the_operations_fit_the_schema(path: Path) -> None:
    assert validate(SCHEMA, parse(path.read_text())) == []


NULL_SINCE_0_1 = {
    "Query.accounts": "[Account!]! to [Account]",
    "Query.pipeline": "Pipeline! to Pipeline",
    "Pipeline.entries": "Long! to Long",
    "Pipeline.rejected": "Long! to Long",
    "Totals.counterpartyCount": "Long! to Long",
    "Remainder.counterpartyCount": "Long! to Long",
    "TopCounterparties.others": "Remainder! to Remainder",
    "TopCounterparties.total": "Remainder! to Remainder",
    "TopAccounts.others": "Remainder! to Remainder",
    "TopAccounts.total": "Remainder! to Remainder",
}
"""What 0.2 breaks on purpose: what can fail by itself is null, and takes nothing else down with it."""
BREAKS = {
    "0.1.0": {f"Field {name} changed type from {how}." for name, how in NULL_SINCE_0_1.items()}
}


def test_nothing_else_breaks_clients_of_the_last_release() -> None:
    released = max((FOLDER / "released").iterdir(), key=lambda path: parse_version(path.stem))
    before = build_schema(released.read_text())
    broken = {change.description for change in find_breaking_changes(before, SCHEMA)}
    assert broken == BREAKS.get(released.stem, set()), (
        f"breaks clients of {released.stem}: deprecate first, remove later"
    )


def test_what_is_fetched_by_itself_may_be_null() -> None:
    """Each field with a resolver that can fail; `limits` and `reversals` ask for nothing."""
    types = make_schema().graphql_schema.type_map.values()
    strict = {
        f"{type_.name}.{name}"
        for type_ in types
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_non_null_type(field.type) and not field.extensions[DEFINITION].is_basic_field
    }
    assert strict == {"Query.limits", "Totals.reversals", "Flow.reversals"}


def parse_version(text: str) -> tuple[int, ...]:
    """A version's numbers, so that 0.10.0 comes after 0.9.0."""
    return tuple(int(part) for part in text.split("."))


def test_every_argument_that_names_an_account_is_one_that_the_record_tells() -> None:
    named = {
        (type_.name, field, argument)
        for type_ in OWN_TYPES.values()
        if isinstance(type_, GraphQLObjectType)
        for field, each in type_.fields.items()
        for argument, given in each.args.items()
        if get_named_type(given.type).name == "ID"
    }
    below = {each for each in named if each[0] not in ("Query", "Subscription")}
    others = {each for each in below if each[2] in OTHERS}
    assert below - others == {("Account", "transaction", "id")}, "a transaction's"
    assert {each[2] for each in others} == set(OTHERS)
    for type_ in OWN_TYPES.values():
        if isinstance(type_, GraphQLInputObjectType):
            assert "ID" not in {get_named_type(each.type).name for each in type_.fields.values()}
