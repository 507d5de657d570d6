"""Caps on a parsed document, in one pass whose work is linear in its nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.documents.caps import Caps, refuse


@dataclass(slots=True)
class _Size:
    """How much there is of a definition; depths count fields, those under `__schema` apart."""

    fields: int = 0
    roots: int = 0
    aliases: int = 0
    depth: int = 0
    introspection_depth: int = 0


@dataclass(frozen=True, slots=True)
class _Spread:
    """Where a fragment is spread: under how many fields, and whether in an introspection."""

    name: str
    depth: int
    introspects: bool


_Own = tuple[_Size, list[_Spread]]
"""What a definition has itself, and the fragments that come on top."""


def check(document: DocumentNode, caps: Caps) -> None:
    """Raise `DocumentRefusedError` for a document over its caps."""
    fragments: dict[str, _Own] = {}
    operations: list[_Own] = []
    defined = 0
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            defined += 1
            fragments[definition.name.value] = _own(definition.selection_set)
            _at_most("fragments", defined, caps.max_fragments)
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(_own(definition.selection_set))
            _at_most("operations", len(operations), caps.max_operations)
            _at_most("variables", len(definition.variable_definitions or ()), caps.max_variables)
    wholes: dict[str, _Size] = {}
    for name in fragments:
        if name not in wholes:
            _expand(name, fragments, wholes)
    for own in operations:
        whole = _with_fragments(own, wholes)
        _at_most("levels of fields", whole.depth, caps.max_depth)
        _at_most("levels of introspection", whole.introspection_depth, 2 * caps.max_depth)
        _at_most("fields", whole.fields, caps.max_fields)
        _at_most("aliases", whole.aliases, caps.max_aliases)
        _at_most("root fields", whole.roots, caps.max_root_fields)


def _at_most(what: str, number: int, most: int) -> None:
    if number > most:
        refuse(what, most)


def _own(selections: SelectionSetNode) -> _Own:
    size = _Size()
    spreads: list[_Spread] = []
    stack = [(selections, 0, False)]
    while stack:
        current, depth, introspects = stack.pop()
        for each in current.selections:
            if isinstance(each, FieldNode):
                size.fields += 1
                size.aliases += each.alias is not None
                size.roots += depth == 0 and not introspects
                if introspects:
                    size.introspection_depth = max(size.introspection_depth, depth + 1)
                elif each.name.value.startswith("__"):
                    if each.selection_set is not None:
                        stack.append((each.selection_set, 0, True))
                    continue
                else:
                    size.depth = max(size.depth, depth + 1)
                if each.selection_set is not None:
                    stack.append((each.selection_set, depth + 1, introspects))
            elif isinstance(each, InlineFragmentNode):
                stack.append((each.selection_set, depth, introspects))
            elif isinstance(each, FragmentSpreadNode):
                spreads.append(_Spread(each.name.value, depth, introspects))
    return size, spreads


def _expand(name: str, fragments: dict[str, _Own], wholes: dict[str, _Size]) -> None:
    """Expand a fragment, innermost first; a cycle, which the rules refuse, is cut where it closes.

    Recursion goes no deeper than there are fragments.
    """
    wholes[name] = _Size()
    for spread in fragments[name][1]:
        if spread.name in fragments and spread.name not in wholes:
            _expand(spread.name, fragments, wholes)
    wholes[name] = _with_fragments(fragments[name], wholes)


def _with_fragments(own: _Own, wholes: dict[str, _Size]) -> _Size:
    size, spreads = replace(own[0]), own[1]
    for spread in spreads:
        whole = wholes.get(spread.name)
        if whole is None:
            continue
        size.fields += whole.fields
        size.aliases += whole.aliases
        below, deepest = spread.depth + whole.depth, whole.introspection_depth
        if spread.introspects:
            deepest = max(deepest, below)
        else:
            size.depth = max(size.depth, below)
            size.roots += whole.roots if spread.depth == 0 else 0
        size.introspection_depth = max(size.introspection_depth, deepest)
    return size
