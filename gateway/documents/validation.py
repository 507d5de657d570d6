"""GraphQL's own rules at a bounded price: each node goes only to the rules that look at its kind.

graphql-core asks every rule about every node, and compares all pairs of equal fields; that is most
of what a document costs. The rules here are its own, but for the merging of fields (see `merging`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FloatValueNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    TypeInfo,
    ValidationContext,
    specified_rules,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import Visitor
from graphql.validation.validate import ValidationAbortedError
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

from gateway.documents.merging import conflicts
from gateway.process.exact_numbers import becomes_whole


class ExactNumbersRule(ASTValidationRule):
    """A number of the document is not rounded to a whole one."""

    def enter_float_value(self, node: FloatValueNode, *_: object) -> None:
        """Refuse one that would be."""
        if becomes_whole(node.value):
            message = f"{node.value} has too many digits: it would become another number."
            self.report_error(GraphQLError(message, node))


RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    ExactNumbersRule,
)
_UNSEEN = frozenset({"description", "name", "alias", "locations"})
_KEYS = {
    kind: tuple(key for key in keys if key not in _UNSEEN)
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""The children that some rule or the type's bookkeeping looks at."""


def validate(
    schema: GraphQLSchema, document: DocumentNode, max_errors: int, *, introspection: bool = True
) -> tuple[GraphQLError, ...]:
    """The first errors of a document; none if it fits the schema.

    The document's nesting and the number of its fields must already be bounded. Without
    `introspection`, errors suggest no names either: they would tell the schema piece by piece.
    """
    errors: list[GraphQLError] = []

    def on_error(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) >= max_errors:
            raise ValidationAbortedError("enough errors")

    type_info = TypeInfo(schema)
    context = _Context(schema, document, type_info, on_error, hide_suggestions=not introspection)
    rules = RULES if introspection else (*RULES, NoSchemaIntrospectionCustomRule)
    try:
        _Walk(type_info, [rule(context) for rule in rules]).visit(document, document)
        if not errors:
            for error in conflicts(schema, document):
                on_error(error)
    except ValidationAbortedError:
        pass
    return tuple(bare(each) for each in errors)


def bare(error: GraphQLError) -> GraphQLError:
    """An error without the frames that raised it, which hold all of the validation."""
    cause: BaseException | None = error
    while cause is not None:
        cause.__traceback__ = cause.__context__ = cause.__cause__ = None
        cause = cause.original_error if isinstance(cause, GraphQLError) else None
    return error


class _Context(ValidationContext):
    """A context that looks for variables in the same frugal way."""

    def get_variable_usages(
        self, node: OperationDefinitionNode | FragmentDefinitionNode
    ) -> list[VariableUsage]:
        """Where a definition itself uses variables."""
        usages = self._variable_usages.get(node)
        if usages is None and not _uses_variables(self.document):
            usages = self._variable_usages[node] = []
        if usages is None:
            visitor = VariableUsageVisitor(self._type_info, None)
            _Walk(self._type_info, [visitor]).visit(node, self.document)
            usages = self._variable_usages[node] = visitor.usages
        return usages


def _uses_variables(document: DocumentNode) -> bool:
    return document.loc is None or "$" in document.loc.source.body


_Enter = Callable[..., Any]


class _Walk:
    """One walk over a document, with the visitors that want to see a node's kind.

    A visitor's only answer may be to skip a node; none of graphql-core's rules has another.
    """

    def __init__(self, type_info: TypeInfo, visitors: list[Visitor]) -> None:
        self._type_info = type_info
        self._visitors = visitors
        self._skipping: list[object] = [None] * len(visitors)
        self._by_kind: dict[str, _Interest] = {}

    def visit(self, node: Node, parent: Node) -> None:
        """Visit a node and what is below it; `parent` owns it."""
        kind = node.kind
        interest = self._by_kind.get(kind)
        if interest is None:
            interest = self._by_kind[kind] = _Interest(kind, self._type_info, self._visitors)
        skipping = self._skipping
        if interest.type_enter is not None:
            interest.type_enter(node)
        for number, enter in interest.enters:
            if skipping[number] is None:
                result = enter(node, None, parent, (), [parent])
                if result is not None:
                    skipping[number] = node
        for key in interest.keys:
            child = getattr(node, key, None)
            if child is not None:
                self._below(child, node)
        if interest.leaves:
            self._leave(interest, node, parent)
        if interest.type_leave is not None:
            interest.type_leave()

    def _below(self, child: Node | tuple[Node, ...], node: Node) -> None:
        if isinstance(child, tuple):
            for each in child:
                self.visit(each, node)
        else:
            self.visit(child, node)

    def _leave(self, interest: _Interest, node: Node, parent: Node) -> None:
        skipping = self._skipping
        for number, leave in interest.leaves:
            if skipping[number] is node:
                skipping[number] = None
            elif skipping[number] is None and leave is not None:
                leave(node, None, parent, (), [parent])


class _Interest:
    """What is called for nodes of one kind."""

    __slots__ = ("enters", "keys", "leaves", "type_enter", "type_leave")

    def __init__(self, kind: str, type_info: TypeInfo, visitors: list[Visitor]) -> None:
        self.keys = _KEYS.get(kind, ())
        self.type_enter: _Enter | None = getattr(type_info, f"enter_{kind}", None)
        self.type_leave: _Enter | None = getattr(type_info, f"leave_{kind}", None)
        found = [(_method(each, "enter", kind), _method(each, "leave", kind)) for each in visitors]
        self.enters = [(n, enter) for n, (enter, _) in enumerate(found) if enter is not None]
        # A visitor that skips a node on entering it must be called back on leaving.
        self.leaves = [
            (n, leave)
            for n, (enter, leave) in enumerate(found)
            if leave is not None or enter is not None
        ]


def _method(visitor: Visitor, when: str, kind: str) -> _Enter | None:
    """What a visitor wants to be called for a node.

    A visitor can tell this itself, but keeps what it tells: its own bound methods, a cycle that
    holds the document, and only the garbage collector would find it.
    """
    method: _Enter | None = getattr(visitor, f"{when}_{kind}", None)
    return method or getattr(visitor, when, None)
