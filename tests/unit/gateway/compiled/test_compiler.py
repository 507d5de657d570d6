"""When an operation is compiled, how many are kept, and that a mistake in it costs no answer."""

from __future__ import annotations

import asyncio
from io import StringIO

import pytest
from graphql import parse

from gateway import logs
from gateway.caller import EVERYONE
from gateway.compiled import program as programs
from gateway.compiled.collecting import fields_of
from gateway.compiled.compiler import Compiler
from gateway.compiled.inputs import Arguments, Given
from gateway.compiled.program import Program, compile_outline, outline_of
from gateway.compiled.selection import Attribute, ObjectOf, Resolved
from gateway.execution import Operation
from gateway.schema import make_schema
from tests.unit.gateway.compiled.test_differential import Weather, compiled_by, execution

SCHEMA = make_schema().graphql_schema
LIMITS = " ".join(SCHEMA.type_map["Limits"].fields)  # type: ignore[attr-defined]
FLAGGED = "x: limits @skip(if: $a) { maxCost } y: limits @skip(if: $b) { maxCost }"


def wide(aliases: int, operations: int = 1) -> str:
    """Operations that share fragments: many fields out of few tokens."""
    declared = "($a: Boolean!, $b: Boolean!)"
    shared = " ".join(f"a{number}: limits {{ ...L }}" for number in range(aliases))
    each = " ".join(
        f"query O{number}{declared} {{ ...Q {FLAGGED} }}" for number in range(operations)
    )
    return f"{each} fragment Q on Query {{ {shared} }} fragment L on Limits {{ {LIMITS} }}"


def first_compiled(
    compiler: Compiler, text: str, tokens: int, name: str | None = None
) -> int | None:
    """At which execution an operation gets its program."""
    document = parse(text)
    for number in range(1, 20):
        if compiler.program(document, name, text, tokens) is not None:
            return number
    return None


def test_an_operation_is_compiled_when_it_is_asked_a_second_time_and_then_kept() -> None:
    compiler, document = Compiler(SCHEMA), parse("{ limits { maxFirst } }")
    assert compiler.program(document, None, "key", 6) is None
    second = compiler.program(document, None, "key", 6)
    assert isinstance(second, Program)
    assert compiler.program(document, None, "key", 6) is second


