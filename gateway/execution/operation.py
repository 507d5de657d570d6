"""The core: one operation of one caller, executed; knows neither HTTP nor the cache."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor, VariableValues
from graphql.execution.collect_fields import FragmentDetails
from strawberry.execution import optimized_is_awaitable

from gateway.access.caller import Caller
from gateway.analytics.field_class import class_of
from gateway.analytics.questions import Apart
from gateway.errors import OverloadedError, StoreError
from gateway.execution import error_format
from gateway.execution.context import OperationContext
from gateway.execution.error_format import Stage
from gateway.execution.executor import GatewayExecutor
from gateway.execution.outcome import Outcome, Work, encode, of_errors, overloaded
from gateway.process import beside
from gateway.store.overload.party import Party

MakeContext = Callable[[str, Caller, Party, Apart], OperationContext]
"""A fresh context for a request id, a caller and who pays; and where reversals may be asked for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What to execute: one operation of a valid document, and its coerced variables.

    `is_large`: its execution would hold the event loop.
    """

    document: DocumentNode
    node: OperationDefinitionNode
    values: VariableValues
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Execution:
    """Executes operations over the analytics of their context."""

    schema: GraphQLSchema
    make_context: MakeContext
    hide_suggestions: bool = False
    executor: type[Executor[None]] = GatewayExecutor

    async def answer(
        self, operation: Operation, caller: Caller, party: Party, request_id: str
    ) -> Outcome:
        """What becomes of one operation; its store queries end with it, however it ends."""
        context = self.make_context(request_id, caller, party, _apart(operation.document))
        if not operation.is_large:
            return await self._answered(operation, context)
        context.store.leave()
        return await beside.run(self._answered(operation, context))

    async def _answered(self, operation: Operation, context: OperationContext) -> Outcome:
        try:
            result = await self._result(operation, context)
        finally:
            await context.store.close()
        return replace(_outcome_of(result, context), true_for_s=context.analytics.true_for_s)

    async def _result(self, operation: Operation, context: OperationContext) -> ExecutionResult:
        fragments = {
            each.name.value: each
            for each in operation.document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        executor = self.executor(
            schema=self.schema,
            fragment_definitions=fragments,
            fragments={name: FragmentDetails(each, None) for name, each in fragments.items()},
            root_value=None,
            context_value=context,
            operation=operation.node,
            variable_values=operation.values,
            field_resolver=default_field_resolver,
            type_resolver=default_type_resolver,
            subscribe_field_resolver=default_field_resolver,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # a bool that guards
            hide_suggestions=self.hide_suggestions,
        )
        running: Any = executor.execute_operation()
        result: ExecutionResult = await running if inspect.isawaitable(running) else running
        return result


def _apart(document: DocumentNode) -> Apart:
    """Where a document may select what needs transfers and reversals apart: names stand in its text as they are.

    Answers are asked for before the fields below them are known, and both come out of one query.
    """
    if document.loc is None:
        return Apart(totals=True, series=True)
    text = document.loc.source.body
    reversals = "reversals" in text
    return Apart(totals=reversals or "averageAmount" in text, series=reversals)


def _outcome_of(result: ExecutionResult, context: OperationContext) -> Outcome:
    store = context.store
    work = Work(store.queries, store.seconds)
    extensions = context.extensions()
    if not result.errors:
        content = encode({"data": result.data})
        if extensions:
            return Outcome(content, extensions=extensions, work=work)
        answered = store.answered
        as_of_ms = min((each.as_of_ms for each in answered.values()), default=0)
        return Outcome(
            content,
            work=work,
            field_class=class_of(answered, as_of_ms),
            age_s=max((each.age_s for each in answered.values()), default=0.0),
            group="\n".join(sorted(context.accounts)).encode("utf-8", "surrogatepass"),
        )
    for error in result.errors:
        cause = error_format.root_cause(error)
        if isinstance(cause, OverloadedError):
            return overloaded(cause)
    # Without a path no field has run: a request error, whose response has no data at all.
    has_data = result.data is not None or any(each.path is not None for each in result.errors)
    stage = Stage.FIELDS if has_data else Stage.VARIABLES
    shown = [error_format.shown(each, stage) for each in result.errors]
    return of_errors(
        shown,
        data=result.data,
        has_data=has_data,
        extensions=extensions,
        status=200 if has_data else 400,
        work=work,
        store_failed=any(isinstance(each.cause, StoreError) for each in shown),
    )
