"""The executable schema: types, scalars, and the guards that stand before execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache

import strawberry
from graphql import (
    ASTValidationRule,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
)
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.extensions.base_extension import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError

from gateway.guards import depth_rule, fields_rule
from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS

CACHED_DOCUMENTS = 256
"""Parsed documents kept; one of the longest allowed takes about 1 MB."""


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema without its error log, which prints whole documents."""

    def process_errors(self, *_: object) -> None:
        """Nothing: the operation's one log line tells of its errors."""


class OneOperation(SchemaExtension):
    """Refuses a document of several operations without the name of one: Strawberry runs the first."""

    def on_validate(self) -> Iterator[None]:
        """Count them, once the document is parsed."""
        context = self.execution_context
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        if len(operations) > 1 and context._provided_operation_name is None:
            raise CannotGetOperationTypeError(None)
        yield


@cache
def make_schema(
    max_depth: int = 12,
    max_fields: int = 500,
    max_tokens: int = 3_000,
    introspection: bool = True,
) -> GatewaySchema:
    """The schema with its guards."""
    logging.getLogger("strawberry.execution").disabled = True
    rules: list[type[ASTValidationRule]] = [depth_rule(max_depth), fields_rule(max_fields)]
    if not introspection:
        rules.append(NoSchemaIntrospectionCustomRule)
    # Rules must be the same classes each time, else every document is validated anew.
    extensions: list[Callable[[], SchemaExtension]] = [
        lambda: MaxTokensLimiter(max_tokens),
        OneOperation,
        lambda: AddValidationRules(rules),
        lambda: ParserCache(CACHED_DOCUMENTS),
        lambda: ValidationCache(CACHED_DOCUMENTS),
    ]
    return GatewaySchema(
        query=Query,
        extensions=extensions,
        config=StrawberryConfig(
            scalar_map=dict(SCALARS),
            disable_field_suggestions=not introspection,
        ),
    )
