"""Values that do not fit their types: what cannot be completed at once is told at its place."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError, execute, parse
from graphql.execution import Executor

from gateway.errors import CostLimitExceededError
from gateway.execution.error_format import root_cause
from gateway.execution.executor import GatewayExecutor
from gateway.execution.schema import make_schema
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
        "source": None,
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
    window: dict[str, Any] = {"start": node["time"], "end": node["time"]}
    window |= {"time_zone": "UTC", "final": False}
    whole: dict[str, Any] = {"source": None, "as_of": node["time"], "exact": True}
    for each in (node, info, window, whole):
        each.update({key: value for key, value in changed.items() if key in each})
    made = transactions.TransactionEdge(cursor="c", node=transactions.Transaction(**node))
    last = changed.get("edge", made)
    return transactions.TransactionConnection(
        **whole,
        window=answers.Window(**window),
        edges=changed.get("edges", [made, last]),
        page_info=answers.PageInfo(**info),
    )


def both(value: object) -> tuple[ExecutionResult, ExecutionResult]:
    """What graphql-core and our executor make of a page."""

    async def run() -> tuple[ExecutionResult, ExecutionResult]:
        running: Any = [
            execute(SCHEMA, parse(TEXT), context_value=Broken(value), executor_class=each)
            for each in (Executor, GatewayExecutor)
        ]
        return await running[0], await running[1]

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
    expected, found = both(value)
    assert expected.errors is None
    assert found == expected


@pytest.mark.parametrize("value", BROKEN, ids=range(len(BROKEN)))
def test_what_does_not_fit_has_the_same_error_at_the_same_place(value: object) -> None:
    expected, found = both(value)
    assert expected.errors
    assert found.formatted == expected.formatted


def test_an_execution_is_gone_without_the_garbage_collector() -> None:
    """Else the collector would be at it all the time, and stop every request while it is."""
    document, value = parse(TEXT), page()

    async def run() -> None:
        running: Any = execute(
            SCHEMA, document, context_value=Broken(value), executor_class=GatewayExecutor
        )
        assert (await running).errors is None

    async def runs() -> int:
        await run()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await run()
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(runs()) == 0


def described(condition: str) -> list[GraphQLError]:
    """What is wrong with far too much of the schema's description, under a condition."""
    fields = " ".join(
        f"a{number}: types {{ fields {{ name args {{ name {condition} }} }} }}"
        for number in range(40)
    )
    found = execute(
        SCHEMA,
        parse(f"query ($null: Boolean = true) {{ __schema {{ {fields} }} }}"),
        variable_values={"null": None},
        executor_class=GatewayExecutor,
    )
    assert isinstance(found, ExecutionResult)
    assert found.data is None
    return list(found.errors or ())


def test_the_schemas_description_ends_where_there_is_too_much_of_it() -> None:
    (error,) = described("")
    assert isinstance(root_cause(error), CostLimitExceededError)


def test_a_condition_in_the_schemas_description_that_is_null_is_told_once() -> None:
    (error,) = described("@include(if: $null)")
    assert "Argument 'if' has invalid value" in error.message
