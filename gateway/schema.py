"""The executable schema: types and scalars, and the rules that guard its documents."""

from __future__ import annotations

import logging
from functools import cache

import strawberry
from graphql import ASTValidationRule, GraphQLSchema, NoSchemaIntrospectionCustomRule
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.guards import depth_rule, fields_rule
from gateway.parsed import ParsedDocuments
from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS


@cache
def make_schema() -> strawberry.Schema:
    """The schema as Strawberry has it."""
    # Strawberry's error log prints whole documents; the operation's log line tells of its errors.
    logging.getLogger("strawberry.execution").disabled = True
    return strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=dict(SCALARS)))


def executable(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema as graphql-core executes it, past Strawberry's machinery around each operation."""
    inner: GraphQLSchema = schema._schema  # it has no public name
    return inner


def parsed_documents(
    max_depth: int = 12,
    max_fields: int = 500,
    max_tokens: int = 3_000,
    *,
    introspection: bool = True,
) -> ParsedDocuments:
    """Documents of the schema, within limits."""
    rules: list[type[ASTValidationRule]] = [
        OneOfInputValidationRule,
        depth_rule(max_depth),
        fields_rule(max_fields),
    ]
    if not introspection:
        rules.append(NoSchemaIntrospectionCustomRule)
    return ParsedDocuments(
        executable(make_schema()), rules, max_tokens, hide_suggestions=not introspection
    )
