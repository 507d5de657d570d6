"""What goes where: types by what leads to them, examples by what they ask; what is new finds its place by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_introspection_type,
)

from gateway.pages.docs.examples import Example

BUILT_IN = frozenset({"Boolean", "Float", "ID", "Int", "String"})


@dataclass(frozen=True, slots=True)
class Group:
    """A chapter: what one wants to know; its text is `docs_page/<name>.html`."""

    name: str
    title: str


START = Group("start", "Start here")
ACCOUNT = Group("account", "Ask about an account")
WINDOWS = Group("windows", "Windows and zones")
LIVE = Group("live", "Live updates")
NETWORK = Group("network", "The network and the pipeline")
ERRORS = Group("errors", "Errors and limits")
AUTHENTICATION = Group("authentication", "Authentication")
OTHERS = Group("others", "Scalars and the rest")
GROUPS = (START, ACCOUNT, WINDOWS, LIVE, NETWORK, ERRORS, AUTHENTICATION, OTHERS)

_WINDOW_EXAMPLES = frozenset({"month_to_date", "last_full_weeks"})
_WINDOW_TYPES = ("WindowInput", "CalendarInput", "Window", "Comparison", "Granularity")
_LEADING = (
    (WINDOWS, _WINDOW_TYPES),
    (ERRORS, ("Limits",)),
    (LIVE, ("Subscription",)),
    (ACCOUNT, ("Query", "Account")),
    (NETWORK, ("Network", "Pipeline")),
)
"""In this order: a type stands in the first group that leads to it."""


def types_of(schema: GraphQLSchema) -> Mapping[Group, list[GraphQLNamedType]]:
    """Each type of the schema's own once; within a group those first that lead to the others."""
    placed: dict[str, Group] = {}
    order: dict[Group, list[GraphQLNamedType]] = {group: [] for group in GROUPS}

    def place(named: GraphQLNamedType, group: Group, *, whole: bool) -> None:
        own = named.name not in BUILT_IN and not is_introspection_type(named)
        if not own or named.name in placed or isinstance(named, GraphQLScalarType):
            return
        placed[named.name] = group
        order[group].append(named)
        for each in _next(named) if whole else ():
            place(each, group, whole=True)

    for group, names in _LEADING:
        for name in names:
            # What these two lead to is what the chapters are made of.
            place(schema.type_map[name], group, whole=name not in ("Query", "Subscription"))
    for name in sorted(schema.type_map):
        named = schema.type_map[name]
        if name not in placed and name not in BUILT_IN and not is_introspection_type(named):
            order[OTHERS].append(named)
    return order


def group_of(example: Example) -> Group:
    """Where an example is shown."""
    if example.folder != "operations":
        return LIVE if example.folder == "subscriptions" else ERRORS
    if example.name in _WINDOW_EXAMPLES:
        return WINDOWS
    if {"network", "pipeline"} & set(example.roots):
        return NETWORK
    return ERRORS if "limits" in example.roots else ACCOUNT


def _next(named: GraphQLNamedType) -> list[GraphQLNamedType]:
    """The types of a type's fields and arguments, in its own order."""
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return []
    found: list[GraphQLNamedType] = []
    for field in named.fields.values():
        found.append(get_named_type(field.type))
        if isinstance(field, GraphQLField):
            found += [get_named_type(each.type) for each in field.args.values()]
    return found
