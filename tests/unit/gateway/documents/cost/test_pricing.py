"""What operations cost by the specification's rules: its examples, fragments, conditions, abstract types."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import pytest
from graphql import DirectiveNode

from gateway.documents.cost.pricing import Estimate, _Walk
from tests.unit.gateway.documents.cost.priced import EXAMPLE, cost, price


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


def test_variables_count_as_what_the_execution_makes_of_them() -> None:
    query = "query ($n: Int = 4) { users(max: $n) { name } }"
    assert cost(query, EXAMPLE) == 1 + 1 + 4
    assert cost(query, EXAMPLE, n=9) == 1 + 1 + 9
    assert cost(query, EXAMPLE, n=9.0) == 1 + 1 + 9
    assert cost(query, EXAMPLE, n=None) == 1 + 1 + 1
    loose = "query ($n: Int) { users(max: $n) { name } }"
    assert cost(loose, EXAMPLE) == cost(loose, EXAMPLE, n=None) == 1 + 1 + 1


DEFAULTED = """
type Row { name: String }
input Page { size: Int = 6 }
type Query {
  rows(first: Int! = 7): [Row] @listSize(slicingArguments: ["first"])
  paged(page: Page = {}, dear: Boolean = true @cost(weight: "20")): Row
}
"""


def test_an_absent_argument_is_priced_by_the_schemas_default_and_null_as_what_fails() -> None:
    query = "query ($n: Int = 3) { rows(first: $n) { name } }"
    assert cost("{ rows { name } }", DEFAULTED) == 1 + 1 + 7
    assert cost(query, DEFAULTED) == 1 + 1 + 3
    # The argument may not be null: the field is an error, and no row is read.
    assert price(query, DEFAULTED, n=None)[:2] == (1 + 1, 1)
    without = "query ($n: Int!) { rows { name } other: rows(first: $n) { name } }"
    assert cost(without, DEFAULTED, n=2) == 1 + (1 + 7) + (1 + 2)
    absent = "query ($dear: Boolean) { paged(dear: $dear) { name } }"
    assert cost(absent, DEFAULTED) == 1 + 1 + 1 + 1 + 20  # with one for the page
    assert cost(absent, DEFAULTED, dear=None) == 1 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("@include(if: $b)", True),
        ("@skip(if: $b)", False),
        ("@include(if: false)", False),
        ("@skip(if: false)", True),
        ("@include(if: $b) @skip(if: true)", False),
        ("@include(if: $b) @skip(if: $b)", False),
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


def test_an_estimate_stands_before_what_the_schema_assumes() -> None:
    own: dict[tuple[str, str], Estimate] = {
        ("Query", name): lambda arguments: int(arguments["n"]) for name in ("guessed", "capped")
    }
    assert price("{ guessed(n: 40) { name } }", SHAPES, own).points == 1 + 1 + 40
    assert price("{ capped(n: 40) { name } }", SHAPES, own).points == 1 + 1 + 40
    assert price("{ capped(n: 2) { name } }", SHAPES, own).points == 1 + 1 + 2


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


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("{ users(max: 5) { name } }", 5 * 2),
        ("{ users(max: 0) { name } }", 0),
        ("{ users(max: 5) { a: name b: name name age boss { name } } }", 5 * (1 + 4 + 2)),
        ("{ top }", 10),
        ("{ films(first: 3) { count edges { node { title } } } }", 1 + 1 + 3 * (1 + 1 + 1)),
        ("{ __typename users(max: 1) @skip(if: true) { name } }", 1),
    ],
)
def test_the_values_that_an_answer_can_hold_are_counted(query: str, values: int) -> None:
    assert price(query, EXAMPLE).values == values


def test_below_an_interface_each_type_is_priced_by_its_own_fields() -> None:
    text = """
    interface Node { id: ID }
    type Cheap implements Node { id: ID name: String }
    type Dear implements Node { id: ID  list(n: Int): [Cheap] @listSize(slicingArguments: ["n"]) }
    type Query { node: Node  all: [Node] @listSize(assumedSize: 2) }
    """
    assert price("{ node { id ... on Cheap { name } } }", text)[:2] == (1 + 1 + 1, 3)
    dear = (
        "{ node { id ... on Cheap { name } ...D } } fragment D on Dear { list(n: 4) { id name } }"
    )
    assert price(dear, text)[:2] == (1 + 1 + 1 + 1 + 4, 1 + 1 + 4 * 3)
    both = "{ all { ... on Node { id } ... on Dear { list(n: 1) { id } } ... on Dear { id } } }"
    assert price(both, text)[:2] == (1 + 1 + 2 * (1 + 1 + 1), 2 * (1 + 1 + 2))


def nested(depth: int, spreads: int) -> str:
    """Conditions within conditions, with fragments inside."""
    inner = " ".join("...F" for _ in range(spreads))
    for _ in range(depth):
        inner = "... @include(if: $t) { %s }" % inner
    return (
        "query ($t: Boolean!) { __typename %s } fragment F on Query { users(max: 1) { name } }"
        % inner
    )


def test_what_is_left_out_is_not_even_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost(nested(19, 95), EXAMPLE, t=True) == 1 + 1 + 1
    looked: list[str] = []
    holds = _Walk._holds

    def counted(walk: _Walk, directive: DirectiveNode) -> bool:
        looked.append(directive.name.value)
        return holds(walk, directive)

    monkeypatch.setattr(_Walk, "_holds", counted)
    assert cost(nested(19, 95), EXAMPLE, t=False) == 1
    assert looked == ["include"]
