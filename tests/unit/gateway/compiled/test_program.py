"""What is compiled, when, and what is left to graphql-core: decided before anything runs."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest
from graphql import parse

from gateway.caller import EVERYONE
from gateway.compiled.program import MAX_FLAGS, MAX_PLANS, Program, compile_outline, outline_of
from gateway.compiled.unsupported import UnsupportedError
from gateway.execution import Operation
from gateway.schema import make_schema
from tests.generated_operations import Generated
from tests.unit.gateway.compiled.test_differential import Weather, answered, compiled_by, execution

SCHEMA = make_schema().graphql_schema
CALM = Weather(0, 0)


def program(text: str, name: str | None = None) -> Program:
    return compile_outline(SCHEMA, outline_of(parse(text), name), hide_suggestions=False)


def test_each_operation_of_a_document_has_its_own_program() -> None:
    text = "query A { limits { maxFirst } } query B { network { __typename } }"
    assert program(text, "A").outline.operation is not program(text, "B").outline.operation


def test_as_many_flags_as_may_be_are_compiled_one_plan_each_time() -> None:
    names = [f"c{number}" for number in range(MAX_FLAGS + 1)]

    def text(of: list[str]) -> str:
        fields = " ".join(f"{name}: maxFirst @include(if: ${name})" for name in of)
        declared = ", ".join(f"${name}: Boolean!" for name in of)
        return f"query Q({declared}) {{ limits {{ {fields} }} }}"

    given = dict.fromkeys(names[:-1], True)
    outcome, compiled = answered("compiled", Generated(text(names[:-1]), given), CALM, EVERYONE)
    assert not outcome.codes
    assert isinstance(compiled, Program)
    assert list(compiled.plans) == [(True,) * MAX_FLAGS]
    with pytest.raises(UnsupportedError, match="variables in conditions"):
        program(text(names))


def test_no_more_plans_are_kept_than_may_be_and_the_rest_is_answered_all_the_same() -> None:
    fields = " ".join(f"{name}: maxFirst @include(if: ${name})" for name in "abc")
    text = f"query Q($a: Boolean!, $b: Boolean!, $c: Boolean!) {{ limits {{ maxDepth {fields} }} }}"
    document, gateway = parse(text), execution("compiled", CALM)
    ways = [dict(zip("abc", each, strict=True)) for each in product([True, False], repeat=3)]
    operations = [Operation(document, None, each, "document", 100) for each in ways]
    compiled = compiled_by(gateway, operations[0])

    async def answers() -> list[bytes | None]:
        for each in operations:
            await gateway.answer(each, EVERYONE, "request")
        outcomes = [await gateway.answer(each, EVERYONE, "request") for each in operations]
        return [each.content for each in outcomes]

    found = asyncio.run(answers())
    assert len(set(found)) == 8
    assert found[-1] == b'{"data":{"limits":{"maxDepth":12}}}'
    assert isinstance(compiled, Program)
    assert len(compiled.plans) == MAX_PLANS


@pytest.mark.parametrize(
    "text", ["{ __schema { types { name } } }", '{ __type(name: "ID") { name } }']
)
def test_introspection_is_left_to_graphql_core(text: str) -> None:
    outcome, compiled = answered("compiled", Generated(text, {}), CALM, EVERYONE)
    assert isinstance(compiled, Program)
    assert list(compiled.plans.values()) == [None]
    expected, _ = answered("graphql-core", Generated(text, {}), CALM, EVERYONE)
    assert outcome.content == expected.content
    assert b'"name"' in (outcome.content or b"")


def test_the_setting_leaves_everything_to_graphql_core() -> None:
    text = Generated("{ limits { maxFirst } }", {})
    outcome, compiled = answered("graphql-core", text, CALM, EVERYONE)
    assert compiled is None
    assert outcome.content == b'{"data":{"limits":{"maxFirst":100}}}'


@pytest.mark.parametrize(
    "text",
    [
        "query Q @skip(if: true) { limits { maxFirst } }",
        "{ limits { maxFirst @unknown } }",
        "mutation { limits }",
    ],
)
def test_what_is_not_understood_is_not_compiled(text: str) -> None:
    with pytest.raises(UnsupportedError):
        program(text)
