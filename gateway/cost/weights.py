"""The weights that an SDL's cost directives declare, read once into a table by coordinate.

Directives and defaults: IBM's GraphQL Cost Directives specification,
https://ibm.github.io/graphql-specs/cost-spec.html, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ConstDirectiveNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    value_from_ast_untyped,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How long a list is: as an argument says, else as assumed; of the field or of one below."""

    assumed: int | None
    arguments: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """What one field of a type adds, and how its list is sized.

    `arguments`: what each argument adds when it is given; `defaults`: its value when it is not.
    `type_weight`: what each object (or leaf) that the field answers adds.
    """

    weight: float
    type_weight: float
    answers: str | None
    is_list: bool
    arguments: Mapping[str, float]
    defaults: Mapping[str, Any]
    size: Size | None


Weights = Mapping[tuple[str, str], FieldWeight]
"""By type name and field name."""


def read(schema: GraphQLSchema) -> Weights:
    """The weights of every field of a schema that was built from its SDL."""
    return {
        (named.name, name): _field(schema, field)
        for named in schema.type_map.values()
        if isinstance(named, GraphQLObjectType) and not named.name.startswith("__")
        for name, field in named.fields.items()
    }


def _field(schema: GraphQLSchema, field: GraphQLField) -> FieldWeight:
    named = get_named_type(field.type)
    composite = is_composite_type(named)
    return FieldWeight(
        weight=_weight(field, 1.0 if composite else 0.0),
        type_weight=_type_weight(schema, named),
        answers=named.name if composite else None,
        is_list=is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type),
        arguments={name: _argument(argument) for name, argument in field.args.items()},
        defaults={
            name: value_from_ast_untyped(argument.ast_node.default_value)
            for name, argument in field.args.items()
            if argument.ast_node is not None and argument.ast_node.default_value is not None
        },
        size=_size(field),
    )


def _argument(argument: GraphQLArgument) -> float:
    return _weight(argument, 1.0 if is_input_object_type(get_named_type(argument.type)) else 0.0)


def _type_weight(schema: GraphQLSchema, named: GraphQLNamedType) -> float:
    """An object's weight; of an abstract type the most of its possible types (section 7.2)."""
    if is_abstract_type(named):
        possible = schema.get_possible_types(named)
        return max((_weight(each, 1.0) for each in possible), default=1.0)
    return _weight(named, 1.0 if is_composite_type(named) else 0.0)


def _weight(element: Any, default: float) -> float:
    found = _directive(element, "cost")
    return default if found is None else float(found["weight"])


def _size(field: GraphQLField) -> Size | None:
    found = _directive(field, "listSize")
    if found is None:
        return None
    return Size(
        found.get("assumedSize"),
        tuple(found.get("slicingArguments") or ()),
        tuple(found.get("sizedFields") or ()),
    )


def _directive(element: Any, name: str) -> dict[str, Any] | None:
    node = element.ast_node
    applied: tuple[ConstDirectiveNode, ...] = (node.directives if node else None) or ()
    for each in applied:
        if each.name.value == name:
            return {a.name.value: value_from_ast_untyped(a.value) for a in each.arguments or ()}
    return None
