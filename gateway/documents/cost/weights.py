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

    `arguments`: what those add when they are given that add anything. `type_weight`: what each
    object (or leaf) that the field answers adds; `answers`: the types that such an object may have.
    """

    weight: float
    type_weight: float
    answers: tuple[str, ...]
    is_list: bool
    arguments: Mapping[str, float]
    size: Size | None

    @property
    def depends(self) -> bool:
        """Whether arguments can change what the field costs."""
        return bool(self.arguments) or self.size is not None


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
        answers=_answers(schema, named),
        is_list=is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type),
        arguments={
            name: weight for name, each in field.args.items() if (weight := _argument(each))
        },
        size=_size(field),
    )


def _answers(schema: GraphQLSchema, named: GraphQLNamedType) -> tuple[str, ...]:
    if is_abstract_type(named):
        return tuple(each.name for each in schema.get_possible_types(named))
    return (named.name,) if is_composite_type(named) else ()


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
