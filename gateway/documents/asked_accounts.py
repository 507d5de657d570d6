"""Which accounts an operation names, told from its document, its variables and its caller's groups, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
    is_object_type,
)
from graphql.execution import VariableValues
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)

GROUP = "group"
"""The argument of a root field that names a group of accounts of the caller's."""

OTHERS = ("counterpartyId", "accountId")
"""The arguments below that name an account on the other side, by its id or by its mask."""

CURSORS = ("after", "before")
"""Those that may name one in a cursor."""

Groups: TypeAlias = Mapping[str, frozenset[str]]
"""The accounts of the caller's groups by name."""


class AskedAccounts(NamedTuple):
    """What an operation names accounts by, each text once, in order: ids of its root fields, others below, and cursors."""

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    cursors: tuple[str, ...] = ()


def asked_accounts(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: VariableValues,
    groups: Groups,
) -> AskedAccounts:
    """What a valid operation's fields are given as ids or cursors, or as groups of its caller."""
    fragments = {
        each.name.value: FragmentDetails(each, None)
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    walk = _Walk(schema, operation, fragments, values)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    text = "" if document.loc is None else document.loc.source.body
    try:
        own = tuple(dict.fromkeys(walk.own(root, groups)))
        found: list[tuple[str, str]] = []
        if any(name in text for name in (*OTHERS, *CURSORS)):
            found = list(walk.below(root))
    except GraphQLError:
        return AskedAccounts()  # a condition is null: nothing is executed
    return AskedAccounts(
        own,
        tuple(dict.fromkeys(said for name, said in found if name in OTHERS)),
        tuple(dict.fromkeys(said for name, said in found if name in CURSORS)),
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    values: VariableValues

    def own(self, root: GraphQLObjectType, groups: Groups) -> Iterator[str]:
        """The accounts that the root fields are about."""
        for _, field, details in self._root_fields(root):
            arguments = self._arguments(field, details)
            for name, argument in field.args.items():
                if get_named_type(argument.type).name == "ID":
                    yield from _texts(arguments.get(argument.out_name or name))
                elif name == GROUP:
                    yield from sorted(groups.get(arguments.get(GROUP) or "", ()))

    def below(self, root: GraphQLObjectType) -> Iterator[tuple[str, str]]:
        """What names other accounts, by the names of the arguments."""
        for _, field, details in self._root_fields(root):
            yield from self._below(field, details)

    def _root_fields(self, root: GraphQLObjectType) -> Iterator[_Selected]:
        collected = collect_fields(self.schema, self.fragments, self.values, root, self.operation)
        return _selected(root, collected.grouped_field_set)

    def _below(self, field: GraphQLField, details: list[FieldDetails]) -> Iterator[tuple[str, str]]:
        named = get_named_type(field.type)
        if not is_object_type(named):
            return
        collected = collect_subfields(
            self.schema, self.fragments, self.values, self.operation, named, details
        )
        for _, inner, selected in _selected(named, collected.grouped_field_set):
            telling = [name for name in (*OTHERS, *CURSORS) if name in inner.args]
            arguments = self._arguments(inner, selected) if telling else {}
            for name in telling:
                given = arguments.get(inner.args[name].out_name or name)
                yield from ((name, text) for text in _texts(given))
            yield from self._below(inner, selected)

    def _arguments(self, field: GraphQLField, details: list[FieldDetails]) -> Mapping[str, Any]:
        try:
            return get_argument_values(field, details[0].node, self.values)
        except GraphQLError:
            return {}  # the field will say so


_Selected: TypeAlias = tuple[str, GraphQLField, list[FieldDetails]]


def _selected(
    type_: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]
) -> Iterator[_Selected]:
    """The fields of a type that are selected, but for those that every type has."""
    for key, details in grouped.items():
        field = type_.fields.get(details[0].node.name.value)
        if field is not None:
            yield key, field, details


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, list):
        yield from (each for each in given if isinstance(each, str))
