"""Python's gql: documents checked against the committed schema, money as `Decimal`, errors by code."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from graphql import GraphQLSchema, build_schema

SCHEMA = Path(__file__).parents[2] / "graphql_schema" / "schema.graphql"


def main(url: str, document: str) -> None:
    """Ask once as it should be asked, and once with an id that is none."""
    client = Client(transport=HTTPXTransport(url=url), schema=schema(), parse_results=True)
    request = GraphQLRequest(
        Path(document).read_text(encoding="utf-8"), variable_values={"accountId": "acct-000001"}
    )
    with client as session:
        rows = session.execute(request)["account"]["topCounterparties"]["rows"]
        total = sum((row["transactionAmount"] for row in rows), Decimal())
        told = {"rows": len(rows), "total": type(total).__name__, "code": refusal(session, request)}
    print(json.dumps(told))


def schema() -> GraphQLSchema:
    """The schema as gql reads answers by it: amounts are decimals, not text and not floats."""
    parsed = build_schema(SCHEMA.read_text(encoding="utf-8"))
    parsed.type_map["Decimal"].parse_value = Decimal  # type: ignore[attr-defined]
    return parsed


def refusal(session: Any, request: GraphQLRequest) -> str:
    """The code of the error for an account id that is too long."""
    request.variable_values = {"accountId": "x" * 65}
    try:
        session.execute(request)
    except TransportQueryError as error:
        code: str = (error.errors or [{}])[0]["extensions"]["code"]
        return code
    return "none"


if __name__ == "__main__":
    main(*sys.argv[1:])
