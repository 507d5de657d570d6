"""From a document's text to what can be executed, or to why it is refused: each text once.

The order is by price: the text's tokens, then its tree's sizes, then GraphQL's rules, then its cost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Lexer,
    OperationDefinitionNode,
    OperationType,
    Source,
    Token,
)
from graphql.language.parser import Parser

from gateway import guards, prescan, validation
from gateway.caps import Caps
from gateway.cost.priced import Priced
from gateway.cost.pricing import Pricing
from gateway.errors import OperationUnresolvedError
from gateway.recency import Recency

MAX_ERRORS = 5
"""Errors told of one document; finding more would cost more than the document is worth."""

CACHED_TOKENS = 60_000
"""Total length of the documents that are kept; a token takes 600 to 1,000 bytes parsed."""

KNOWN_COSTS = 64
"""Costs kept of one document, by the variables that matter."""


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
    priced: dict[str | None, Priced] = field(default_factory=dict)
    costs: dict[bytes, int] = field(default_factory=dict)

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

    def is_query(self, name: str | None) -> bool:
        """Whether the operation to run only reads; raises `OperationUnresolvedError`."""
        return self.operation(name).operation is OperationType.QUERY


class Preparation:
    """Prepares documents, and keeps what it prepared, bounded."""

    def __init__(
        self,
        schema: GraphQLSchema,
        caps: Caps,
        pricing: Pricing,
        introspection: bool,
        capacity: int = CACHED_TOKENS,
    ) -> None:
        self._schema = schema
        self._caps = caps
        self._pricing = pricing
        self._introspection = introspection
        self._kept: Recency[Prepared] = Recency(capacity)

    def known(self, text: str) -> Prepared | None:
        """What was prepared before, if it is still kept."""
        return self._kept.get(_digest(text))

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
        key = _digest(text)
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
        self._kept.put(prepared.key, prepared, prepared.tokens + len(text) // 20 + 20)

    def cost(self, prepared: Prepared, name: str | None, variables: Mapping[str, Any]) -> int:
        """The cost of running one operation of a valid document with these variables."""
        operation = prepared.operation(name)
        name = operation.name.value if operation.name else None
        priced = prepared.priced.get(name)
        if priced is None:
            assert prepared.document is not None
            priced = self._pricing.price(prepared.document, operation)
            prepared.priced[name] = priced
        relevant = [name, *((each, variables.get(each)) for each in priced.variables)]
        try:
            key = orjson.dumps(relevant)
        except TypeError:  # half a surrogate pair, a number too long: nothing worth remembering
            return priced.cost(variables)
        known = prepared.costs.get(key)
        if known is None:
            known = priced.cost(variables)
            if len(prepared.costs) >= KNOWN_COSTS:
                prepared.costs.clear()
            prepared.costs[key] = known
        return known


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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
