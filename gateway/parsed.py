"""Documents parsed and validated, once each: the limits of documents are rules like all others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

MOST_DOCUMENTS = 1_000
MOST_CHARACTERS = 2_000_000
"""Parsed, a document takes up to thirty times its text."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document: its tree, its operations by name, and what is wrong with it.

    `declared`: the variables of each operation.
    """

    tree: DocumentNode | None
    operations: dict[str | None, OperationDefinitionNode]
    declared: dict[str | None, frozenset[str]]
    problems: tuple[GraphQLError, ...]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of a name, or the only one if no name is given."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return None if name is None else self.operations.get(name)


class ParsedDocuments:
    """Parses each document once; keeps the latest used, bounded."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Sequence[type[ASTValidationRule]],
        max_tokens: int,
        *,
        hide_suggestions: bool,
    ) -> None:
        self._schema = schema
        self._rules = (*specified_rules, *rules)
        self._max_tokens = max_tokens
        self._hide_suggestions = hide_suggestions
        self._kept: OrderedDict[str, Parsed] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> Parsed:
        """The document of a text, valid or not."""
        known = self._kept.get(text)
        if known is not None:
            self._kept.move_to_end(text)
            return known
        parsed = self._parse(text)
        self._kept[text] = parsed
        self._characters += len(text)
        while len(self._kept) > MOST_DOCUMENTS or self._characters > MOST_CHARACTERS:
            dropped, _ = self._kept.popitem(last=False)
            self._characters -= len(dropped)
        return parsed

    def _parse(self, text: str) -> Parsed:
        try:
            tree = parse(text, max_tokens=self._max_tokens)
        except GraphQLError as error:
            # Its traceback would keep the parser, and with it the frames of this request.
            return Parsed(None, {}, {}, (error.with_traceback(None),))
        operations = {
            None if node.name is None else node.name.value: node
            for node in tree.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        declared = {
            name: frozenset(each.variable.name.value for each in node.variable_definitions or ())
            for name, node in operations.items()
        }
        problems = validate(
            self._schema, tree, self._rules, hide_suggestions=self._hide_suggestions
        )
        return Parsed(tree, operations, declared, tuple(problems))
