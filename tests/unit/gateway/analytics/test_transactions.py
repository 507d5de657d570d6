"""Lists of single transactions: filtered, sorted, counted, turned over both ways; and one by its id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Entry
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import AS_OF_MS, NOW_MS

pytestmark = pytest.mark.anyio

UUID = "00000000-0000-4000-8000-{:012d}"
WINDOW = "window: {last: {count: 1, unit: DAY}}"
AMOUNTS = ("5", "30", "10", "10", "0.00000001", "999999999999999999.99999999")
MOVED = [
    transfer("alice", f"payer-{place}", UUID.format(place), Decimal(each), NOW_MS - 60_000 * place)
    for place, each in enumerate(AMOUNTS, start=1)
]
SELF = transfer("alice", "alice", UUID.format(50), Decimal(2), NOW_MS - 7_000_000)
LATE = transfer("alice", "zoe", UUID.format(60), Decimal(77), AS_OF_MS + 500)
DATA = [
    *(side for sides in (*MOVED, SELF, LATE) for side in sides),
    # The second one is taken back, under the id of the third and at a time before its own.
    *reversal(MOVED[1], UUID.format(3), NOW_MS - 8_000_000),
    *reversal(SELF, UUID.format(70), NOW_MS - 6_000_000),
]


@pytest.fixture
def data() -> list[Entry]:
    return list(DATA)


async def listed(api: Api, arguments: str, fields: str = "amount") -> dict[str, Any]:
    found: dict[str, Any] = (
        await api.account(
            f"""transactions({WINDOW}, {arguments}) {{ totalCount
            pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }}
            edges {{ node {{ {fields} }} }} }}"""
        )
    )["transactions"]
    return found


def amounts(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["amount"] for edge in page["edges"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "sortBy: AMOUNT_DESCENDING, kind: TRANSFER, direction: RECEIVED",
            ["999999999999999999.99999999", "30", "10", "10", "5", "2", "0.00000001"],
        ),
        ('sortBy: AMOUNT_ASCENDING, maxAmount: "0"', ["-30", "-2", "-2"]),
        ('minAmount: "10", maxAmount: "30"', ["30", "10", "10"]),
        ('minAmount: "999999999999999999.99999999"', ["999999999999999999.99999999"]),
        ('maxAmount: "0.00000001", kind: TRANSFER', ["0.00000001"]),
        ('minAmount: "30.00000001", maxAmount: "30.5"', []),
        ('minAmount: "3", maxAmount: "2"', []),
        ("sortBy: TIME_ASCENDING, kind: REVERSAL", ["-30", "-2", "-2"]),
    ],
)
async def test_lists_are_narrowed_and_sorted(api: Api, arguments: str, expected: list[str]) -> None:
    page = await listed(api, arguments)
    assert amounts(page) == expected
    assert page["totalCount"] == len(expected)


@pytest.mark.parametrize(
    "order", ["TIME_DESCENDING", "TIME_ASCENDING", "AMOUNT_DESCENDING", "AMOUNT_ASCENDING"]
)
async def test_pages_are_turned_both_ways_over_the_same_list(api: Api, order: str) -> None:
    fields = "transactionId kind direction"
    whole = await listed(api, f"sortBy: {order}, first: 50", fields)
    nodes = [edge["node"] for edge in whole["edges"]]
    assert whole["totalCount"] == len(nodes) == 11  # what is younger than `asOf` is on no page
    for size in (1, 4, 11):
        forward: list[Any] = []
        page = await listed(api, f"sortBy: {order}, first: {size}", fields)
        while True:
            forward += [edge["node"] for edge in page["edges"]]
            assert page["totalCount"] == 11
            if not page["pageInfo"]["hasNextPage"]:
                break
            cursor = page["pageInfo"]["endCursor"]
            page = await listed(api, f'sortBy: {order}, first: {size}, after: "{cursor}"', fields)
            assert page["pageInfo"]["hasPreviousPage"]
        assert forward == nodes
        backward: list[Any] = []
        page = await listed(api, f"sortBy: {order}, last: {size}", fields)
        assert not page["pageInfo"]["hasNextPage"]
        while True:
            backward = [edge["node"] for edge in page["edges"]] + backward
            if not page["pageInfo"]["hasPreviousPage"]:
                break
            cursor = page["pageInfo"]["startCursor"]
            page = await listed(api, f'sortBy: {order}, last: {size}, before: "{cursor}"', fields)
            assert page["pageInfo"]["hasNextPage"]
        assert backward == nodes


async def test_a_page_forward_leads_back_to_where_it_came_from(api: Api) -> None:
    first = await listed(api, "first: 3")
    second = await listed(api, f'first: 3, after: "{first["pageInfo"]["endCursor"]}"')
    back = await listed(api, f'last: 3, before: "{second["pageInfo"]["startCursor"]}"')
    assert amounts(back) == amounts(first)
    assert back["pageInfo"] | {"hasPreviousPage": False, "hasNextPage": True} == first["pageInfo"]


async def test_who_pages_both_ways_says_null_for_the_other(api: Api) -> None:
    ends = [await listed(api, each) for each in ("first: null, last: 2", "last: 2")]
    assert ends[0] == ends[1]
    starts = [
        await listed(api, each) for each in ("first: 20, last: null", "first: null", "last: null")
    ]
    assert starts[0] == starts[1] == starts[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("last: 0", "last: must be 1 to 100, not 0"),
        ('before: "x"', "before: goes with `last`; to go forward, give `after`"),
        ('last: 2, after: "x"', "after: goes with `first`; to go back, give `last` and `before`"),
        ("first: 2, last: 2", "last: give either first or last, not both"),
        ("first: 20, last: 1", "last: give either first or last, not both"),
        ('first: 2, before: "x"', "before: goes with `last`"),
        ('last: 2, before: "x"', "before: is no cursor of this gateway"),
        ('minAmount: "0.000000001"', "minAmount: has up to 18 digits before the point and 8 after"),
        ('maxAmount: "1000000000000000000"', "maxAmount: has up to 18 digits before the point"),
    ],
)
async def test_what_does_not_go_together_is_refused_unasked(
    api: Api, arguments: str, message: str
) -> None:
    query = f'{{ account(id: "alice") {{ transactions({WINDOW}, {arguments}) {{ exact }} }} }}'
    (error,) = (await api.client.post("/graphql", json={"query": query})).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith(message)
    assert api.store.plans == []


async def test_a_cursor_of_another_order_or_range_is_refused(api: Api) -> None:
    cursor = (await listed(api, 'first: 1, minAmount: "1"'))["pageInfo"]["endCursor"]
    for arguments in ('sortBy: TIME_ASCENDING, minAmount: "1"', 'minAmount: "2"', "kind: null"):
        query = f"""{{ account(id: "alice") {{
            transactions({WINDOW}, {arguments}, after: "{cursor}") {{ exact }} }} }}"""
        (error,) = (await api.client.post("/graphql", json={"query": query})).json()["errors"]
        assert error["message"].startswith("after: belongs to a question with other arguments")


ONE = "transactionId kind direction counterpartyId amount reversedBy { transactionId amount reversedBy { kind } }"


async def one(api: Api, transaction_id: str, account: str = "alice") -> Any:
    query = (
        f"""{{ account(id: "{account}") {{ transaction(id: "{transaction_id}") {{ {ONE} }} }} }}"""
    )
    return (await api.ask(query))["account"]["transaction"]


async def test_a_transaction_by_its_id_from_either_side(api: Api) -> None:
    taken_back = [{"transactionId": UUID.format(3), "amount": "-30", "reversedBy": []}]
    shared = {"transactionId": UUID.format(2), "kind": "TRANSFER", "amount": "30"}
    assert await one(api, UUID.format(2)) == shared | {
        "direction": "RECEIVED",
        "counterpartyId": "payer-2",
        "reversedBy": taken_back,
    }
    assert await one(api, UUID.format(2).upper(), "payer-2") == shared | {
        "direction": "SENT",
        "counterpartyId": "alice",
        "reversedBy": taken_back,
    }
    # The reversal has the third one's id; where that is not, it is found by it.
    assert (await one(api, UUID.format(3)))["kind"] == "TRANSFER"
    assert (await one(api, UUID.format(3), "payer-2"))["kind"] == "REVERSAL"
    itself = await one(api, UUID.format(50))
    assert (itself["direction"], len(itself["reversedBy"])) == ("RECEIVED", 1)
    for stranger, id_ in (("zoe", UUID.format(2)), ("alice", UUID.format(99))):
        assert await one(api, id_, stranger) is None


async def test_all_reversals_of_a_page_come_out_of_one_query(api: Api) -> None:
    page = await listed(api, "first: 50", "transactionId kind reversedBy { transactionId }")
    found = {
        edge["node"]["transactionId"]
        for edge in page["edges"]
        if edge["node"]["reversedBy"] and edge["node"]["kind"] == "TRANSFER"
    }
    assert found == {UUID.format(2), UUID.format(50)}
    assert [type(plan).__name__ for plan in api.store.plans] == [
        "EntriesPlan",
        "MatchesPlan",
        "EntriesPlan",
    ]


@pytest.mark.parametrize("id_", ["", "1", UUID.format(1)[:-1], UUID.format(1) + "\n", "x" * 36])
async def test_what_is_no_transaction_id_is_refused_unasked(api: Api, id_: str) -> None:
    query = """query ($id: ID!) { account(id: "alice") { transaction(id: $id) { amount } } }"""
    body = {"query": query, "variables": {"id": id_}}
    (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
    assert error["message"].startswith("id: a transaction id is a UUID")
    assert api.store.plans == []
