"""The executable schema: types and scalars."""

from __future__ import annotations

from functools import lru_cache

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from gateway.execution import told_limits
from gateway.execution.told_limits import Told
from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS
from graphql_schema.subscription import Subscription


class GatewaySchema(strawberry.Schema):
    """Strawberry's schema, of which only the types are used: documents are executed past it."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core validates and executes it."""
        return self._schema


def make_schema(told: Told = ()) -> GatewaySchema:
    """The schema; where its descriptions name a limit's default, they tell what is configured instead."""
    return _made(told)


@lru_cache(maxsize=8)
def _made(told: Told) -> GatewaySchema:
    schema = GatewaySchema(
        query=Query,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    for named in schema.graphql_schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            # Strawberry checks `@oneOf` by a rule of its own, which fails on undefined variables
            # and on fragments; told of it, graphql-core's rules check it.
            named.is_one_of = named.extensions["strawberry-definition"].is_one_of
    if told:
        told_limits.tell(schema.graphql_schema, dict(told))
    return schema
