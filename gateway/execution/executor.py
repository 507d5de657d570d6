"""graphql-core's executor, spared of what it would find out again for each item of a list.

What is executed a second time, and has no resolver below it, is completed by one function. What such a
function cannot do it raises, and graphql-core does the same again: the words, the path and the place of
every error are its own.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    Undefined,
    get_argument_values,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from graphql.type.definition import GraphQLResolveInfoHelpers

from gateway.errors import CostLimitExceededError
from gateway.execution import plain
from gateway.execution.plain import Complete, Read

DEFINITION = "strawberry-definition"
"""Under this key a field carries what Strawberry made of it."""

MAX_DESCRIBED = 20_000
"""Values of the schema's description in one answer; the whole of it has 6,500. About 1 µs each."""

STEP_BY_STEP = 4
"""As many values takes one that graphql-core has to see to."""


class _Seen(NamedTuple):
    """A field that was executed, and what completes it; `None` if that is to be found out."""

    details: list[FieldDetails]  # kept alive: it is known by its identity
    complete: Complete | None


class _Readable(NamedTuple):
    """A field without a resolver of ours: what reads its value from its object, and its type."""

    read: Read
    type: GraphQLOutputType


class _SchemaInfo(NamedTuple):
    """What resolvers of the schema's description ask of their `info`."""

    schema: GraphQLSchema


class GatewayExecutor(Executor[None]):
    """Executes one operation."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._fields: dict[int, _Seen] = {}
        self._lists: dict[int, _Seen] = {}
        self._described = _Described()
        # Its own are methods of this object: a cycle, which only the garbage collector would end.
        self.async_helpers = GraphQLResolveInfoHelpers(_unused, _unused)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: None,
    ) -> Any:
        """A field of an object, of the second object on at once where it is plain."""
        key = id(field_details_list)
        seen = self._fields.get(key)
        if seen is None:
            self._fields[key] = _Seen(field_details_list, None)
        else:
            if seen.complete is None:
                complete = self._answer(parent_type, field_details_list)
                seen = self._fields[key] = _Seen(field_details_list, complete)
            found = _tried(seen.complete, source)
            if found is not Undefined:
                return found
        if is_introspection_type(parent_type):
            self._described.take(STEP_BY_STEP)
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: None,
    ) -> Any:
        """A list, at once where all below it is plain."""
        seen = self._lists.get(id(field_details_list))
        if seen is None:
            complete = self._whole(return_type, field_details_list)
            seen = self._lists[id(field_details_list)] = _Seen(field_details_list, complete)
        found = _tried(seen.complete, result)
        if found is not Undefined:
            return found
        return super().complete_list_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _answer(self, parent_type: GraphQLObjectType, details: list[FieldDetails]) -> Complete:
        """What answers a field from its object."""
        found = self._read(parent_type, details)
        if found is None:
            return plain.not_plain
        return plain.answer(found.read, self._whole(found.type, details))

    def _whole(self, type_: GraphQLOutputType, details: list[FieldDetails]) -> Complete:
        """What completes a value of a type."""
        try:
            return self._completion(type_, details) or plain.not_plain
        except GraphQLError:
            # A condition below is null. It is told where it stands; of the schema's description, once.
            if is_introspection_type(get_named_type(type_)):
                raise
            return plain.not_plain

    def _completion(self, type_: GraphQLOutputType, details: list[FieldDetails]) -> Complete | None:
        """The same; `None` if something below has a resolver."""
        inner: Any = type_.of_type if is_non_null_type(type_) else type_
        complete: Complete | None = None
        if is_leaf_type(inner):
            complete = plain.leaf(inner)
        elif is_list_type(inner):
            item = self._completion(inner.of_type, details)
            complete = item and plain.list_of(item)
        elif is_object_type(inner):
            complete = self._object(inner, details)
        return plain.nullable(complete) if complete and inner is type_ else complete

    def _object(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> Complete | None:
        fields: list[tuple[str, Read, Complete]] = []
        for key, below in self.collect_subfields(type_, details).grouped_field_set.items():
            found = self._read(type_, below)
            complete = found and self._completion(found.type, below)
            if found is None or complete is None:
                return None
            fields.append((key, found.read, complete))
        whole = plain.object_of(fields, type_.is_type_of)
        if is_introspection_type(type_):
            return self._described.counting(len(fields), whole)
        return whole

    def _read(
        self, parent_type: GraphQLObjectType, details: list[FieldDetails]
    ) -> _Readable | None:
        """What reads a field's value from its object; `None` if there is none, or it has a resolver of ours."""
        name = details[0].node.name.value
        field = self.schema.get_field(parent_type, name)
        if field is None:
            return None
        if name == "__typename":
            return _Readable(lambda _: parent_type.name, field.type)
        made_of = field.extensions.get(DEFINITION)
        if made_of is not None:
            if not made_of.is_basic_field:
                return None
            return _Readable(attrgetter(made_of.python_name), field.type)
        if not is_introspection_type(parent_type) or field.resolve is None:
            return None
        arguments = get_argument_values(field, details[0].node, self.variable_values)
        info = _SchemaInfo(self.schema)
        return _Readable(partial(_resolved, field.resolve, info, arguments), field.type)


class _Described:
    """Counts values of the schema's description."""

    def __init__(self) -> None:
        self._left = MAX_DESCRIBED

    def take(self, values: int) -> None:
        """Count so many more; raises `CostLimitExceededError` when there are too many."""
        self._left -= values
        if self._left < 0:
            raise CostLimitExceededError(
                f"An answer may have up to {MAX_DESCRIBED} values of the schema's description."
            )

    def counting(self, values: int, complete: Complete) -> Complete:
        """The completion of an object with so many values, counted."""

        def counted(value: Any) -> Any:
            self.take(1 + values)
            return complete(value)

        return counted


def _tried(complete: Complete | None, value: Any) -> Any:
    """The completed value; `Undefined` if it is to be done by graphql-core, which tells why."""
    if complete is None:
        return Undefined
    try:
        return complete(value)
    except CostLimitExceededError:
        raise
    except Exception:  # noqa: BLE001 # whatever it is
        return Undefined


def _resolved(resolve: Any, info: _SchemaInfo, arguments: dict[str, Any], source: Any) -> Any:
    return resolve(source, info, **arguments)


def _unused(_values: Any) -> Any:
    raise NotImplementedError