def test_the_more_there_is_to_plan_the_more_often_it_is_asked_before() -> None:
    few, many = (
        first_compiled(Compiler(SCHEMA), wide(2), 600),
        first_compiled(Compiler(SCHEMA), wide(18), 600),
    )
    fields = outline_of(parse(wide(18)), None).fields
    assert (few, many) == (2, 2 + fields // 100)
    assert fields > 300


def test_fragments_that_expand_to_far_more_than_was_sent_are_left_to_graphql_core() -> None:
    fields = outline_of(parse(wide(18)), None).fields
    assert first_compiled(Compiler(SCHEMA), wide(18), fields // 2) is not None
    assert first_compiled(Compiler(SCHEMA), wide(18), fields // 2 - 1) is None


def test_fields_are_counted_with_every_spread_of_their_fragments() -> None:
    text = "{ a: limits { ...L ... { maxCost } } b: limits { ...L } } fragment L on Limits { maxFirst }"
    outline = outline_of(parse(text), None)
    assert fields_of(outline.operation.selection_set, outline.fragments) == 5


def test_programs_of_all_operations_share_one_bounded_room() -> None:
    most = 6_000_000
    compiler = Compiler(SCHEMA, max_bytes=most)
    text = wide(4, operations=9)
    for number in range(9):
        for _ in range(2):  # found again, each moves to those that stay
            assert first_compiled(compiler, text, 200, f"O{number}") is not None
    assert 0 < compiler.bytes <= most
    kept = compiler.bytes
    for number in range(20):
        first_compiled(compiler, f"{text} # {number}", 200, "O0")
    assert kept <= compiler.bytes <= most


def test_what_alone_would_fill_the_room_is_not_compiled() -> None:
    assert first_compiled(Compiler(SCHEMA, max_bytes=1_000_000), wide(18), 600) is None


def test_a_program_that_was_pushed_out_is_waited_for_anew() -> None:
    compiler = Compiler(SCHEMA, max_bytes=5 * 240_000)
    first, other = "{ limits { maxFirst } }", "{ limits { maxCost } }"
    assert first_compiled(compiler, first, 200) == 2
    document = parse(other)
    for _ in range(2):
        compiler.program(document, None, other, 200)
    assert first_compiled(compiler, first, 200) == 2


def test_other_flags_are_planned_when_they_have_been_asked_as_often() -> None:
    document, gateway = parse(wide(18)), execution("compiled", Weather(0, 0))
    often, seldom = (
        Operation(document, None, {"a": each, "b": True}, "document", 600) for each in (True, False)
    )
    compiled = compiled_by(gateway, often)
    assert compiled is not None

    async def planned(operation: Operation) -> int:
        await gateway.answer(operation, EVERYONE, "request")
        return len(compiled.plans)

    async def counts() -> list[int]:
        patience = compiled.outline.patience
        return [await planned(often), *[await planned(seldom) for _ in range(patience)]]

    *before, last = asyncio.run(counts())
    assert set(before) == {1}
    assert last == 2


def test_a_fault_of_the_planner_is_logged_once_and_graphql_core_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    document = parse("{ limits { maxFirst } }")
    for broken in ("Planner.object_of", "variables_of"):
        told = StringIO()
        logs.configure("info", told)
        with monkeypatch.context() as patch:
            patch.setattr(f"{programs.__name__}.{broken}", fail)
            gateway = execution("compiled", Weather(0, 0))
            operation = Operation(document, None, {}, "document", 6)
            for _ in range(4):
                outcome = asyncio.run(gateway.answer(operation, EVERYONE, "request"))
                assert outcome.content == b'{"data":{"limits":{"maxFirst":100}}}'
        assert told.getvalue().count("ing failed") == 1


def fields_in(made: ObjectOf) -> dict[str, Attribute]:
    return {each.key: each for each in made.fields if isinstance(each, Attribute)}


def test_only_what_is_executed_by_itself_gets_a_function_of_its_own() -> None:
    text = '{ account(id: "alice") { id } limits { maxFirst maxCost } }'
    gateway = execution("compiled", Weather(0, 0))
    operation = Operation(parse(text), None, {}, "document", 20)
    compiled = compiled_by(gateway, operation)
    assert compiled is not None
    asyncio.run(gateway.answer(operation, EVERYONE, "request"))
    whole = compiled.plans[()]
    assert whole is not None
    limits = next(each for each in whole.fields if each.key == "limits")
    assert isinstance(limits, Resolved)
    assert limits.quick is not None
    inner = limits.slot.completion
    assert isinstance(inner, ObjectOf)
    assert [each.quick for each in fields_in(inner).values()] == [None, None]


def test_a_value_that_only_the_compiled_way_refuses_never_reaches_a_resolver() -> None:
    text = "query Q($id: ID!) { account(id: $id) { id } }"
    outline = outline_of(parse(text), None)
    compiled = compile_outline(SCHEMA, outline, hide_suggestions=False)
    field = SCHEMA.query_type.fields["account"]  # type: ignore[union-attr]
    (node,) = outline.operation.selection_set.selections
    given = Given("id", node.arguments[0].value, field.args["id"].type, "other", True, None, None)  # type: ignore[attr-defined]
    arguments = Arguments(field, node, {}, (given,), False)  # type: ignore[arg-type]
    whole = compiled._variables.whole({"id": "alice"})
    with pytest.raises(TypeError, match="the argument id does not fit"):
        arguments.of({"id": "alice"}, lambda: whole)
