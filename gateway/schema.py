"""The executable schema: types, scalars, and documents that were prepared before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.extensions.base_extension import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema without its error log, which prints whole documents."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it, for validation."""
        return self._schema

    def process_errors(self, *_: object) -> None:
        """Nothing: the operation's one log line tells of its errors."""


class PreparedDocument(SchemaExtension):
    """Executes the document that the context carries: it was parsed and validated before."""

    def on_parse(self) -> Iterator[None]:
        """Nothing is left to parse."""
        self.execution_context.graphql_document = self.execution_context.context.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Nothing is left to validate."""
        self.execution_context.pre_execution_errors = []
        yield


@cache
def make_schema() -> GatewaySchema:
    """The schema."""
    logging.getLogger("strawberry.execution").disabled = True
    schema = GatewaySchema(
        query=Query,
        extensions=[PreparedDocument],
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    for named in schema.graphql_schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            # Strawberry checks `@oneOf` by a rule of its own, which fails on undefined variables
            # and on fragments; told of it, graphql-core's rules check it.
            named.is_one_of = named.extensions["strawberry-definition"].is_one_of
    return schema
