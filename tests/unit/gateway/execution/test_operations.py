"""An operation executed: its figures to the digit, and the store queries that it takes."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import pytest

from gateway.settings import Settings
from tests.unit.gateway.served import ENTRIES, LIVE, TOP, Gateway, HeldStore

pytestmark = pytest.mark.anyio


async def test_the_question_it_exists_for(gateway: Gateway) -> None:
    answer = (await gateway.ask(TOP))["data"]["account"]["topCounterparties"]
    assert answer == {
        "asOf": "2025-11-22T08:26:39.000Z",
        "exact": True,
        "window": {
            "start": "2025-11-21T08:26:40.000Z",
            "end": "2025-11-22T08:26:40.000Z",
            "timeZone": "UTC",
        },
        "rows": [
            {
                "rank": 1,
                "accountId": "bob",
                "transactionCount": 2,
                "transactionAmount": "11",
                "shareOfAmount": "0.42307692",
            },
            {
                "rank": 2,
                "accountId": "carol",
                "transactionCount": 1,
                "transactionAmount": "7",
                "shareOfAmount": "0.26923077",
            },
        ],
        "others": {"counterpartyCount": 2, "transactionCount": 2, "transactionAmount": "8"},
        "total": {"counterpartyCount": 4, "transactionCount": 5, "transactionAmount": "26"},
    }
    # Rows, then the total, then the number of accounts: shares and others come out of these.
    assert [type(plan).__name__ for plan in gateway.store.plans] == [
        "TopPlan",
        "TotalsPlan",
        "DistinctPlan",
    ]


async def test_a_ranking_that_shows_everyone_takes_one_store_query(gateway: Gateway) -> None:
    answer = (await gateway.ask(TOP, first=10))["data"]["account"]["topCounterparties"]
    assert answer["others"] == {
        "counterpartyCount": 0,
        "transactionCount": 0,
        "transactionAmount": "0",
    }
    assert answer["total"]["transactionAmount"] == "26"
    assert len(gateway.store.plans) == 1


async def test_an_unknown_account_has_zero_totals_and_no_rows(gateway: Gateway) -> None:
    query = """{ account(id: "nobody") { id
      totals(window: {calendar: THIS_YEAR}) { transactionCount transactionAmount averageAmount }
      topCounterparties(window: {calendar: THIS_YEAR}) { rows { rank } } } }"""
    assert (await gateway.ask(query))["data"]["account"] == {
        "id": "nobody",
        "totals": {"transactionCount": 0, "transactionAmount": "0", "averageAmount": None},
        "topCounterparties": {"rows": []},
    }


async def test_panels_of_one_window_share_store_queries(gateway: Gateway) -> None:
    query = """{ accounts(ids: ["alice", "bob", "alice"]) { id
      received: totals(window: {calendar: TODAY}) { transactionAmount }
      sent: totals(window: {calendar: TODAY}, direction: SENT) { transactionAmount }
      netFlow(window: {calendar: TODAY}) { netAmount } } }"""
    accounts = (await gateway.ask(query))["data"]["accounts"]
    assert [account["id"] for account in accounts] == ["alice", "bob"]
    assert accounts[1]["netFlow"] == {"netAmount": "-11"}
    assert len(gateway.store.plans) == 1


async def test_the_operation_that_is_named_runs(gateway: Gateway) -> None:
    document = "query A { limits { maxFirst } } query B { limits { maxAccounts } }"
    for name, data in (("A", {"maxFirst": 100}), ("B", {"maxAccounts": 50})):
        response = await gateway.post(document, operationName=name)
        assert response.json()["data"] == {"limits": data}


async def test_what_is_not_proven_exact_says_why() -> None:
    gateway = Gateway(store=HeldStore(ENTRIES, inexact="Groups were cut."))
    query = '{ account(id: "alice") { top: topCounterparties(%s) { exact } } }' % LIVE
    body = await gateway.ask(query)
    assert body["data"]["account"]["top"] == {"exact": False}
    assert body["extensions"]["inexact"] == [
        {"path": ["account", "top"], "reason": "Groups were cut."}
    ]
    assert body["extensions"]["cost"]["requested"] > 0


async def test_one_operation_has_a_bound_of_store_queries() -> None:
    gateway = Gateway(Settings(max_store_queries=2))
    fields = " ".join(
        f"t{n}: totals(window: {{last: {{count: {n}, unit: HOUR}}}}) {{ exact }}"
        for n in range(1, 4)
    )
    body = await gateway.ask('{ account(id: "alice") { %s } }' % fields)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["COST_LIMIT_EXCEEDED"]
    assert len(gateway.store.plans) == 2
