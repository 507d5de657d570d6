"""Rankings beyond the first page: pages, either end first, one account's rank, who dropped out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics import limits, ranking_parts
from gateway.analytics.model import Entry
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import AS_OF_MS, NOW_MS

pytestmark = pytest.mark.anyio

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LAST_DAY = "window: {last: {count: 1, unit: DAY}}"
ROWS = "rows { rank accountId transactionCount transactionAmount }"
# At once: each costs what may be read for it.
RANKS_ASKED = 7
PAGE = f"{ROWS} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}"


def paid(sender: str, amount: str, age_ms: int, number: int) -> tuple[Entry, Entry]:
    """A transfer to alice."""
    return transfer("alice", sender, UUID.format(number), Decimal(amount), NOW_MS - age_ms)


def crowd() -> list[Entry]:
    """Of thirty payers: amounts with ties, one taken back whole, one more than came."""
    found: list[Entry] = []
    for number in range(60):
        moved = paid(
            f"p{number % 30:02d}", str(1 + number % 7), (1 + number % 20) * HOUR_MS, number
        )
        found += moved
        if number in (3, 33):
            found += reversal(moved, UUID.format(1_000 + number), NOW_MS - HOUR_MS // 2)
    before = paid("late", "50", 30 * HOUR_MS, 500)
    found += before
    return found + list(reversal(before, UUID.format(501), NOW_MS - HOUR_MS // 3))


@pytest.fixture
def data() -> list[Entry]:
    return crowd()


def expected(key: Any) -> list[dict[str, Any]]:
    """Every payer, recounted and ordered."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for each in crowd():
        if each.account_id == "alice" and each.event_time_ms >= NOW_MS - DAY_MS:
            count, amount = sums.get(each.counterparty_id, (0, Decimal(0)))
            sums[each.counterparty_id] = count + 1, amount + each.amount
    ordered = sorted(sums.items(), key=key)
    return [
        {
            "rank": rank,
            "accountId": name,
            "transactionCount": count,
            "transactionAmount": str(amount),
        }
        for rank, (name, (count, amount)) in enumerate(ordered, start=1)
    ]


