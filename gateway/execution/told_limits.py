"""Descriptions that tell the limits of this deployment, where the schema's own text has their defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from graphql import GraphQLSchema
from strawberry.utils.str_converters import to_camel_case

from gateway.analytics.limits import Limits

Told = tuple[tuple[str, int], ...]
"""Limits as they are configured, by their names in `Limits`."""

LIMITS = "Limits"
_NAMED = re.compile(r"`limits\.(\w+)` \([\d,]+\)")
"""A limit that a description names, with its default behind it."""
_DEFAULT = re.compile(r"\b[\d,]+ by default\b")
"""What a field of `Limits` says of itself."""


def told_of(limits: Limits) -> Told:
    """The limits that are numbers, by the names that clients know."""
    found = {to_camel_case(name): value for name, value in asdict(limits).items()}
    found["deadlineMilliseconds"] = found.pop("deadlineMs")
    return tuple((name, value) for name, value in found.items() if isinstance(value, int) and value)


def tell(schema: GraphQLSchema, limits: Mapping[str, int]) -> None:
    """Put each limit that `limits` has in the place of its default, wherever it is described."""

    def named(found: re.Match[str]) -> str:
        value = limits.get(found[1])
        return found[0] if value is None else f"`limits.{found[1]}` ({value:,})"

    for described in _described(schema):
        if described.description:
            described.description = _NAMED.sub(named, described.description)
    fields: Mapping[str, Any] = getattr(schema.type_map[LIMITS], "fields", {})
    for name, field in fields.items():
        if name in limits and field.description:
            value = f"{limits[name]:,}"
            if f" {value} by default" not in field.description:
                field.description = _DEFAULT.sub(f"{value} here", field.description)


def _described(schema: GraphQLSchema) -> Iterator[Any]:
    """Everything that has a description, but directives."""
    for named in schema.type_map.values():
        if named.name.startswith("__"):
            continue
        yield named
        for field in getattr(named, "fields", {}).values():
            yield field
            yield from getattr(field, "args", {}).values()
        yield from getattr(named, "values", {}).values()
