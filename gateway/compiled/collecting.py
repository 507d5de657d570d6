"""Which fields an object is asked for, fragments and directives resolved: CollectFields of GraphQL.

Section 6.3.2 of the specification. Conditions are decided by now: `@skip` and `@include` with a
variable are looked up in `flags`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

from gateway.compiled.unsupported import UnsupportedError

Flags = Mapping[str, bool]
"""The values of the variables that conditions depend on."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects fields of one document under one set of flags."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    flags: Flags

    def collect(
        self, selections: Iterable[SelectionSetNode], of_type: GraphQLObjectType
    ) -> dict[str, list[FieldNode]]:
        """The fields by response key, in the response's order; each with all its occurrences."""
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in selections:
            self._visit(each, of_type, grouped, seen)
        return grouped

    def _visit(
        self,
        selections: SelectionSetNode,
        of_type: GraphQLObjectType,
        grouped: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for each in selections.selections:
            if not self._included(each):
                continue
            if isinstance(each, FieldNode):
                key = each.alias.value if each.alias else each.name.value
                grouped.setdefault(key, []).append(each)
            elif isinstance(each, InlineFragmentNode):
                if self._fits(each.type_condition, of_type):
                    self._visit(each.selection_set, of_type, grouped, seen)
            elif isinstance(each, FragmentSpreadNode):
                fragment = self.fragments[each.name.value]
                if each.name.value not in seen and self._fits(fragment.type_condition, of_type):
                    seen.add(each.name.value)
                    self._visit(fragment.selection_set, of_type, grouped, seen)

    def _fits(self, condition: NamedTypeNode | None, of_type: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == of_type.name:
            return True
        wider = self.schema.type_map[condition.name.value]
        return is_abstract_type(wider) and self.schema.is_sub_type(wider, of_type)

    def _included(self, node: SelectionNode) -> bool:
        return all(self._holds(each) for each in node.directives or ())

    def _holds(self, directive: DirectiveNode) -> bool:
        name, value = directive.name.value, _condition(directive)
        given = value.value if isinstance(value, BooleanValueNode) else self.flags[value.name.value]
        return given is (name == "include")


def fields_of(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """The fields that a selection comes to with all its fragments; work linear in the document.

    At least as many as are planned, whatever the conditions.
    """
    return _fields(selections, fragments, {})


def _fields(
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, int],
) -> int:
    found = 0
    for each in selections.selections:
        if isinstance(each, FragmentSpreadNode):
            name = each.name.value
            if name not in known:
                known[name] = _fields(fragments[name].selection_set, fragments, known)
            found += known[name]
            continue
        found += isinstance(each, FieldNode)
        if isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set:
            found += _fields(each.selection_set, fragments, known)
    return found


def flags_of(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """The variables that conditions below depend on; raises `UnsupportedError` for other directives."""
    return tuple(dict.fromkeys(_flags(selections, fragments, set())))


def _flags(
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    seen: set[str],
) -> Iterator[str]:
    for each in selections.selections:
        for directive in each.directives or ():
            value = _condition(directive)
            if isinstance(value, VariableNode):
                yield value.name.value
        if isinstance(each, FragmentSpreadNode):
            if each.name.value not in seen:
                seen.add(each.name.value)
                yield from _flags(fragments[each.name.value].selection_set, fragments, seen)
        elif isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set:
            yield from _flags(each.selection_set, fragments, seen)


def _condition(directive: DirectiveNode) -> BooleanValueNode | VariableNode:
    name = directive.name.value
    if name not in ("skip", "include"):
        raise UnsupportedError(f"the directive @{name}")
    (argument,) = directive.arguments or ()
    value = argument.value
    if not isinstance(value, BooleanValueNode | VariableNode):
        raise UnsupportedError(f"a condition that is a {value.kind}")
    return value
