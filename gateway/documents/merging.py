"""Whether equally named fields can be one field of the response, in time linear in the fields.

GraphQL, section 5.3.2 "Field Selection Merging". Comparing every pair takes quadratic time; but to
be mergeable is an equivalence, so that comparing with the first of a group is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    print_ast,
    type_from_ast,
)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A field, the type it is asked of, and the type it answers."""

    node: FieldNode
    parent: GraphQLNamedType
    answers: GraphQLOutputType | None


def conflicts(schema: GraphQLSchema, document: DocumentNode) -> Iterator[GraphQLError]:
    """The conflicts between fields of each operation, fragments expanded.

    The document must be valid otherwise; its expanded fields must be bounded.
    """
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            root = schema.get_root_type(operation.operation)
            if root is not None:
                yield from _Merge(schema, fragments).among([(root, operation.selection_set)])


class _Merge:
    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments

    def among(
        self, sets: list[tuple[GraphQLNamedType, SelectionSetNode]]
    ) -> Iterator[GraphQLError]:
        """Conflicts among the fields of sets that answer one object, and below them."""
        groups: dict[str, list[_Placed]] = {}
        seen: set[str] = set()
        for parent, selections in sets:
            self._collect(parent, selections, groups, seen)
        for name, group in groups.items():
            problem = _problem(group) if len(group) > 1 else None
            if problem is not None:
                yield GraphQLError(
                    f"Fields '{name}' conflict because {problem}. Use different aliases on the "
                    "fields to fetch both if this was intentional.",
                    [group[0].node, group[-1].node],
                )
                continue
            below = [
                (get_named_type(each.answers), each.node.selection_set)
                for each in group
                if each.answers is not None and each.node.selection_set is not None
            ]
            if below:
                yield from self.among(below)

    def _collect(
        self,
        parent: GraphQLNamedType,
        selections: SelectionSetNode,
        groups: dict[str, list[_Placed]],
        seen: set[str],
    ) -> None:
        for each in selections.selections:
            if isinstance(each, FieldNode):
                name = each.alias.value if each.alias else each.name.value
                answers = _type_of(self._schema, parent, each)
                groups.setdefault(name, []).append(_Placed(each, parent, answers))
            elif isinstance(each, FragmentSpreadNode):
                fragment = self._fragments.get(each.name.value)
                if fragment is not None and each.name.value not in seen:
                    seen.add(each.name.value)
                    inner = type_from_ast(self._schema, fragment.type_condition)
                    self._collect(inner or parent, fragment.selection_set, groups, seen)
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                inner = type_from_ast(self._schema, condition) if condition else parent
                self._collect(inner or parent, each.selection_set, groups, seen)


def _type_of(
    schema: GraphQLSchema, parent: GraphQLNamedType, node: FieldNode
) -> GraphQLOutputType | None:
    field = schema.get_field(parent, node.name.value)  # type: ignore[arg-type]
    return field.type if field is not None else None


def _problem(group: list[_Placed]) -> str | None:
    """Why a group cannot be one field; `None` if it can."""
    first = group[0]
    shape = _shape(first.answers)
    if any(_shape(each.answers) != shape for each in group[1:]):
        return "they return conflicting types"
    # Objects of different types are never the same object; of an interface they may be.
    alike: dict[str | None, tuple[str, str]] = {}
    kinds = {each.parent.name for each in group if isinstance(each.parent, GraphQLObjectType)}
    for each in group:
        own = isinstance(each.parent, GraphQLObjectType)
        asked = each.node.name.value, _arguments(each.node)
        for kind in [each.parent.name] if own else [None, *kinds]:
            known = alike.setdefault(kind, asked)
            if known != asked:
                if known[0] != asked[0]:
                    return f"'{known[0]}' and '{asked[0]}' are different fields"
                return "they have differing arguments"
    return None


def _shape(answers: GraphQLOutputType | None) -> str:
    """Lists and non-nulls around a leaf's name, or around any object."""
    wrappers = ""
    while answers is not None and (is_list_type(answers) or is_non_null_type(answers)):
        wrappers += "[" if is_list_type(answers) else "!"
        answers = answers.of_type
    name = answers.name if answers is not None and is_leaf_type(answers) else ""
    return f"{wrappers}{name}"


def _arguments(node: FieldNode) -> str:
    if not node.arguments:
        return ""
    return ",".join(sorted(print_ast(each) for each in node.arguments))
