"""What completes values that need no resolver: small functions, put together once an execution.

Each takes a value and gives its part of the response, or raises: it knows no path to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType
from graphql.pyutils import is_collection

Complete = Callable[[Any], Any]
"""From a value to its part of the response."""

Read = Callable[[Any], Any]
"""From an object to the value of one of its fields."""

IsTypeOf = Callable[[Any, Any], Any]


class NotPlainError(Exception):
    """A value is not as simple as it was taken for."""


def not_plain(_value: Any) -> Any:
    """Stands for what has a resolver below it."""
    raise NotPlainError


@cache
def leaf(type_: GraphQLLeafType) -> Complete:
    """A scalar or an enum that is not null."""
    serialise: Complete = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType):
        serialise = {type_.coerce_input_value(name): name for name in type_.values}.__getitem__
    if _refuses_null(serialise):
        return serialise

    def complete(value: Any) -> Any:
        if value is None:
            raise NotPlainError
        return serialise(value)

    return complete


def _refuses_null(serialise: Complete) -> bool:
    try:
        serialise(None)
    except Exception:  # noqa: BLE001 # any refusal will do
        return True
    return False


def answer(read: Read, complete: Complete) -> Complete:
    """One field of an object."""
    return lambda source: complete(read(source))


def nullable(complete: Complete) -> Complete:
    """The same, or null."""
    return lambda value: None if value is None else complete(value)


def list_of(complete: Complete) -> Complete:
    """A list, each item completed."""

    def complete_all(values: Any) -> list[Any]:
        if not is_collection(values):
            raise NotPlainError
        return [complete(each) for each in values]

    return complete_all


def object_of(
    fields: Sequence[tuple[str, Read, Complete]], is_type_of: IsTypeOf | None
) -> Complete:
    """An object, each field read and completed."""

    def complete(value: Any) -> dict[str, Any]:
        if value is None or (is_type_of is not None and not is_type_of(value, None)):
            raise NotPlainError
        return {key: complete(read(value)) for key, read, complete in fields}

    return complete
