"""One operation, compiled: a plan for each way in which its conditions come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)

from gateway import logs
from gateway.compiled.collecting import Collector, fields_of, flags_of
from gateway.compiled.inputs import Variables, variables_of
from gateway.compiled.planning import Planner
from gateway.compiled.run import Later, Run
from gateway.compiled.selection import ObjectOf
from gateway.compiled.unsupported import UnsupportedError
from gateway.context import OperationContext

MAX_FLAGS = 4
"""Variables in conditions; each doubles the ways in which an operation may be asked."""

MAX_PLANS = 4
"""Plans kept of one operation; under other flags it is left to graphql-core."""

FIELDS_A_TIME = 100
"""Planning a field takes 12 to 35 µs, and spares 4 or more at each execution."""


@dataclass(frozen=True, slots=True)
class Started:
    """A plan about to be run."""

    plan: ObjectOf
    run: Run

    async def result(self) -> ExecutionResult:
        """The response's data, and what went wrong."""
        collected = self.run.collected
        try:
            data = self.plan.complete(self.run, None, None)
            if type(data) is Later:
                data = await data()
        except GraphQLError as error:
            collected.add(error, None)
            data = None
        return ExecutionResult(data, collected.errors or None)


@dataclass(frozen=True, slots=True)
class Outline:
    """An operation before it is planned: what it depends on, and `fields`, how much it may come to."""

    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    flags: tuple[str, ...]
    fields: int

    @property
    def patience(self) -> int:
        """At which execution planning pays."""
        return 2 + self.fields // FIELDS_A_TIME

    @property
    def most_planned(self) -> int:
        """Fields in all the plans that may be kept."""
        return self.fields * min(MAX_PLANS, 1 << len(self.flags))


class Program:
    """One operation, compiled; `plans` are by the values of its flags, `None` for no plan."""

    def __init__(self, schema: GraphQLSchema, outline: Outline, variables: Variables) -> None:
        self.outline = outline
        self.plans: dict[tuple[bool, ...], ObjectOf | None] = {}
        self._schema = schema
        self._variables = variables
        self._asked: dict[tuple[bool, ...], int] = {}

    def start(
        self, context: OperationContext, given: Mapping[str, Any]
    ) -> Started | ExecutionResult | None:
        """What is to be run, or why it cannot be; `None` for what is left to graphql-core."""
        values = self._variables.coerce(given)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        flags: tuple[Any, ...] = tuple(values.get(name) for name in self.outline.flags)
        if not all(isinstance(each, bool) for each in flags):
            return None
        if flags not in self.plans and len(self.plans) < MAX_PLANS and self._pays(flags):
            self.plans[flags] = self._plan(flags)
        plan = self.plans.get(flags)
        if plan is None:
            return None
        return Started(plan, Run(context, values, self._variables, given))

    def _pays(self, flags: tuple[bool, ...]) -> bool:
        # The operation has been waited for before it came here; other flags are waited for again.
        asked = self._asked[flags] = self._asked.get(flags, 0) + 1
        return not self.plans or asked >= self.outline.patience

    def _plan(self, flags: tuple[bool, ...]) -> ObjectOf | None:
        named = dict(zip(self.outline.flags, flags, strict=True))
        collector = Collector(self._schema, self.outline.fragments, named)
        planner = Planner(collector, self._variables.hide_suggestions)
        query = self._schema.query_type
        assert query is not None
        try:
            return planner.object_of(query, [self.outline.operation.selection_set])
        except UnsupportedError:
            return None
        except Exception as error:  # noqa: BLE001 # graphql-core can still answer
            logs.logger().error("planning failed", exc_info=error)
            return None


def outline_of(document: DocumentNode, name: str | None) -> Outline:
    """One operation of a valid document; raises `UnsupportedError`."""
    operation = get_operation_ast(document, name)
    if operation is None or operation.operation is not OperationType.QUERY or operation.directives:
        raise UnsupportedError("what is no query, or has directives")
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    flags = flags_of(operation.selection_set, fragments)
    if len(flags) > MAX_FLAGS:
        raise UnsupportedError(f"{len(flags)} variables in conditions")
    return Outline(operation, fragments, flags, fields_of(operation.selection_set, fragments))


def compile_outline(schema: GraphQLSchema, outline: Outline, hide_suggestions: bool) -> Program:
    """The operation's program, which has no plan yet; raises `UnsupportedError`."""
    variables = variables_of(schema, outline.operation, hide_suggestions)
    return Program(schema, outline, variables)
