"""Pages of transactions: how they go on, and which cursors are refused."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import pytest

from tests.store_cases import transfer
from tests.unit.gateway.analytics.few_transfers import DATA, UUID
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

pytestmark = pytest.mark.anyio

PAGE = """query ($after: String, $first: Int! = 2) { account(id: "alice") {
  transactions(window: {last: {count: 1, unit: WEEK}}, first: $first, after: $after) {
    window { end } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { transactionId direction counterpartyId amount time } } } } }"""


async def test_pages_go_on_where_they_ended_while_entries_arrive(api: Api) -> None:
    seen: list[tuple[str, str]] = []
    after, ends = None, set()
    while True:
        page = (await api.ask(PAGE, after=after))["account"]["transactions"]
        seen += [(e["node"]["transactionId"], e["node"]["direction"]) for e in page["edges"]]
        ends.add(page["window"]["end"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        # A new one at the front, and one that comes late between the pages already seen.
        number = 900 + len(seen)
        api.store.entries = [
            *api.store.entries,
            *transfer("alice", "zoe", UUID.format(number), Decimal(1), NOW_MS - 1),
        ]
    mine = [e for e in DATA if e.account_id == "alice"]
    assert len(seen) == len(set(seen))
    assert {each for each in seen if each[0] < UUID.format(900)} == {
        (each.transaction_id, each.direction.value) for each in mine
    }
    assert len(ends) == 1


async def refused_cursor(api: Api, query: str, after: str) -> str:
    """Why a cursor is refused, before anything is fetched."""
    asked = len(api.store.plans)
    body = {"query": query, "variables": {"after": after}}
    (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(api.store.plans) == asked
    message: str = error["message"]
    return message


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ('"alice"', '"bob"'),
        ("count: 1", "count: 2"),
        ("unit: WEEK", "unit: MONTH"),
        ("after: $after", 'after: $after, timeZone: "Asia/Ho_Chi_Minh"'),
        ("after: $after", "after: $after, direction: SENT"),
        ("after: $after", "after: $after, kind: TRANSFER"),
        ("after: $after", 'after: $after, counterpartyId: "bob"'),
    ],
)
async def test_a_cursor_serves_only_its_own_question(api: Api, was: str, is_now: str) -> None:
    page = (await api.ask(PAGE))["account"]["transactions"]
    query = PAGE.replace(was, is_now)
    assert query != PAGE
    message = await refused_cursor(api, query, page["pageInfo"]["endCursor"])
    assert message.startswith("after: belongs to a question with other")


@pytest.mark.parametrize("start_ms", [1 << 52, True, -(1 << 60), 1e300, None, "0"])
async def test_a_cursor_whose_window_was_moved_never_reaches_the_store(
    api: Api, start_ms: object
) -> None:
    page = (await api.ask(PAGE))["account"]["transactions"]
    ours = base64.urlsafe_b64decode(page["pageInfo"]["endCursor"] + "===")
    fields = json.loads(ours[ours.index(b"[4,") :])
    fields[2:4] = start_ms, (1 << 52) + 1
    for signature in (b"", ours[:16]):
        moved = base64.urlsafe_b64encode(signature + json.dumps(fields).encode()).decode()
        message = await refused_cursor(api, PAGE, moved.rstrip("="))
        assert message.startswith("after: is no cursor of this gateway")


async def test_the_transactions_with_one_counterparty_in_one_direction(api: Api) -> None:
    answer = await api.account(
        """transactions(window: {last: {count: 1, unit: WEEK}}, direction: RECEIVED,
        counterpartyId: "bob") { edges { node { amount time } } pageInfo { hasPreviousPage } }"""
    )
    assert answer["transactions"] == {
        "edges": [
            {"node": {"amount": "10", "time": "2025-11-22T07:26:40.000Z"}},
            {"node": {"amount": "20", "time": "2025-11-21T07:26:40.000Z"}},
        ],
        "pageInfo": {"hasPreviousPage": False},
    }
