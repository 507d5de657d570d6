"""Operations and their prices, by the committed schema or by one of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse
from graphql.execution import VariableValues

from gateway.documents.cost.pricing import Estimate, Price, Pricing
from gateway.documents.cost.sizes import estimates, lengths_below, made
from gateway.documents.cost.weights import read
from gateway.execution.schema import make_schema
from gateway.execution.sdl import sdl

DIRECTIVES = """
directive @cost(weight: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
"""
EXAMPLE = """
type User { name: String  age: Int @cost(weight: "2.0")  boss: User }
type Film { title: String }
type Edge { node: Film }
type Films { edges: [Edge]  count: Int }
type Big @cost(weight: "7") { x: Stamp }
scalar Stamp @cost(weight: "3")
type Query {
  users(max: Int): [User] @listSize(slicingArguments: ["max"])
  top: [String] @listSize(assumedSize: 10)
  films(first: Int, last: Int, cheap: Boolean @cost(weight: "-5")): Films
    @cost(weight: "4") @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"])
  big: Big
}
"""
OWN = build_schema(sdl())


def price(
    query: str,
    sdl_text: str | None = None,
    own: Mapping[tuple[str, str], Estimate] | None = None,
    **variables: Any,
) -> Price:
    document = parse(query)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    if sdl_text is None:
        pricing = Pricing(
            make_schema().graphql_schema,
            read(OWN),
            own or estimates(50, 1_500),
            lengths_below(1_500),
            made(1_500, 20, 10_000),
        )
    else:
        schema = build_schema(DIRECTIVES + sdl_text)
        pricing = Pricing(schema, read(schema), own or {})
    values = get_variable_values(
        pricing.schema, operation.variable_definitions or (), dict(variables)
    )
    assert isinstance(values, VariableValues)
    return pricing.price(document, operation, values)


def cost(query: str, sdl_text: str | None = None, **variables: Any) -> int:
    return price(query, sdl_text, **variables).points


TOTALS = "totals(window: {calendar: TODAY}) { transactionCount }"
