"""How a value becomes its part of the response: CompleteValue of GraphQL, one class a kind of type.

Section 6.4.3 of the specification, with the words and the order of graphql-core. Each completion has
two ways: `complete`, which knows where it is, and, if it is `plain`, an `expression` that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import FieldNode, GraphQLEnumType, GraphQLError, GraphQLLeafType, Undefined
from graphql.execution.executor import Executor
from graphql.pyutils import Path, is_iterable

from gateway.compiled.quick import Source
from gateway.compiled.run import Later, Run, together

_SEQUENCES = (list, tuple)


class Completion(Protocol):
    """From a value, which is not null, to the response."""

    @property
    def plain(self) -> bool:
        """Whether there is no resolver below."""
        ...

    def complete(self, run: Run, value: Any, path: Path) -> Any:
        """The completed value, or a `Later`; raises what is wrong with it."""
        ...

    def expression(self, source: Source, value: str) -> str:
        """The same in source code, for the value of a name; asked for only where all is plain."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes: a field, or an item of its list. `coordinate` is the field's."""

    completion: Completion
    nullable: bool
    nodes: Sequence[FieldNode]
    coordinate: str

    def complete(self, run: Run, value: Any, path: Path) -> Any:
        """The completed value, or a `Later`; raises only where there may be no null."""
        try:
            completed = self._completed(run, value, path)
        except Exception as error:  # noqa: BLE001 # whatever it is, it is told at its place
            return self.failed(run, error, path)
        if type(completed) is Later:
            return Later(self._guarded, run, completed, path)
        return completed

    def failed(self, run: Run, error: Exception, path: Path) -> None:
        """Null, and an error that tells why; or the error raised."""
        run.failed(error, self.nodes, path, nullable=self.nullable)

    def expression(self, source: Source, value: str) -> str:
        """The same in source code."""
        if not self.nullable and isinstance(self.completion, Leaf) and self.completion.refuses_null:
            return self.completion.expression(source, value)
        name = value if value.isidentifier() else source.fresh()
        bound = value if value == name else f"({name} := {value})"
        otherwise = "None" if self.nullable else "fail()"
        # Python evaluates the condition first, which binds the name.
        return (
            f"({self.completion.expression(source, name)} if {bound} is not None else {otherwise})"
        )

    def _completed(self, run: Run, value: Any, path: Path) -> Any:
        if isinstance(value, Exception):
            raise value
        if value is not None and value is not Undefined:
            return self.completion.complete(run, value, path)
        if not self.nullable:
            raise TypeError(f"Cannot return null for non-nullable field {self.coordinate}.")
        return None

    async def _guarded(self, run: Run, completed: Callable[[], Any], path: Path) -> Any:
        try:
            return await completed()
        except Exception as error:  # noqa: BLE001 # as above
            return self.failed(run, error, path)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or an enum."""

    type: GraphQLLeafType
    serialise: Callable[[Any], Any]
    refuses_null: bool

    @property
    def plain(self) -> bool:
        """No field is below it."""
        return True

    def complete(self, _run: Run, value: Any, _path: Path) -> Any:
        """The serialised value."""
        return Executor.complete_leaf_value(self.type, value)

    def expression(self, source: Source, value: str) -> str:
        """A call of the serialiser."""
        return f"{source.name(self.serialise)}({value})"


def leaf(type_: GraphQLLeafType) -> Leaf:
    """The completion of a leaf type."""
    serialise: Callable[[Any], Any] = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType):
        # By member: what is none is looked at with care.
        members = {type_.coerce_input_value(name): name for name in type_.values}
        serialise = members.__getitem__
    try:
        serialise(None)
    except Exception:  # noqa: BLE001 # any refusal will do
        return Leaf(type_, serialise, refuses_null=True)
    return Leaf(type_, serialise, refuses_null=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, each item completed."""

    item: Slot

    @property
    def plain(self) -> bool:
        """As its items are."""
        return self.item.completion.plain

    def complete(self, run: Run, value: Any, path: Path) -> Any:
        """The completed items."""
        if not is_iterable(value):
            raise GraphQLError(
                f"Expected Iterable, but did not find one for field '{self.item.coordinate}'."
            )
        items = [self.item.complete(run, each, path.add_key(n)) for n, each in enumerate(value)]
        pending = [n for n, each in enumerate(items) if type(each) is Later]
        return Later(together, items, pending) if pending else items

    def expression(self, source: Source, value: str) -> str:
        """A comprehension over a list or tuple; whatever else there is, is looked at with care."""
        each = source.fresh()
        items = f"[{self.item.expression(source, each)} for {each} in {value}]"
        is_sequence = f"{source.name(isinstance)}({value}, {source.name(_SEQUENCES)})"
        return f"({items} if {is_sequence} else fail())"
