"""Which accounts an operation names, told from its document, its variables and its caller's groups, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
)
from graphql.execution import VariableValues
from graphql.execution.collect_fields import FragmentDetails, collect_fields

GROUP = "group"
"""The argument of a root field that names a group of accounts of the caller's."""

Groups: TypeAlias = Mapping[str, frozenset[str]]
"""The accounts of the caller's groups by name."""


def asked_accounts(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: VariableValues,
    groups: Groups,
) -> tuple[str, ...]:
    """What a valid operation's root fields are given as ids or as groups of its caller, each once, in order of the text."""
    try:
        return tuple(dict.fromkeys(_ids(schema, document, operation, values, groups)))
    except GraphQLError:
        return ()  # a condition is null: nothing is executed


def _ids(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: VariableValues,
    groups: Groups,
) -> Iterator[str]:
    fragments = {
        each.name.value: FragmentDetails(each, None)
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    root = schema.get_root_type(operation.operation)
    assert root is not None
    collected = collect_fields(schema, fragments, values, root, operation)
    for details in collected.grouped_field_set.values():
        node = details[0].node
        field = root.fields.get(node.name.value)
        if field is None or not any(
            get_named_type(argument.type).name == "ID" for argument in field.args.values()
        ):
            continue
        try:
            arguments = get_argument_values(field, node, values)
        except GraphQLError:
            continue  # the field will say so
        for name, argument in field.args.items():
            if get_named_type(argument.type).name == "ID":
                yield from _texts(arguments.get(argument.out_name or name))
            elif name == GROUP:
                yield from sorted(groups.get(arguments.get(GROUP) or "", ()))


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, list):
        yield from (each for each in given if isinstance(each, str))
