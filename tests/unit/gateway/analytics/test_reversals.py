"""Reversals in the API: what they do to every answer, and how they are told apart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Entry
from gateway.analytics.query_plan import TotalsPlan
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

pytestmark = pytest.mark.anyio

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
LAST_DAY = "window: {last: {count: 1, unit: DAY}}"
LAST_HOURS = "window: {last: {count: 3, unit: HOUR}}"
MEASURES = "transactionCount transactionAmount"


def moved(number: int, receiver: str, sender: str, amount: str, hours: int) -> tuple[Entry, Entry]:
    """A transfer so many hours ago."""
    time_ms = NOW_MS - hours * HOUR_MS
    return transfer(receiver, sender, UUID.format(number), Decimal(amount), time_ms)


BOB = moved(1, "alice", "bob", "100", 10)
CAROL = moved(2, "alice", "carol", "40.5", 8)
DAVE = moved(3, "alice", "dave", "7", 6)
OLD = moved(4, "alice", "erin", "60", 40)
SENT = moved(5, "carol", "alice", "3", 5)
DATA = [
    *(each for pair in (BOB, CAROL, DAVE, OLD, SENT) for each in pair),
    *reversal(BOB, UUID.format(11), NOW_MS - 2 * HOUR_MS),
    # The transfer lies before every window here.
    *reversal(OLD, UUID.format(14), NOW_MS - HOUR_MS),
    *reversal(SENT, UUID.format(15), NOW_MS - HOUR_MS),
]


@pytest.fixture
def data() -> list[Entry]:
    return list(DATA)


async def test_sums_are_net_and_reversals_count_as_transactions(api: Api) -> None:
    answer = await api.account(
        f"totals({LAST_DAY}) {{ {MEASURES} averageAmount counterpartyCount reversals {{ {MEASURES} }} }}"
    )
    assert answer["totals"] == {
        "transactionCount": 5,
        "transactionAmount": "-12.5",  # 100 + 40.5 + 7 - 100 - 60
        "averageAmount": "49.16666667",  # of the three transfers, 147.5
        "counterpartyCount": 4,
        "reversals": {"transactionCount": 2, "transactionAmount": "160"},
    }


async def test_a_window_that_holds_the_reversal_alone_is_negative(api: Api) -> None:
    answer = await api.account(
        f"""totals({LAST_HOURS}) {{ {MEASURES} averageAmount reversals {{ {MEASURES} }} }}
        topCounterparties({LAST_HOURS}, first: 1) {{
          rows {{ rank accountId {MEASURES} shareOfAmount }}
          others {{ {MEASURES} counterpartyCount }} total {{ {MEASURES} counterpartyCount }} }}"""
    )
    assert answer["totals"]["transactionAmount"] == "-160"
    assert answer["totals"]["averageAmount"] is None
    assert answer["totals"]["reversals"] == {"transactionCount": 2, "transactionAmount": "160"}
    assert answer["topCounterparties"] == {
        "rows": [
            {
                "rank": 1,
                "accountId": "erin",
                "transactionCount": 1,
                "transactionAmount": "-60",
                "shareOfAmount": None,  # of less than nothing
            }
        ],
        "others": {"transactionCount": 1, "transactionAmount": "-100", "counterpartyCount": 1},
        "total": {"transactionCount": 2, "transactionAmount": "-160", "counterpartyCount": 2},
    }


async def test_a_ranking_is_by_net_amounts_and_adds_up(api: Api) -> None:
    answer = await api.account(
        f"topCounterparties({LAST_DAY}, first: 3) {{ rows {{ accountId {MEASURES} }}"
        f" others {{ {MEASURES} }} total {{ {MEASURES} }} }}"
    )
    ranking = answer["topCounterparties"]
    assert [tuple(row.values()) for row in ranking["rows"]] == [
        ("carol", 1, "40.5"),
        ("dave", 1, "7"),
        ("bob", 2, "0"),
    ]
    assert ranking["others"] == {"transactionCount": 1, "transactionAmount": "-60"}
    assert ranking["total"] == {"transactionCount": 5, "transactionAmount": "-12.5"}


async def test_a_series_falls_where_the_reversal_was(api: Api) -> None:
    answer = await api.account(
        f"timeSeries({LAST_DAY}, granularity: HOUR, fill: NONE) {{ points {{ {MEASURES} }} }}"
    )
    points = [tuple(point.values()) for point in answer["timeSeries"]["points"]]
    assert points == [(1, "100"), (1, "40.5"), (1, "7"), (1, "-100"), (1, "-60")]


async def test_both_sides_of_a_net_flow_tell_their_reversals_out_of_its_own_query(api: Api) -> None:
    answer = await api.account(
        f"""netFlow({LAST_DAY}) {{ netAmount
        received {{ {MEASURES} reversals {{ {MEASURES} }} }}
        sent {{ {MEASURES} reversals {{ {MEASURES} }} }} }}"""
    )
    assert answer["netFlow"] == {
        "netAmount": "-12.5",
        "received": {
            "transactionCount": 5,
            "transactionAmount": "-12.5",
            "reversals": {"transactionCount": 2, "transactionAmount": "160"},
        },
        "sent": {
            "transactionCount": 2,
            "transactionAmount": "0",
            "reversals": {"transactionCount": 1, "transactionAmount": "3"},
        },
    }
    assert len(api.store.plans) == 1


async def test_transfers_and_reversals_are_told_apart_only_when_reversals_are_selected(
    api: Api,
) -> None:
    await api.account(f"totals({LAST_DAY}) {{ {MEASURES} }}")
    assert [plan.by_kind for plan in api.store.plans if isinstance(plan, TotalsPlan)] == [False]


async def test_an_amount_and_its_reversals_come_out_of_one_look_at_the_store(api: Api) -> None:
    query = f"""query Apart($window: WindowInput!, $told: Boolean!) {{ account(id: "alice") {{
        totals(window: $window) {{ ...Told @include(if: $told) transactionAmount }}
        netFlow(window: $window) {{ received {{ reversals {{ {MEASURES} }} }} }}
        }} }} fragment Told on Totals {{ takenBack: reversals {{ {MEASURES} }} }}"""
    reversals = {"transactionCount": 2, "transactionAmount": "160"}
    for hours in (24, 25):
        api.store.plans.clear()
        last = {"last": {"count": hours, "unit": "HOUR"}}
        answer = (await api.ask(query, window=last, told=True))["account"]
        assert answer["totals"] == {"takenBack": reversals, "transactionAmount": "-12.5"}
        assert answer["netFlow"]["received"]["reversals"] == reversals
        assert [type(plan).__name__ for plan in api.store.plans] == ["TotalsPlan"]


async def test_a_change_since_a_negative_amount_has_no_ratio(api: Api) -> None:
    answer = await api.account(
        f"""totals(window: {{last: {{count: 1, unit: HOUR}}}}, compareTo: PREVIOUS_PERIOD) {{ {MEASURES}
        comparison {{ {MEASURES} transactionAmountChange transactionCountChangeRatio
          transactionAmountChangeRatio }} }}"""
    )
    assert answer["totals"] == {
        "transactionCount": 1,
        "transactionAmount": "-60",
        "comparison": {
            "transactionCount": 1,
            "transactionAmount": "-100",
            "transactionAmountChange": "40",
            "transactionCountChangeRatio": "0",
            # A rise by 40; 40 / -100 would read as a fall.
            "transactionAmountChangeRatio": None,
        },
    }


async def test_the_reversals_of_many_accounts_are_one_query(api: Api) -> None:
    answer = await api.ask(
        f'{{ accounts(ids: ["alice", "bob", "carol"]) {{ totals({LAST_DAY}, direction: SENT) {{'
        f" {MEASURES} reversals {{ {MEASURES} }} }} }} }}"
    )
    reversals = [each["totals"]["reversals"] for each in answer["accounts"]]
    assert reversals == [
        {"transactionCount": 1, "transactionAmount": "3"},
        {"transactionCount": 1, "transactionAmount": "100"},
        {"transactionCount": 0, "transactionAmount": "0"},
    ]
    assert len(api.store.plans) == 1


async def test_the_networks_reversals_are_equal_on_both_sides(api: Api) -> None:
    answer = await api.ask(
        f"""{{ network {{
        received: totals({LAST_DAY}) {{ reversals {{ {MEASURES} }} }}
        sent: totals({LAST_DAY}, direction: SENT) {{ reversals {{ {MEASURES} }} }} }} }}"""
    )
    expected = {"reversals": {"transactionCount": 3, "transactionAmount": "163"}}
    assert answer["network"] == {"received": expected, "sent": expected}


async def pages(api: Api, arguments: str, first: int = 20) -> list[dict[str, Any]]:
    """The nodes of all pages."""
    nodes: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        answer = await api.ask(
            f"""query ($after: String) {{ account(id: "alice") {{
            transactions({LAST_DAY}, first: {first}, after: $after{arguments}) {{
              edges {{ node {{ transactionId kind reverses direction counterpartyId amount }} }}
              pageInfo {{ hasNextPage endCursor }} }} }} }}""",
            after=after,
        )
        found = answer["account"]["transactions"]
        nodes += [edge["node"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            return nodes
        after = found["pageInfo"]["endCursor"]


async def test_a_reversal_is_listed_with_what_it_reverses(api: Api) -> None:
    received = await pages(api, ", direction: RECEIVED")
    assert [(each["kind"], each["amount"]) for each in received] == [
        ("REVERSAL", "-60"),
        ("REVERSAL", "-100"),
        ("TRANSFER", "7"),
        ("TRANSFER", "40.5"),
        ("TRANSFER", "100"),
    ]
    assert received[1] == {
        "transactionId": UUID.format(11),
        "kind": "REVERSAL",
        "reverses": UUID.format(1),
        "direction": "RECEIVED",
        "counterpartyId": "bob",
        "amount": "-100",
    }
    assert [each["reverses"] for each in received[2:]] == [None] * 3


@pytest.mark.parametrize("first", [1, 2, 20])
async def test_only_reversals_or_only_transfers_page_by_page(api: Api, first: int) -> None:
    both = await pages(api, "", first)
    reversals = await pages(api, ", kind: REVERSAL", first)
    transfers = await pages(api, ", kind: TRANSFER", first)
    assert [each["amount"] for each in reversals] == ["-3", "-60", "-100"]
    assert len(transfers) == 4
    assert await pages(api, ", kind: null", first) == both
    assert sorted(map(str, both)) == sorted(map(str, [*reversals, *transfers]))


async def test_a_cursor_serves_its_own_kind_only(api: Api) -> None:
    page = f"transactions({LAST_DAY}, first: 1, kind: REVERSAL) {{ pageInfo {{ endCursor }} }}"
    cursor = (await api.account(page))["transactions"]["pageInfo"]["endCursor"]
    for other in ("", ", kind: TRANSFER"):
        query = f'transactions({LAST_DAY}, after: "{cursor}"{other}) {{ edges {{ cursor }} }}'
        body = {"query": f'{{ account(id: "alice") {{ {query} }} }}'}
        (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "other arguments" in error["message"]
