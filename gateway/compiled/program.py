"""A compiled operation, and the compiler that keeps one for each operation that is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
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

from gateway.compiled.collecting import Collector, flags_of
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
class Program:
    """One operation, compiled; `plans` are by the values of its flags, `None` for no plan."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Variables
    flags: tuple[str, ...]
    plans: dict[tuple[bool, ...], ObjectOf | None] = field(default_factory=dict)

    def start(
        self, context: OperationContext, given: Mapping[str, Any]
    ) -> Started | ExecutionResult | None:
        """What is to be run, or why it cannot be; `None` for what is left to graphql-core."""
        values = self.variables.coerce(given)
        if isinstance(values, list):
            return ExecutionResult(None, values)
        flags: tuple[Any, ...] = tuple(values.get(name) for name in self.flags)
        if not all(isinstance(each, bool) for each in flags):
            return None
        if flags not in self.plans and len(self.plans) < MAX_PLANS:
            self.plans[flags] = self._plan(flags)
        plan = self.plans.get(flags)
        if plan is None:
            return None
        return Started(plan, Run(context, values, self.variables, given))

    def _plan(self, flags: tuple[bool, ...]) -> ObjectOf | None:
        named = dict(zip(self.flags, flags, strict=True))
        collector = Collector(self.schema, self.fragments, named)
        planner = Planner(collector, self.variables.hide_suggestions)
        query = self.schema.query_type
        assert query is not None
        try:
            return planner.object_of(query, [self.operation.selection_set])
        except UnsupportedError:
            return None


def compile_operation(
    schema: GraphQLSchema, document: DocumentNode, name: str | None, hide_suggestions: bool
) -> Program:
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
    variables = variables_of(schema, operation, hide_suggestions)
    return Program(schema, operation, fragments, variables, flags)


class Left(Enum):
    """Why an operation has no program."""

    ASKED_ONCE = "asked once"
    UNSUPPORTED = "unsupported"


Programs = dict[str | None, Program | Left]
"""A document's programs by operation."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the operations of a schema, each once, into the programs of its document."""

    schema: GraphQLSchema
    hide_suggestions: bool = False

    def program(
        self, document: DocumentNode, name: str | None, programs: Programs
    ) -> Program | None:
        """The operation's program, from the second time on that it is executed.

        One that is not asked again would cost its compiling for nothing.
        """
        known = programs.get(name)
        if known is None:
            programs[name] = Left.ASKED_ONCE
            return None
        if known is Left.ASKED_ONCE:
            try:
                known = compile_operation(self.schema, document, name, self.hide_suggestions)
            except UnsupportedError:
                known = Left.UNSUPPORTED
            programs[name] = known
        return known if isinstance(known, Program) else None
