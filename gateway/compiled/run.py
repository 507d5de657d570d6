"""One execution under way: what it knows, and what has gone wrong so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from graphql import FieldNode, located_error
from graphql.execution.executor import CollectedErrors
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, gather_with_cancel

from gateway.compiled.inputs import Variables
from gateway.context import OperationContext

Later = partial
"""A result that is still to be awaited: called once, or never; dropping it costs nothing."""


class FieldInfo(NamedTuple):
    """What a resolver of this schema may ask of `strawberry.Info`."""

    context: OperationContext
    path: Path


class Run:
    """The state of one execution."""

    __slots__ = ("_given", "_variables", "_whole", "collected", "context", "values")

    def __init__(
        self,
        context: OperationContext,
        values: Mapping[str, Any],
        variables: Variables,
        given: Mapping[str, Any],
    ) -> None:
        self.context = context
        self.values = values
        self.collected = CollectedErrors()
        self._variables = variables
        self._given = given
        self._whole: VariableValues | None = None

    def whole(self) -> VariableValues:
        """The variables with their sources: for errors only."""
        if self._whole is None:
            self._whole = self._variables.whole(self._given)
        return self._whole

    def failed(
        self, error: Exception, nodes: Sequence[FieldNode], path: Path, *, nullable: bool
    ) -> None:
        """Tell an error at its place; raises it to the place above where there can be no null."""
        located = located_error(error, nodes, path.as_list())
        if not nullable:
            raise located
        self.collected.add(located, path)


async def together(results: Any, pending: Sequence[Any]) -> Any:
    """A dict or list whose values at `pending` are awaited, at the same time."""
    if len(pending) == 1:
        results[pending[0]] = await results[pending[0]]()
        return results
    awaited = await gather_with_cancel(*(results[each]() for each in pending))
    for each, result in zip(pending, awaited, strict=True):
        results[each] = result
    return results
