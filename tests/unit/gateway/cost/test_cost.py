"""What operations cost: the specification's examples, and this schema's own."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from gateway.cost.priced import Priced
from gateway.cost.pricing import Pricing
from gateway.cost.sizes import accounts, estimates, points
from gateway.cost.weights import read
from gateway.sdl import sdl

DIRECTIVES = """
directive @cost(weight: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
"""
EXAMPLE = """
type User { name: String  age: Int @cost(weight: "2.0")  boss: User }
type Film { title: String }
type Edge { node: Film }
type Films { edges: [Edge]  count: Int }
type Big @cost(weight: "7") { x: Stamp }
scalar Stamp @cost(weight: "3")
type Query {
  users(max: Int): [User] @listSize(slicingArguments: ["max"])
  top: [String] @listSize(assumedSize: 10)
  films(first: Int, last: Int, cheap: Boolean @cost(weight: "-5")): Films
    @cost(weight: "4") @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"])
  big: Big
}
"""
OWN = build_schema(sdl())


def cost(query: str, sdl_text: str | None = None, **variables: Any) -> int:
    schema = OWN if sdl_text is None else build_schema(DIRECTIVES + sdl_text)
    document = parse(query)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    own = {} if sdl_text is not None else estimates()
    return Pricing(read(schema), own).price(document, operation).cost(variables)


@pytest.mark.parametrize(
    ("query", "points_"),
    [
        # One for the request; then field weights and, for each object, its type's weight.
        ("{ users(max: 5) { name } }", 1 + 1 + 5),
        ("{ users(max: 5) { age } }", 1 + 1 + 5 * (1 + 2)),
        ("{ users(max: 0) { age } }", 1 + 1),
        ("{ users(max: -3) { age } }", 1 + 1),
        ("{ users { name } }", 1 + 1 + 1),
        ("{ top }", 1),
        ("{ films(first: 3) { count } }", 1 + 4 + 1),
        ("{ films(first: 3) { edges { node { title } } } }", 1 + 4 + 1 + 1 + 3 * (1 + 1 + 1)),
        ("{ films(first: 3, last: 8) { edges { __typename } } }", 1 + 4 + 1 + 1 + 8),
        ("{ films(first: 1, cheap: true) { count } }", 1 + 0 + 1),  # never below zero
        ("{ films(first: 1, cheap: null) { count } }", 1 + 4 + 1),
        ("{ big { x } }", 1 + 1 + 7 + 3),
    ],
)
def test_the_specifications_rules(query: str, points_: int) -> None:
    assert cost(query, EXAMPLE) == points_


def test_variables_count_as_what_they_are() -> None:
    query = "query ($n: Int = 4) { users(max: $n) { name } }"
    assert cost(query, EXAMPLE) == 1 + 1 + 4
    assert cost(query, EXAMPLE, n=9) == 1 + 1 + 9
    odd: Any
    for odd in ("9", None, [], {}, 1.5):
        assert cost(query, EXAMPLE, n=odd) == 1 + 1 + 1


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("@include(if: $b)", True),
        ("@skip(if: $b)", False),
        ("@include(if: false)", False),
        ("@skip(if: false)", True),
        ("@include(if: $b) @skip(if: true)", False),
        ("@include(if: $unknown)", True),
    ],
)
def test_what_is_left_out_costs_nothing(condition: str, asked: bool) -> None:
    query = "query ($b: Boolean!) { users(max: 2) %s { name } }" % condition
    assert cost(query, EXAMPLE, b=True) == (1 + 1 + 2 if asked else 1)
    inside = "query ($b: Boolean!) { ... on Query %s { users(max: 2) { name } } }" % condition
    assert cost(inside, EXAMPLE, b=True) == (1 + 1 + 2 if asked else 1)


def test_fields_that_merge_are_counted_once() -> None:
    once = cost("{ users(max: 2) { name age } }", EXAMPLE)
    merged = "{ users(max: 2) { name } ...F users(max: 2) { age } } fragment F on Query { users(max: 2) { age } }"
    assert cost(merged, EXAMPLE) == once


def test_a_field_asked_for_in_any_of_its_places_is_counted() -> None:
    query = "{ users(max: 2) @skip(if: true) { name } users(max: 2) { age } }"
    assert cost(query, EXAMPLE) == cost("{ users(max: 2) { age } }", EXAMPLE)


TOTALS = "totals(window: {calendar: TODAY}) { transactionCount }"


def test_a_hundred_aliases_cost_what_a_hundred_requests_cost() -> None:
    one = cost('{ account(id: "a") { %s } }' % TOTALS) - 1
    many = " ".join(f'a{n}: account(id: "a") {{ {TOTALS} }}' for n in range(100))
    assert cost("{ %s }" % many) - 1 == 100 * one


def test_accounts_cost_what_each_of_them_costs() -> None:
    one = cost('{ accounts(ids: ["a"]) { %s } }' % TOTALS) - 2
    query = "query ($ids: [ID!]!) { accounts(ids: $ids) { %s } }" % TOTALS
    assert cost(query, ids=["a", "b", "c"]) - 2 == 3 * one
    assert cost(query, ids="a") - 2 == one
    assert cost(query, ids=["a"] * 51) == cost(query, ids=["a"] * 50)
    assert cost(query, ids=7) == cost(query, ids=["a"] * 50)


def test_a_comparison_costs_as_much_again() -> None:
    plain = cost('{ account(id: "a") { totals(window: {calendar: TODAY}) { exact } } }')
    compared = cost(
        '{ account(id: "a") { totals(window: {calendar: TODAY}, compareTo: PREVIOUS_YEAR) { exact } } }'
    )
    weight = read(OWN)["Account", "totals"].weight
    assert compared - plain == weight


def test_rows_are_counted_by_first_and_its_default() -> None:
    top = (
        '{ account(id: "a") { topCounterparties(window: {calendar: TODAY}%s) { rows { rank } } } }'
    )
    assert cost(top % ", first: 100") - cost(top % "") == 90
    assert cost(top % "") == cost(top % ", first: 10")


def test_the_network_costs_more_than_an_account() -> None:
    weights = read(OWN)
    assert weights["Network", "topAccounts"].weight > weights["Account", "topCounterparties"].weight
    assert weights["Network", "totals"].weight > weights["Account", "totals"].weight


def test_descriptions_of_the_schema_have_their_price() -> None:
    assert cost("{ __schema { types { name } } }") == 501
    assert cost('{ a: __type(name: "X") { name } b: __type(name: "X") { name } }') == 101
    assert cost("{ __typename }") == 1


def test_every_list_of_the_schema_has_a_size() -> None:
    weights = read(OWN)
    sized = {name for each in weights.values() if each.size for name in each.size.fields}
    unsized = [key for key, each in weights.items() if each.is_list and not each.size]
    assert [key for key in unsized if key[1] not in sized] == []


def test_costs_stand_on_no_interface() -> None:
    assert "@cost" not in str(
        OWN.type_map["Answer"].ast_node and sdl().split("interface Answer")[1].split("}")[0]
    )


@pytest.mark.parametrize(
    ("window", "granularity", "most"),
    [
        ({"last": {"count": 1, "unit": "DAY"}}, "HOUR", 25),
        ({"last": {"count": 60, "unit": "MINUTE"}}, "MINUTE", 61),
        ({"last": {"count": 1, "unit": "HOUR"}}, "FIVE_MINUTES", 13),
        ({"last": {"count": 1, "unit": "HOUR"}}, "FIFTEEN_MINUTES", 5),
        ({"last": {"count": -5, "unit": "DAY"}}, "HOUR", 1),
        ({"last": {"count": 2, "unit": "WEEK"}}, "WEEK", 4),
        ({"last": {"count": 1, "unit": "MONTH"}}, "MONTH", 3),
        ({"last": {"count": 1, "unit": "YEAR"}}, "QUARTER", 6),
        ({"last": {"count": 2, "unit": "YEAR"}}, "YEAR", 4),
        ({"calendar": "TODAY"}, "HOUR", 26),
        ({"calendar": "LAST_WEEK"}, "DAY", 10),
        ({"calendar": "THIS_MONTH"}, "DAY", 35),
        ({"calendar": "LAST_QUARTER"}, "MONTH", 5),
        ({"calendar": "THIS_YEAR"}, "YEAR", 3),
        ({"between": {"start": "2025-01-01T00:00:00Z", "end": "2025-01-02T00:00:00Z"}}, "HOUR", 25),
        ({"between": {"start": "2025-01-02T00:00:00Z", "end": "2025-01-01T00:00:00Z"}}, "HOUR", 1),
        ({"between": {"start": "yesterday", "end": "2025-01-01T00:00:00Z"}}, "HOUR", None),
        (
            {"between": {"start": "2025-01-02T00:00:00Z", "end": "2025-01-01T00:00:00"}},
            "HOUR",
            None,
        ),
        ({"calendar": "NEVER"}, "HOUR", None),
        ({"last": {"count": 1, "unit": "AGE"}}, "HOUR", None),
        ({"last": {"count": "1", "unit": "DAY"}}, "HOUR", None),
        (None, "HOUR", None),
        ({"calendar": "TODAY"}, "SECOND", None),
    ],
)
def test_points_are_estimated_from_window_and_granularity(
    window: object, granularity: str, most: int | None
) -> None:
    assert points({"window": window, "granularity": granularity}) == most


def test_what_are_no_ids_is_not_counted() -> None:
    assert accounts({"ids": ["a", "b"]}) == 2
    assert accounts({"ids": "a"}) == 1
    assert accounts({"ids": 5}) is None
    assert accounts({}) is None


SHAPES = """
interface Named { name: String }
union Found = Cheap | Dear
type Cheap implements Named { name: String  stamp: Stamp }
type Dear implements Named @cost(weight: "9") { name: String }
scalar Stamp @cost(weight: "3")
input Filter { text: String }
type Films { edges: [Cheap]  extra: [Cheap] @listSize(assumedSize: 2) }
type Query {
  named: Named
  found: Found
  search(filter: Filter, raw: String): Cheap
  films(first: Int): Films @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
  guessed(n: Int): [Cheap] @listSize(slicingArguments: ["n"])
  capped(n: Int): [Cheap] @listSize(assumedSize: 3)
}
"""


@pytest.mark.parametrize(
    ("query", "points_"),
    [
        # An abstract type weighs as much as the dearest of its types.
        ("{ named { name } }", 1 + 1 + 9),
        ("{ found { __typename } }", 1 + 1 + 9),
        # An input object weighs one, a scalar nothing.
        ('{ search(filter: {text: "x"}) { name } }', 1 + 1 + 1 + 1),
        ('{ search(raw: "x") { name } }', 1 + 1 + 1),
        # A size that is meant for one list below is not another's.
        ("{ films(first: 7) { edges { name } } }", 1 + 1 + 1 + 1 + 7),
        ("{ films(first: 7) { extra { name } } }", 1 + 1 + 1 + 1 + 2),
    ],
)
def test_abstract_types_inputs_and_sized_fields(query: str, points_: int) -> None:
    assert cost(query, SHAPES) == points_


def test_an_interface_that_nothing_implements_weighs_one() -> None:
    assert (
        cost(
            "{ lonely { name } }", "interface Lonely { name: String } type Query { lonely: Lonely }"
        )
        == 3
    )


def priced(query: str, sdl_text: str, **lengths: Any) -> Priced:
    document = parse(query)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    guesses = {("Query", name): length for name, length in lengths.items()}
    return Pricing(read(build_schema(DIRECTIVES + sdl_text)), guesses).price(document, operation)


def test_an_estimate_is_bounded_by_what_the_schema_assumes() -> None:
    by_n = {name: lambda arguments: arguments["n"] for name in ("guessed", "capped")}
    assert priced("{ guessed(n: 40) { name } }", SHAPES, **by_n).cost({}) == 1 + 1 + 40
    assert priced("{ capped(n: 40) { name } }", SHAPES, **by_n).cost({}) == 1 + 1 + 3
    assert priced("{ capped(n: 2) { name } }", SHAPES, **by_n).cost({}) == 1 + 1 + 2


@pytest.mark.parametrize(
    "spread",
    [
        "{ users(max: 2) { boss { ...A } } }",
        "{ users(max: 2) { ... on User { boss { ... on User { ...A } } } } }",
        "{ ...B } fragment B on Query { users(max: 2) { ...C } } fragment C on User { boss { ...A } }",
        "{ ... on Query { ...B } } fragment B on Query { users(max: 2) { boss { ...A } } }",
        "{ users(max: 2) { boss { age } } ...B } fragment B on Query { users(max: 2) { boss { ...A } } }",
    ],
)
def test_fragments_cost_what_their_fields_cost_wherever_they_are_spread(spread: str) -> None:
    whole = cost("{ users(max: 2) { boss { name age } } }", EXAMPLE)
    assert cost(spread + " fragment A on User { name age }", EXAMPLE) == whole


def test_variables_that_cannot_change_the_cost_are_known() -> None:
    """Only those that can are part of what a cost is remembered by."""
    query = """query ($n: Int, $text: String, $cheap: Boolean, $skip: Boolean, $in: Boolean, $raw: String) {
      search(raw: $raw, filter: {text: $text}) { name @skip(if: $skip) }
      films(first: $n) @include(if: $in) { edges { name } }
    }"""
    assert priced(query, SHAPES).variables == {"n", "text", "skip", "in"}
    listed = "query ($a: ID, $b: ID, $c: ID) { accounts(ids: [$a, [$b]]) { id } }"
    ids = "type Account { id: ID } type Query { accounts(ids: [[ID]]): [Account] @listSize(assumedSize: 5) }"
    assert priced(listed, ids).variables == {"a", "b"}
    weighed = "query ($cheap: Boolean) { films(first: 1, cheap: $cheap) { count } }"
    assert priced(weighed, EXAMPLE).variables == {"cheap"}
    assert priced("query ($n: Int) { big { x } }", EXAMPLE).variables == frozenset()


@pytest.mark.parametrize("start", ['account(id: "a")', "network"])
def test_a_series_costs_by_its_points(start: str) -> None:
    query = (
        "{ %s { timeSeries(window: {last: {count: %d, unit: HOUR}}, granularity: HOUR)"
        " { points { start } } } }"
    )
    assert cost(query % (start, 50)) - cost(query % (start, 10)) == 40
