"""From the fields of a document to what executes them, by reading Strawberry's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from gateway.compiled.collecting import Collector
from gateway.compiled.completion import Completion, ListOf, Slot, leaf
from gateway.compiled.inputs import DEFINITION, arguments_of
from gateway.compiled.selection import Attribute, Constant, Field, ObjectOf, Resolved, quick_of
from gateway.compiled.unsupported import UnsupportedError


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans what one operation asks for, under one set of flags."""

    collector: Collector
    hide_suggestions: bool

    def object_of(
        self,
        type_: GraphQLObjectType,
        selections: Sequence[SelectionSetNode],
        nodes: Sequence[FieldNode] = (),
    ) -> ObjectOf:
        """An object and its fields; raises `UnsupportedError`."""
        grouped = self.collector.collect(selections, type_)
        fields = tuple(self._field(type_, key, group) for key, group in grouped.items())
        is_type_of: Any = type_.is_type_of
        return ObjectOf(type_.name, is_type_of, fields, nodes)

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        name = nodes[0].name.value
        if name == "__typename":
            return Constant(key, parent.name)
        definition = parent.fields.get(name)
        if definition is None:
            raise UnsupportedError(f"the field {parent.name}.{name}")
        slot = self._slot(definition.type, nodes, f"{parent.name}.{name}")
        made_of = definition.extensions[DEFINITION]
        if made_of.is_basic_field:
            return _attribute(parent.name, key, made_of, slot)
        return self._resolved(parent.name, key, definition, nodes[0], slot)

    def _resolved(
        self, parent: str, key: str, definition: GraphQLField, node: FieldNode, slot: Slot
    ) -> Resolved:
        made_of = definition.extensions[DEFINITION]
        resolver = made_of.base_resolver
        takes_more = resolver.parent_parameter or resolver.root_parameter
        if made_of.extensions or takes_more or not resolver.self_parameter:
            raise UnsupportedError(f"the resolver of {slot.coordinate}")
        info = resolver.info_parameter
        return Resolved(
            key=key,
            parent=parent,
            resolve=resolver.wrapped_func,
            info_name=None if info is None else info.name,
            is_async=made_of.is_async,
            arguments=arguments_of(definition, node, self.hide_suggestions),
            slot=slot,
            quick=quick_of(slot, "{}") if slot.completion.plain else None,
        )

    def _slot(self, type_: GraphQLOutputType, nodes: list[FieldNode], coordinate: str) -> Slot:
        nullable = not is_non_null_type(type_)
        wrapped: Any = type_
        inner = wrapped if nullable else wrapped.of_type
        return Slot(self._completion(inner, nodes, coordinate), nullable, nodes, coordinate)

    def _completion(self, type_: Any, nodes: list[FieldNode], coordinate: str) -> Completion:
        if is_leaf_type(type_):
            return leaf(type_)
        if is_list_type(type_):
            item: Any = type_
            return ListOf(self._slot(item.of_type, nodes, coordinate))
        if is_object_type(type_):
            selections = [each.selection_set for each in nodes if each.selection_set is not None]
            return self.object_of(type_, selections, nodes)
        raise UnsupportedError(f"the abstract type of {coordinate}")


def _attribute(parent: str, key: str, made_of: Any, slot: Slot) -> Attribute:
    name = made_of.python_name
    if made_of.default_resolver is not getattr or not name.isidentifier():
        raise UnsupportedError(f"how {slot.coordinate} is read")
    return Attribute(key, parent, name, slot)
