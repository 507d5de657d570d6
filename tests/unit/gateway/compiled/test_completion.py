"""Values that do not fit their types: what the quick way cannot complete is told at its place."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse

from gateway.compiled.program import Started, compile_outline, outline_of
from gateway.schema import make_schema
from graphql_schema import answers, enums, transactions

SCHEMA = make_schema().graphql_schema
TEXT = """{ account(id: "alice") {
  id
  transactions(window: {calendar: TODAY}) {
    exact window { timeZone }
    edges { cursor node { direction amount time } }
    pageInfo { endCursor hasNextPage }
  }
} }"""


class Broken:
    """Resolvers whose transactions are as a test wants them; the context of an execution, too."""

    def __init__(self, page: object) -> None:
        self.page = page

    def resolvers_at(self, _: object) -> Broken:
        return self

    def account_id(self, account_id: str, _: str) -> str:
        return account_id

    async def transactions(self, *_: object) -> object:
        return self.page


def page(**changed: Any) -> transactions.TransactionConnection:
    node: dict[str, Any] = {
        "transaction_id": "t",
        "kind": enums.TransactionKind.TRANSFER,
        "reverses": None,
        "direction": enums.Direction.SENT,
        "counterparty_id": "bob",
        "amount": Decimal(1),
        "time": datetime.fromisoformat("2025-11-22T08:26:40+00:00"),
    }
    info: dict[str, Any] = {
        "has_next_page": False,
        "has_previous_page": False,
        "start_cursor": None,
        "end_cursor": None,
    }
    window: dict[str, Any] = {"start": node["time"], "end": node["time"], "time_zone": "UTC"}
    whole: dict[str, Any] = {"as_of": node["time"], "exact": True}
    for each in (node, info, window, whole):
        each.update({key: value for key, value in changed.items() if key in each})
    made = transactions.TransactionEdge(cursor="c", node=transactions.Transaction(**node))
    last = changed.get("edge", made)
    return transactions.TransactionConnection(
        **whole,
        window=answers.Window(**window),
        edges=changed.get("edges", [made, last]),
        page_info=transactions.PageInfo(**info),
    )


def both(value: object) -> tuple[ExecutionResult, ExecutionResult]:
    """What graphql-core and the compiled operation make of a page."""
    document, context = parse(TEXT), Broken(value)

    async def run() -> tuple[ExecutionResult, ExecutionResult]:
        running: Any = execute(SCHEMA, document, context_value=context)
        program = compile_outline(SCHEMA, outline_of(document, None), hide_suggestions=False)
        anyhow: Any = context
        started = program.start(anyhow, {})
        assert isinstance(started, Started)
        return await running, await started.result()

    return asyncio.run(run())


FITTING = [page(), page(edges=[]), None, page(end_cursor="c")]
BROKEN = [
    page(exact="yes"),
    page(exact=None),
    page(time_zone=None),
    page(amount=1.5),
    page(direction="UP"),
    page(direction=None),
    page(time=datetime(2025, 1, 1)),  # noqa: DTZ001 # that it has no zone is what is wrong
    page(edge=None),
    page(edge=ValueError("an edge")),
    page(edges=None),
    page(edges=5),
    page(edges=""),
    page(edges={}),
    page(has_next_page=None),
    page(end_cursor=object),
    ValueError("a page"),
    page().window,
    "text",
]


@pytest.mark.parametrize("value", FITTING, ids=range(len(FITTING)))
def test_what_fits_is_completed(value: object) -> None:
    expected, compiled = both(value)
    assert expected.errors is None
    assert compiled == expected


@pytest.mark.parametrize("value", BROKEN, ids=range(len(BROKEN)))
def test_what_does_not_fit_has_the_same_error_at_the_same_place(value: object) -> None:
    expected, compiled = both(value)
    assert expected.errors
    assert compiled.formatted == expected.formatted
