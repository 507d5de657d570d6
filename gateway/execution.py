"""The core: one operation of one caller, executed; knows neither HTTP nor the cache."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute
from strawberry.execution import optimized_is_awaitable

from gateway import error_format
from gateway.caller import Caller
from gateway.compiled.compiler import Compiler
from gateway.compiled.program import Started
from gateway.context import OperationContext
from gateway.error_format import Stage
from gateway.errors import OverloadedError, StoreError
from gateway.outcome import Outcome, Work, encode, of_errors, overloaded
from gateway.response_cache import ages

MakeContext = Callable[[str, Caller, bool], OperationContext]
"""A fresh context for a request id and a caller; and whether reversals may be asked for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What to execute: a valid document, one of its operations, and the variables as they came.

    `key` stands for the document, `tokens` is its length.
    """

    document: DocumentNode
    name: str | None
    variables: dict[str, Any] | None
    key: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Execution:
    """Executes operations over the analytics of their context."""

    schema: GraphQLSchema
    make_context: MakeContext
    compiler: Compiler | None
    hide_suggestions: bool = False

    async def answer(self, operation: Operation, caller: Caller, request_id: str) -> Outcome:
        """What becomes of one operation; its store queries end with it, however it ends."""
        context = self.make_context(request_id, caller, _may_ask_reversals(operation.document))
        try:
            result = await self._result(operation, context)
        finally:
            await context.analytics.store.close()
        return _outcome_of(result, context)

    async def _result(self, operation: Operation, context: OperationContext) -> ExecutionResult:
        program = self.compiler and self.compiler.program(
            operation.document, operation.name, operation.key, operation.tokens
        )
        started = program and program.start(context, operation.variables or {})
        if isinstance(started, Started):
            return await started.result()
        return started or await self._interpreted(operation, context)

    async def _interpreted(
        self, operation: Operation, context: OperationContext
    ) -> ExecutionResult:
        running = execute(
            self.schema,
            operation.document,
            context_value=context,
            variable_values=operation.variables,
            operation_name=operation.name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # a bool that guards
            hide_suggestions=self.hide_suggestions,
        )
        return await running if inspect.isawaitable(running) else running


def _may_ask_reversals(document: DocumentNode) -> bool:
    """Whether a document may select `reversals`: a name stands in its text as it is.

    Totals are asked for before the fields below them are known, and both come out of one query.
    """
    return document.loc is None or "reversals" in document.loc.source.body


def _outcome_of(result: ExecutionResult, context: OperationContext) -> Outcome:
    store = context.analytics.store
    accounts, caller = tuple(sorted(context.accounts)), context.analytics.caller.subject
    work = Work(accounts, store.queries, store.seconds, caller)
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
            field_class=ages.class_of(answered, as_of_ms),
            group="\n".join(work.accounts).encode(),
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
