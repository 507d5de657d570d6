"""The fields that an object is asked for, executed: ExecuteSelectionSet and ExecuteField of GraphQL.

Sections 6.3 and 6.4 of the specification, with the steps of graphql-core: what is synchronous is
done first, in the document's order, and what is not starts together. Plans to be asked in one step
of the execution meet in one query, so the steps matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLError
from graphql.pyutils import Path, inspect

from gateway.compiled.completion import Slot
from gateway.compiled.inputs import Arguments
from gateway.compiled.quick import Quick, Source
from gateway.compiled.run import FieldInfo, Later, Run, together


@dataclass(frozen=True, slots=True)
class Constant:
    """`__typename`: known before."""

    key: str
    value: str
    plain = True

    def execute(self, _run: Run, _source: Any, _above: Path | None) -> Any:
        """The value."""
        return self.value

    def expression(self, _source: Source, _value: str) -> str:
        """The value as source code."""
        return repr(self.value)


@dataclass(slots=True)
class Attribute:
    """A field that is read from its object.

    `quick` does so where all below it is plain. It is made when this field is first executed by
    itself: most are part of what is around them, and a function of its own takes 800 bytes.
    """

    key: str
    parent: str
    name: str
    slot: Slot
    quick: Quick | None = None
    _undecided: bool = True

    @property
    def plain(self) -> bool:
        """Whether there is no resolver below."""
        return self.slot.completion.plain

    def execute(self, run: Run, source: Any, above: Path | None) -> Any:
        """The completed value, or a `Later`."""
        if self._undecided:
            self._decide()
        if self.quick is not None:
            try:
                return self.quick(source)
            except Exception:  # noqa: BLE001, S110 # told below, with its path and place
                pass
        path = Path(above, self.key, self.parent)
        try:
            value = getattr(source, self.name)
        except Exception as error:  # noqa: BLE001 # whatever it is, it is told at its place
            return self.slot.failed(run, error, path)
        return self.slot.complete(run, value, path)

    def expression(self, source: Source, value: str) -> str:
        """The attribute's value, completed in source code."""
        return self.slot.expression(source, f"{value}.{self.name}")

    def _decide(self) -> None:
        self._undecided = False
        if self.plain:
            self.quick = quick_of(self.slot, f"{{}}.{self.name}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field with a resolver; `quick` completes its value where all below it is plain."""

    key: str
    parent: str
    resolve: Callable[..., Any]
    info_name: str | None
    is_async: bool
    arguments: Arguments
    slot: Slot
    quick: Quick | None
    plain = False

    def execute(self, run: Run, source: Any, above: Path | None) -> Any:
        """The completed value, or a `Later`."""
        path = Path(above, self.key, self.parent)
        try:
            arguments = self.arguments.of(run.values, run.whole)
            if self.info_name is not None:
                arguments[self.info_name] = FieldInfo(run.context, path)
            if self.is_async:
                return Later(self._awaited, run, path, source, arguments)
            value = self.resolve(source, **arguments)
        except Exception as error:  # noqa: BLE001 # whatever it is, it is told at its place
            return self.slot.failed(run, error, path)
        return self._completed(run, value, path)

    async def _awaited(self, run: Run, path: Path, source: Any, arguments: dict[str, Any]) -> Any:
        try:
            value = await self.resolve(source, **arguments)
        except Exception as error:  # noqa: BLE001 # as above
            return self.slot.failed(run, error, path)
        completed = self._completed(run, value, path)
        return await completed() if type(completed) is Later else completed

    def _completed(self, run: Run, value: Any, path: Path) -> Any:
        if self.quick is not None:
            try:
                return self.quick(value)
            except Exception:  # noqa: BLE001, S110 # told below, with its path and place
                pass
        return self.slot.complete(run, value, path)

    def expression(self, _source: Source, _value: str) -> str:
        """Never asked for: it is not plain."""
        raise NotImplementedError


Field = Constant | Attribute | Resolved


def quick_of(slot: Slot, value: str) -> Quick:
    """What completes a value, written with `{}` for what it is read from, where all is plain."""
    source = Source()
    argument = source.fresh()
    return source.compile(argument, slot.expression(source, value.format(argument)))


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object with what it is asked for."""

    type: str
    is_type_of: Callable[[Any, Any], bool] | None
    fields: Sequence[Field]
    nodes: Sequence[FieldNode]

    @property
    def plain(self) -> bool:
        """Whether all its fields are."""
        return all(each.plain for each in self.fields)

    def complete(self, run: Run, value: Any, path: Path | None) -> Any:
        """The fields' values by response key, or a `Later` if some are still to come."""
        if self.is_type_of is not None and not self.is_type_of(value, None):
            raise GraphQLError(
                f"Expected value of type '{self.type}' but got: {inspect(value)}.", self.nodes
            )
        results = {each.key: each.execute(run, value, path) for each in self.fields}
        pending = [key for key, each in results.items() if type(each) is Later]
        return Later(together, results, pending) if pending else results

    def expression(self, source: Source, value: str) -> str:
        """A dict display."""
        pairs = (f"{each.key!r}: {each.expression(source, value)}" for each in self.fields)
        display = f"{{{', '.join(pairs)}}}"
        if self.is_type_of is None:
            return display
        return f"({display} if {source.name(self.is_type_of)}({value}, None) else fail())"
