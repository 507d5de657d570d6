"""What the API answers beyond the first question: between two accounts, both sides, the network, limits."""

from __future__ import annotations

import pytest

from tests.unit.gateway.analytics.few_transfers import LAST_DAY
from tests.unit.gateway.api import Api

pytestmark = pytest.mark.anyio


async def test_what_is_between_two_accounts(api: Api) -> None:
    measures = "transactionCount transactionAmount"
    window = "window: {last: {count: 2, unit: DAY}}"
    answer = await api.account(
        f"""totals({LAST_DAY}, counterpartyId: "bob", compareTo: PREVIOUS_PERIOD) {{
          {measures} averageAmount counterpartyCount comparison {{ {measures} }} }}
        all: totals({LAST_DAY}) {{ transactionCount counterpartyCount }}
        stranger: totals({LAST_DAY}, counterpartyId: "zoe") {{ {measures} counterpartyCount }}
        netFlow({window}, counterpartyId: "bob") {{
          netAmount received {{ {measures} }} sent {{ {measures} }} }}
        timeSeries({window}, granularity: DAY, fill: NONE, counterpartyId: "bob") {{
          points {{ start transactionAmount }} }}"""
    )
    assert answer["totals"] == {
        "transactionCount": 1,
        "transactionAmount": "10",
        "averageAmount": "10",
        "counterpartyCount": 1,
        "comparison": {"transactionCount": 1, "transactionAmount": "20"},
    }
    assert answer["all"] == {"transactionCount": 4, "counterpartyCount": 4}
    nothing = {"transactionCount": 0, "transactionAmount": "0"}
    assert answer["stranger"] == {**nothing, "counterpartyCount": 0}
    assert answer["netFlow"] == {
        "received": {"transactionCount": 2, "transactionAmount": "30"},
        "sent": {"transactionCount": 1, "transactionAmount": "4.5"},
        "netAmount": "25.5",
    }
    assert answer["timeSeries"]["points"] == [
        {"start": "2025-11-21T00:00:00.000Z", "transactionAmount": "20"},
        {"start": "2025-11-22T00:00:00.000Z", "transactionAmount": "10"},
    ]


async def test_a_ranking_by_count_breaks_ties_by_amount_then_id(api: Api) -> None:
    answer = await api.account(
        """topCounterparties(window: {last: {count: 1, unit: WEEK}}, orderBy: TRANSACTION_COUNT) {
        rows { accountId transactionCount transactionAmount } }"""
    )
    assert [tuple(row.values()) for row in answer["topCounterparties"]["rows"]] == [
        ("carol", 2, "50"),
        ("bob", 2, "30"),
        ("dave", 1, "50"),
        ("erin", 1, "5"),
        ("alice", 1, "1"),
    ]


async def test_the_net_flow_counts_a_transfer_to_oneself_on_both_sides(api: Api) -> None:
    answer = await api.account(
        f"""netFlow({LAST_DAY}) {{ received {{ transactionCount transactionAmount }}
        sent {{ transactionCount transactionAmount }} netAmount }}"""
    )
    assert answer["netFlow"] == {
        "received": {"transactionCount": 4, "transactionAmount": "46"},
        "sent": {"transactionCount": 2, "transactionAmount": "5.5"},
        "netAmount": "40.5",
    }
    assert len(api.store.plans) == 1


async def test_the_network(api: Api) -> None:
    answer = await api.ask(
        """{ network { totals(window: {last: {count: 1, unit: WEEK}}) {
          transactionCount transactionAmount counterpartyCount }
        topAccounts(window: {last: {count: 1, unit: WEEK}}, direction: SENT, first: 2) {
          rows { rank accountId transactionAmount } others { counterpartyCount transactionAmount }
          total { counterpartyCount } }
        timeSeries(window: {last: {count: 1, unit: WEEK}}, granularity: WEEK, fill: NONE) {
          points { transactionCount } } } }"""
    )
    assert answer["network"] == {
        "totals": {"transactionCount": 8, "transactionAmount": "140.5", "counterpartyCount": 2},
        "topAccounts": {
            "rows": [
                {"rank": 1, "accountId": "carol", "transactionAmount": "50"},
                {"rank": 2, "accountId": "dave", "transactionAmount": "50"},
            ],
            "others": {"counterpartyCount": 3, "transactionAmount": "40.5"},
            "total": {"counterpartyCount": 5},
        },
        "timeSeries": {"points": [{"transactionCount": 8}]},
    }


async def test_limits_are_told(api: Api) -> None:
    answer = await api.ask("{ limits { maxFirst maxAccounts maxPoints maxWindowDays maxDepth } }")
    assert answer["limits"] == {
        "maxFirst": 100,
        "maxAccounts": 50,
        "maxPoints": 1500,
        "maxWindowDays": 3660,
        "maxDepth": 12,
    }


async def test_fragments_aliases_and_directives_change_nothing(api: Api) -> None:
    plain = await api.account(f"totals({LAST_DAY}) {{ transactionAmount }}")
    dressed = await api.ask(
        """query ($no: Boolean! = false) { mine: account(id: "alice") { ...A ... on Account {
          also: totals(window: {last: {count: 1, unit: DAY}}) { transactionAmount } }
          skipped: netFlow(window: {calendar: TODAY}) @include(if: $no) { netAmount } } }
        fragment A on Account {
          totals(window: {last: {count: 1, unit: DAY}}) { ...B } }
        fragment B on Answer { ... on Totals { transactionAmount } }"""
    )
    assert dressed["mine"]["totals"] == dressed["mine"]["also"] == plain["totals"]
    assert "skipped" not in dressed["mine"]
    assert len(api.store.plans) == 2
