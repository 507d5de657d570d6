"""Our walk over a document finds what graphql-core's own validation finds."""

from __future__ import annotations

import gc

import pytest
from graphql import GraphQLError, build_schema, parse, validate

from gateway.documents import validation
from gateway.errors import DocumentRefusedError
from gateway.execution.schema import make_schema
from gateway.settings import Settings
from gateway.wiring.documents import make_preparation
from tests.hostile_documents import documents

SCHEMA = make_schema().graphql_schema
ANIMALS = build_schema("""
interface Pet { name(loud: Boolean): String  friend: Pet }
type Dog implements Pet { name(loud: Boolean): String  friend: Pet  age: Int  tag: String!  toys: [String] }
type Cat implements Pet { name(loud: Boolean): String  friend: Pet  age: String  lives: Int  tag: String  toys: String }
type Query { pet: Pet  dog: Dog  one: Int  two: Int  many: [Int] }
""")


@pytest.mark.parametrize(
    ("query", "valid"),
    [
        ("{ one one }", True),
        ("{ x: one x: two }", False),
        ("{ x: one ... { x: two } }", False),
        ("{ x: one ...F } fragment F on Query { x: two }", False),
        ("{ dog { name(loud: true) name(loud: false) } }", False),
        ("{ dog { name(loud: true) name } }", False),
        ("query ($a: Boolean) { dog { name(loud: $a) name(loud: $a) } }", True),
        ("{ dog { age } dog { tag } }", True),
        ("{ dog { x: age } dog { x: name } }", False),
        ("{ dog { friend { x: name } } dog { friend { x: name(loud: true) } } }", False),
        ("{ pet { ... on Dog { x: name } ... on Cat { x: tag } } }", True),
        ("{ pet { ... on Dog { x: age } ... on Cat { x: age } } }", False),
        ("{ pet { ... on Dog { x: tag } ... on Cat { x: tag } } }", False),
        ("{ pet { ... on Dog { toys } ... on Cat { toys } } }", False),
        ("{ pet { ... on Dog { x: age } ... on Cat { x: lives } } }", True),
        ("{ pet { x: name ... on Dog { x: tag } } }", False),
        ("{ pet { name ... on Dog { name(loud: true) } } }", False),
        ("{ pet { ... on Dog { name } ... on Cat { name(loud: true) } } }", True),
        ("{ pet { ... on Dog { name } ... on Cat { name(loud: true) } name } }", False),
        ("{ dog { friend { name } } dog { friend { x: name } } }", True),
        ("{ x: dog { age } x: pet { name } }", False),
        ("{ x: one x: many }", False),
        ("{ x: one x: dog { age } }", False),
    ],
)
def test_fields_merge_as_the_specification_says(query: str, valid: bool) -> None:
    assert (validate(ANIMALS, parse(query)) == []) is valid
    assert (validation.validate(ANIMALS, parse(query), 5) == ()) is valid


def test_it_finds_what_stock_validation_finds() -> None:
    preparation = make_preparation(Settings(max_tokens=200))
    compared = 0
    for kind, text in documents(seed=11, number=1_500):
        try:
            prepared = preparation.prepare(text)
            document = parse(text)
        except (DocumentRefusedError, GraphQLError):
            continue
        stock = [each.message for each in validate(SCHEMA, document)]
        ours = [each.message for each in prepared.errors]
        assert bool(ours) is bool(stock), (kind, text, stock, ours)
        if ours and "conflict" not in ours[0]:
            assert set(ours) <= set(stock), (kind, text)
        compared += 1
    assert compared > 150


def test_errors_stop_at_the_given_number() -> None:
    query = "{ " + " ".join(f"x{n}" for n in range(50)) + " }"
    assert len(validation.validate(SCHEMA, parse(query), 5)) == 5


def test_without_introspection_nothing_is_described_or_suggested() -> None:
    def messages(query: str, introspection: bool) -> str:
        errors = validation.validate(SCHEMA, parse(query), 5, introspection=introspection)
        return " ".join(each.message for each in errors)

    assert "Did you mean" in messages("{ limits { maxFirs } }", True)
    assert "Did you mean" not in messages("{ limits { maxFirs } }", False)
    assert messages("{ __schema { types { name } } }", True) == ""
    assert "introspection" in messages("{ __schema { types { name } } }", False)
    assert messages("{ __typename }", False) == ""


@pytest.mark.parametrize(
    "query",
    [
        '{ account(id: "a") { totals(window: {last: $undefined}) { exact } } }',
        (
            "fragment F on Account { totals(window: {calendar: $c}) { exact } } "
            'query ($c: CalendarPeriod!) { account(id: "a") { ...F } }'
        ),
        '{ account(id: "a") { totals(window: {}) { exact } } }',
        '{ account(id: "a") { totals(window: {last: null}) { exact } } }',
    ],
)
def test_a_window_in_one_way_is_checked_by_the_rules(query: str) -> None:
    expected = validate(SCHEMA, parse(query))
    assert bool(validation.validate(SCHEMA, parse(query), 5)) is bool(expected)


@pytest.mark.parametrize(
    "query",
    [
        "{ limits { maxFirst maxCost } }",
        "query Q($id: ID!) { account(id: $id) { id ...F } } fragment F on Account { id }",
        "{ nonsense(x: $y) another }",
        "{ limits { x: maxFirst x: maxCost } }",
        "{ limits { maxFirst maxCost",
    ],
)
def test_a_dropped_document_is_gone_without_the_garbage_collector(query: str) -> None:
    """Else each one waits, whole, for a pass that stops every request."""
    preparation = make_preparation(Settings())
    preparation.check(query)  # what is made once
    gc.collect()
    gc.disable()
    try:
        preparation.check(query)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "query", ["{ account(id: 5.5) { id } }", "{ limits @skip(if: 3) { maxCost } }"]
)
def test_what_a_literal_was_refused_for_holds_nothing_of_the_validation(query: str) -> None:
    prepared = make_preparation(Settings()).check(query)
    assert prepared.errors
    for error in prepared.errors:
        assert error.__traceback__ is None
        assert error.original_error is None or error.original_error.__traceback__ is None
