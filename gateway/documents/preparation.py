"""From a document's text to what can be executed, or to why it is refused: each text once.

The order is by price: the text's tokens, then its tree's sizes, then GraphQL's rules, then its cost.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Lexer,
    OperationDefinitionNode,
    OperationType,
    Source,
    Token,
    get_variable_values,
)
from graphql.execution import VariableValues
from graphql.language.parser import Parser

from gateway.documents import guards, prescan, validation
from gateway.documents.asked_accounts import AskedAccounts, Groups, asked_accounts
from gateway.documents.caps import Caps
from gateway.documents.cost.pricing import Price, Pricing
from gateway.errors import OperationUnresolvedError
from gateway.process.bounded_store import BoundedStore

MAX_ERRORS = 5
"""Errors told of one document or its variables; finding more would cost more than they are worth."""

MAX_BYTES = 40 * 1024 * 1024
"""Of all documents that are kept."""

DOCUMENT_BYTES = 2_000
TREE_BYTES = 8_000
TOKEN_BYTES = 650
"""Of a document beside its text; of its tree and each token of it: the most that was measured."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready for execution, or the errors that it is refused with.

    `key` is its text's digest.
    """

    document: DocumentNode | None
    operations: Mapping[str | None, OperationDefinitionNode]
    errors: tuple[GraphQLError, ...]
    key: str
    tokens: int

    def size(self, text: str) -> int:
        """Bytes that the document takes, its text included; of one in error there is no tree."""
        tree = 0 if self.document is None else TREE_BYTES + TOKEN_BYTES * self.tokens
        return DOCUMENT_BYTES + tree + sys.getsizeof(text)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run; raises `OperationUnresolvedError`."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            raise OperationUnresolvedError(
                "The document has no operation of that name, or does not say which to run."
            )
        return found

    def kind(self, name: str | None) -> OperationType:
        """What the operation to run is; raises `OperationUnresolvedError`."""
        return self.operation(name).operation


class Preparation:
    """Prepares documents, and keeps what it prepared, bounded."""

    def __init__(
        self,
        schema: GraphQLSchema,
        caps: Caps,
        pricing: Pricing,
        introspection: bool,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._schema = schema
        self._caps = caps
        self.pricing = pricing
        self._introspection = introspection
        self._kept: BoundedStore[Prepared] = BoundedStore(max_bytes)

    @property
    def kept_bytes(self) -> int:
        """What all documents that are kept take."""
        return self._kept.bytes

    def known(self, text: str) -> Prepared | None:
        """What was prepared before, if it is still kept."""
        return self._kept.get(digest_of(text))

    def count(self, text: str) -> int:
        """A document's tokens; raises `DocumentRefusedError` if its text is over its caps."""
        return prescan.scan(text, self._caps)

    def prepare(self, text: str) -> Prepared:
        """A document's tree and errors; raises `DocumentRefusedError` if it is over its caps."""
        prepared = self.known(text)
        if prepared is None:
            prepared = self.check(text)
            self.keep(text, prepared)
        return prepared

    def check(self, text: str) -> Prepared:
        """The same whether it is kept or not; safe in any thread, as only the schema and caps are read."""
        tokens = prescan.scan(text, self._caps)
        key = digest_of(text)
        try:
            # Twice the cap: prescan has counted, but a token may be less there than here.
            document = _parse(text, 2 * self._caps.max_tokens)
        except GraphQLError as error:
            return Prepared(None, {}, (error.with_traceback(None),), key, tokens)
        guards.check(document, self._caps)
        errors = validation.validate(
            self._schema, document, MAX_ERRORS, introspection=self._introspection
        )
        operations: dict[str | None, OperationDefinitionNode] = {
            each.name.value if each.name else None: each
            for each in document.definitions
            if isinstance(each, OperationDefinitionNode)
        }
        return Prepared(document, operations, errors, key, tokens)

    def keep(self, text: str, prepared: Prepared) -> None:
        """Keep what was checked and not known."""
        self._kept.put(prepared.key, prepared, prepared.size(text))

    def coerce(
        self, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> VariableValues | list[GraphQLError]:
        """The values that the operation is priced by, known by and executed with, or why not."""
        found = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            dict(variables),
            MAX_ERRORS,
            hide_suggestions=not self._introspection,
        )
        if isinstance(found, VariableValues):
            return found
        return [validation.bare(each) for each in found]

    def accounts(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        values: VariableValues,
        groups: Groups,
    ) -> AskedAccounts:
        """The accounts that an operation of a valid document names, by ids, cursors or groups of its caller."""
        return asked_accounts(self._schema, document, operation, values, groups)

    def price(
        self, document: DocumentNode, operation: OperationDefinitionNode, values: VariableValues
    ) -> Price:
        """What running an operation of a valid document with these values costs and answers."""
        return self.pricing.price(document, operation, values)


def _parse(text: str, max_tokens: int) -> DocumentNode:
    """The document's tree; raises `GraphQLError`.

    Each token knows those beside it, so that every text would be one cycle of a thousand objects
    and more, which only the garbage collector ends. Nobody reads the chain afterwards.
    """
    lexer = Lexer(Source(text))
    token: Token | None = lexer.token  # the first; of a text in error nothing else leads to it
    try:
        return Parser(lexer.source, max_tokens=max_tokens, lexer=lexer).parse_document()
    finally:
        while token is not None:
            following = token.next
            token.prev = token.next = None
            token = following


def digest_of(text: str) -> str:
    """The key that a document is kept by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
