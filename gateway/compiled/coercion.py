"""From a variable's JSON value to its type's value: input coercion of GraphQL, decided type by type.

Section 3.10 of the specification. What does not fit is `Undefined`, without a word: graphql-core is
asked for the words then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    Undefined,
    is_input_object_type,
    is_leaf_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from gateway.compiled.unsupported import UnsupportedError

Coerce = Callable[[Any], Any]
"""From a value as it was sent to the coerced one."""


def coercer(type_: GraphQLInputType, above: tuple[str, ...] = ()) -> Coerce:
    """The coercion of a type; raises `UnsupportedError` for one that contains itself."""
    if is_non_null_type(type_):
        inner = coercer(type_.of_type, above)
        return lambda value: Undefined if value is None else inner(value)
    if is_leaf_type(type_):
        return _leaf(type_)
    if is_input_object_type(type_):
        if type_.name in above:
            raise UnsupportedError(f"the input {type_.name}, which contains itself")
        return _object(type_, (*above, type_.name))
    item: Any = type_
    coercer(item.of_type, above)  # for what it may refuse
    return partial(coerce_input_value, type_=type_)


def _leaf(type_: GraphQLLeafType) -> Coerce:
    if isinstance(type_, GraphQLEnumType):
        members = {name: type_.coerce_input_value(name) for name in type_.values}

        def member(value: Any) -> Any:
            if value is None:
                return None
            return members.get(value, Undefined) if isinstance(value, str) else Undefined

        return member
    parse: Coerce = type_.coerce_input_value

    def leaf(value: Any) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except Exception:  # noqa: BLE001 # as graphql-core: whatever a scalar raises, it refuses
            return Undefined

    return leaf


def _object(type_: GraphQLInputObjectType, above: tuple[str, ...]) -> Coerce:
    fields = {
        name: (each.out_name or name, coercer(each.type, above))
        for name, each in type_.fields.items()
    }
    required = {name for name, each in type_.fields.items() if is_required_input_field(each)}
    defaults = {
        name: (each.out_name or name, default)
        for name, each in type_.fields.items()
        if (default := coerce_default_value(each)) is not Undefined
    }

    def coerce(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict) or not value.keys() <= fields.keys():
            return Undefined
        if not required <= value.keys():
            return Undefined
        found: dict[str, Any] = {}
        for name, given in value.items():
            out_name, coerce_field = fields[name]
            coerced = coerce_field(given)
            if coerced is Undefined:
                return Undefined
            found[out_name] = coerced
        for name, (out_name, default) in defaults.items():
            if name not in value:
                found[out_name] = default
        if type_.is_one_of and (len(value) != 1 or len(found) != 1 or None in found.values()):
            return Undefined
        return type_.out_type(found)

    return coerce