ORDERS: dict[str, Any] = {
    "": lambda e: (-e[1][1], -e[1][0], e[0]),
    ", order: ASCENDING": lambda e: (e[1][1], e[1][0], e[0]),
    ", orderBy: TRANSACTION_COUNT": lambda e: (-e[1][0], -e[1][1], e[0]),
    ", orderBy: TRANSACTION_COUNT, order: ASCENDING": lambda e: (e[1][0], e[1][1], e[0]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("first", [1, 7, 30, 31, 100])
async def test_pages_hold_everyone_once_in_order(api: Api, order: str, first: int) -> None:
    query = f"""query ($after: String) {{ account(id: "alice") {{
      topCounterparties({LAST_DAY}, first: {first}, after: $after{order}) {{ {PAGE} }} }} }}"""
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await api.ask(query, after=after))["account"]["topCounterparties"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert len(page["rows"]) <= first
        seen += page["rows"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert len(page["rows"]) == first
    assert seen == expected(ORDERS[order])
    assert len(seen) == 31


async def test_a_page_behind_the_last_is_empty_and_the_start_leads_to_the_second(api: Api) -> None:
    first = (await api.account(f"topCounterparties({LAST_DAY}, first: 100) {{ {PAGE} }}"))[
        "topCounterparties"
    ]
    rows = first["rows"]
    for cursor, behind in (("endCursor", []), ("startCursor", rows[1:])):
        page = (
            await api.account(
                f"topCounterparties({LAST_DAY}, first: 100, after: $after) {{ {PAGE} }}".replace(
                    "$after", f'"{first["pageInfo"][cursor]}"'
                )
            )
        )["topCounterparties"]
        assert page["rows"] == behind


async def test_others_of_a_page_are_all_that_it_leaves_out(api: Api) -> None:
    fields = "others { counterpartyCount transactionAmount } total { counterpartyCount transactionAmount }"
    window = f"topCounterparties({LAST_DAY}, first: 10"
    first = (await api.account(f"{window}) {{ {fields} {PAGE} }}"))["topCounterparties"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await api.account(f'{window}, after: "{cursor}") {{ {fields} {PAGE} }}'))[
        "topCounterparties"
    ]
    assert first["total"] == second["total"]
    assert second["others"]["counterpartyCount"] == 21
    rows = sum(Decimal(row["transactionAmount"]) for row in second["rows"])
    left = Decimal(second["others"]["transactionAmount"])
    assert rows + left == Decimal(second["total"]["transactionAmount"])


async def test_a_cursor_goes_on_in_the_windows_of_the_first_page(api: Api) -> None:
    fields = f"window {{ end }} comparisonWindow {{ start end }} {PAGE}"
    query = f"topCounterparties({LAST_DAY}, first: 2, compareTo: PREVIOUS_PERIOD"
    first = (await api.account(f"{query}) {{ {fields} }}"))["topCounterparties"]
    cursor = first["pageInfo"]["endCursor"]
    api.store.as_of_ms = NOW_MS
    second = (await api.account(f'{query}, after: "{cursor}") {{ {fields} }}'))["topCounterparties"]
    assert second["comparisonWindow"] == first["comparisonWindow"]
    assert first["window"]["end"] == "2025-11-22T08:26:40.000Z"
    assert second["window"]["end"] == "2025-11-22T08:26:39.000Z"
    assert AS_OF_MS == NOW_MS - 1_000


@pytest.mark.parametrize(
    "changed",
    [
        ", order: ASCENDING",
        ", orderBy: TRANSACTION_COUNT",
        ", direction: SENT",
        ", compareTo: PREVIOUS_YEAR",
        ', timeZone: "Asia/Ho_Chi_Minh"',
        ", calendar: {weekStart: SUNDAY}",
    ],
)
async def test_a_cursor_serves_its_own_ranking_only(api: Api, changed: str) -> None:
    asked = f"topCounterparties({LAST_DAY}, first: 2"
    page = (await api.account(f"{asked}) {{ {PAGE} }}"))["topCounterparties"]
    cursor = page["pageInfo"]["endCursor"]
    body = {
        "query": f'{{ account(id: "alice") {{ {asked}{changed}, after: "{cursor}") {{ exact }} }} }}'
    }
    api.store.plans.clear()
    (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert api.store.plans == []


async def test_a_cursor_of_a_list_is_none_of_a_ranking(api: Api) -> None:
    page = await api.account(f"transactions({LAST_DAY}, first: 1) {{ pageInfo {{ endCursor }} }}")
    cursor = page["transactions"]["pageInfo"]["endCursor"]
    query = f'{{ account(id: "alice") {{ topCounterparties({LAST_DAY}, after: "{cursor}") {{ exact }} }} }}'
    (error,) = (await api.client.post("/graphql", json={"query": query})).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("order", ORDERS)
async def test_the_rank_of_one_account_is_told_wherever_it_stands(api: Api, order: str) -> None:
    rows = expected(ORDERS[order])
    for begin in range(0, len(rows), RANKS_ASKED):
        some = rows[begin : begin + RANKS_ASKED]
        asked = " ".join(
            f'p{at}: rankOf(accountId: "{row["accountId"]}") '
            "{ rank accountId transactionCount transactionAmount }"
            for at, row in enumerate(some)
        )
        api.store.plans.clear()
        answer = await api.account(f"topCounterparties({LAST_DAY}, first: 2{order}) {{ {asked} }}")
        assert list(answer["topCounterparties"].values()) == some
        # The ranking, and the first thousand ranks once for all of them.
        assert len(api.store.plans) == 2


async def test_who_has_no_transactions_has_no_rank(api: Api) -> None:
    for first in (2, 100):
        answer = await api.account(
            f'topCounterparties({LAST_DAY}, first: {first}) {{ rankOf(accountId: "zoe") {{ rank }} }}'
        )
        assert answer["topCounterparties"]["rankOf"] is None


async def test_a_rank_has_its_comparison_and_its_share(api: Api) -> None:
    fields = "rank shareOfAmount comparison { previousRank isNew previousTransactionAmount }"
    answer = await api.account(
        f"topCounterparties({LAST_DAY}, first: 1, compareTo: PREVIOUS_PERIOD) {{"
        f' total {{ transactionAmount }} rankOf(accountId: "late") {{ {fields} }} }}'
    )
    found = answer["topCounterparties"]
    total = Decimal(found["total"]["transactionAmount"])
    share = (Decimal(-50) / total).quantize(Decimal("1e-8"))
    assert found["rankOf"] == {
        "rank": 31,
        "shareOfAmount": str(share),
        "comparison": {"previousRank": 1, "isNew": False, "previousTransactionAmount": "50"},
    }


async def test_beyond_the_last_rank_nothing_is_looked_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking_parts, "MAX_COMPARED_RANK", 5)
    monkeypatch.setattr(ranking_parts, "MAX_RANK", 20)
    rows = expected(ORDERS[""])

    async def ask(place: int) -> dict[str, Any]:
        name = rows[place - 1]["accountId"] if place else "zoe"
        query = (
            f'{{ account(id: "alice") {{ topCounterparties({LAST_DAY}, first: 2) '
            f'{{ rankOf(accountId: "{name}") {{ rank }} }} }} }}'
        )
        body: dict[str, Any] = (await api.client.post("/graphql", json={"query": query})).json()
        return body

    for place in (2, 5, 6, 20):
        top = (await ask(place))["data"]["account"]["topCounterparties"]
        assert top == {"rankOf": {"rank": place}}
    assert (await ask(0))["data"]["account"]["topCounterparties"] == {"rankOf": None}
    body = await ask(21)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert "behind rank 20" in error["message"]
    assert body["data"]["account"]["topCounterparties"] == {"rankOf": None}


async def test_pages_end_at_the_last_rank(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.analytics.ranking.MAX_RANK", 20)
    query = f"topCounterparties({LAST_DAY}, first: 10"
    first = (await api.account(f"{query}) {{ {PAGE} }}"))["topCounterparties"]["pageInfo"]
    assert first["hasNextPage"] is True
    second = await api.account(f'{query}, after: "{first["endCursor"]}") {{ {PAGE} }}')
    last = second["topCounterparties"]["pageInfo"]
    assert last["hasNextPage"] is False
    document = (
        f'{{ account(id: "alice") {{ {query}, after: "{last["endCursor"]}") {{ exact }} }} }}'
    )
    (error,) = (await api.client.post("/graphql", json={"query": document})).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("after: stands at rank 20, and pages go up to 20;")
    assert limits.MAX_RANK == 10_000


async def test_who_dropped_out_is_told_as_it_stood_then() -> None:
    api = Api(
        [
            *paid("old", "40", 30 * HOUR_MS, 1),
            *paid("stays", "30", 30 * HOUR_MS, 2),
            *paid("falls", "20", 30 * HOUR_MS, 3),
            *paid("small", "10", 30 * HOUR_MS, 4),
            *paid("stays", "9", HOUR_MS, 5),
            *paid("new", "8", HOUR_MS, 6),
            *paid("newer", "7", HOUR_MS, 7),
            *paid("falls", "6", HOUR_MS, 8),
        ]
    )
    dropped = "dropped { rank accountId transactionCount transactionAmount shareOfAmount comparison { isNew } }"
    answer = await api.account(
        f"""with: topCounterparties({LAST_DAY}, first: 3, compareTo: PREVIOUS_PERIOD) {{ {dropped} }}
        all: topCounterparties({LAST_DAY}, first: 9, compareTo: PREVIOUS_PERIOD) {{ {dropped} }}
        alone: topCounterparties({LAST_DAY}, first: 3) {{ dropped {{ rank }} }}
        none: topCounterparties({LAST_DAY}, first: 3, direction: SENT, compareTo: PREVIOUS_PERIOD) {{
          dropped {{ rank }} }}"""
    )

    def row(rank: int, name: str, amount: str, share: str) -> dict[str, Any]:
        return {
            "rank": rank,
            "accountId": name,
            "transactionCount": 1,
            "transactionAmount": amount,
            "shareOfAmount": share,
            "comparison": None,
        }

    old, falls = row(1, "old", "40", "0.4"), row(3, "falls", "20", "0.2")
    assert answer["with"]["dropped"] == [old, falls]
    assert answer["all"]["dropped"] == [old, row(4, "small", "10", "0.1")]
    assert answer["alone"]["dropped"] is None
    assert answer["none"]["dropped"] == []


async def test_a_window_in_which_nobody_is_left_has_everyone_dropped_out() -> None:
    api = Api([*paid("old", "40", 30 * HOUR_MS, 1)])
    answer = await api.account(
        f"topCounterparties({LAST_DAY}, compareTo: PREVIOUS_PERIOD) {{ rows {{ rank }} "
        "pageInfo { startCursor endCursor hasNextPage hasPreviousPage } dropped { accountId } }"
    )
    assert answer["topCounterparties"] == {
        "rows": [],
        "pageInfo": {
            "startCursor": None,
            "endCursor": None,
            "hasNextPage": False,
            "hasPreviousPage": False,
        },
        "dropped": [{"accountId": "old"}],
    }


async def test_behind_the_first_page_nobody_has_dropped_out(api: Api) -> None:
    query = f"topCounterparties({LAST_DAY}, first: 2, compareTo: PREVIOUS_PERIOD"
    page = (await api.account(f"{query}) {{ {PAGE} }}"))["topCounterparties"]
    cursor = page["pageInfo"]["endCursor"]
    second = await api.account(f'{query}, after: "{cursor}") {{ dropped {{ rank }} }}')
    assert second["topCounterparties"] == {"dropped": None}


async def test_the_network_is_ranked_page_by_page_as_well(api: Api) -> None:
    query = f"""query ($after: String) {{ network {{ topAccounts({LAST_DAY}, direction: SENT, first: 20, after: $after)
      {{ {PAGE} rankOf(accountId: "late") {{ rank }} }} }} }}"""
    first = (await api.ask(query))["network"]["topAccounts"]
    after = first["pageInfo"]["endCursor"]
    second = (await api.ask(query, after=after))["network"]["topAccounts"]
    assert first["rows"] + second["rows"] == expected(ORDERS[""])
    assert first["rankOf"] == second["rankOf"] == {"rank": 31}
