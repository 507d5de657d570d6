"""Series of the first counterparties and of the others: layer by layer what the whole series is."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Entry
from gateway.analytics.query_plan import QueryPlan, SlotsPlan
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
ZONES = ("UTC", "Asia/Kathmandu", "America/New_York")
POINTS = "points { start end partial transactionCount transactionAmount }"
LAYERS = f"""series {{ rank accountId transactionCount transactionAmount {POINTS} }}
  others {{ transactionCount transactionAmount {POINTS} }}"""


@st.composite
def payments(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 25))):
        sender = draw(st.sampled_from(["bob", "carol", "dave", "erin", "alice"]))
        amount = Decimal(draw(st.integers(1, 9))) / draw(st.sampled_from([1, 10]))
        at_ms = NOW_MS - draw(st.integers(1, 30 * 24)) * HOUR_MS
        moved = transfer("alice", sender, UUID.format(number), amount, at_ms)
        found += moved
        if draw(st.integers(0, 4)) == 0:
            found += reversal(moved, UUID.format(500 + number), at_ms + 7 * HOUR_MS)
    return found


@settings(max_examples=20, deadline=None)
@given(
    data=payments(),
    first=st.integers(1, 6),
    zone=st.sampled_from(ZONES),
    order_by=st.sampled_from(["TRANSACTION_AMOUNT", "TRANSACTION_COUNT"]),
)
def test_the_layers_add_up_to_the_series(
    data: list[Entry], first: int, zone: str, order_by: str
) -> None:
    asked = f'window: {{last: {{count: 20, unit: DAY}}}}, timeZone: "{zone}"'

    async def run() -> dict[str, Any]:
        api = Api(data)
        async with api.client:
            return await api.account(
                f"""topSeries({asked}, granularity: DAY, first: {first}, orderBy: {order_by}) {{ {LAYERS} }}
                timeSeries({asked}, granularity: DAY) {{ {POINTS} }}
                topCounterparties({asked}, first: {first}, orderBy: {order_by}) {{
                  rows {{ rank accountId transactionCount transactionAmount }}
                  others {{ transactionCount transactionAmount }} }}"""
            )

    answer = anyio.run(run)
    top, ranked = answer["topSeries"], answer["topCounterparties"]
    layers = [*top["series"], top["others"]]
    for at, whole in enumerate(answer["timeSeries"]["points"]):
        parts = [each["points"][at] for each in layers]
        for part in parts:
            assert {key: part[key] for key in ("start", "end", "partial")} == {
                key: whole[key] for key in ("start", "end", "partial")
            }
        assert sum(part["transactionCount"] for part in parts) == whole["transactionCount"]
        amounts = sum(Decimal(part["transactionAmount"]) for part in parts)
        assert amounts == Decimal(whole["transactionAmount"])
    rows = [{key: each[key] for key in ranked["rows"][0]} for each in top["series"]]
    assert len(rows) == len(ranked["rows"])
    for row, expected in zip(rows, ranked["rows"], strict=True):
        assert Decimal(row.pop("transactionAmount")) == Decimal(expected.pop("transactionAmount"))
        assert row == expected
    for layer in layers:
        assert layer["transactionCount"] == sum(e["transactionCount"] for e in layer["points"])
    left = top["others"]
    assert left["transactionCount"] == ranked["others"]["transactionCount"]
    assert Decimal(left["transactionAmount"]) == Decimal(ranked["others"]["transactionAmount"])


DATA = [
    *transfer("alice", "bob", UUID.format(1), Decimal(5), NOW_MS - HOUR_MS),
    *transfer("alice", "carol", UUID.format(2), Decimal(4), NOW_MS - HOUR_MS),
    *transfer("alice", "dave", UUID.format(3), Decimal(3), NOW_MS - HOUR_MS),
]
LAST_DAY = "window: {last: {count: 1, unit: DAY}}, granularity: DAY"


MORE = list(transfer("alice", "carol", UUID.format(9), Decimal(7), NOW_MS - HOUR_MS))


def kind_of(plan: QueryPlan[Any]) -> str:
    if isinstance(plan, SlotsPlan):
        return "all" if plan.among is None else "each"
    return type(plan).__name__


@dataclass
class GrowingStore(ReferenceStore):
    """More has arrived for some kinds of plans when they are first asked, and for all the second time."""

    newer: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        kind = kind_of(plan)
        is_newer = kind in self.newer or kind in self.asked
        self.asked.append(kind)
        return await ReferenceStore([*DATA, *(MORE if is_newer else ())]).fetch(plan, timeout_s)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("newer", "shown", "others", "asked"),
    [
        ({"each", "all"}, [("carol", "11"), ("bob", "5")], "3", ["TopPlan", "each", "all"]),
        # The whole is older than its layers: it is asked for again, so that nothing is below zero.
        ({"each"}, [("carol", "11"), ("bob", "5")], "3", ["TopPlan", "each", "all", "all"]),
        # It is newer: what came since is in it, and in no layer of its own yet.
        ({"all"}, [("bob", "5"), ("carol", "4")], "10", ["TopPlan", "each", "all"]),
    ],
)
async def test_ranks_go_by_what_is_shown_and_the_whole_is_never_older_than_its_layers(
    newer: set[str], shown: list[tuple[str, str]], others: str, asked: list[str]
) -> None:
    store = GrowingStore(newer=frozenset(newer))
    top = (await Api(DATA, store).account(f"topSeries({LAST_DAY}, first: 2) {{ {LAYERS} }}"))[
        "topSeries"
    ]
    assert [(each["accountId"], each["transactionAmount"]) for each in top["series"]] == shown
    assert [each["rank"] for each in top["series"]] == [1, 2]
    assert top["others"]["transactionAmount"] == others
    assert store.asked == asked


@pytest.mark.anyio
async def test_nobody_makes_no_layers() -> None:
    api = Api([])
    answer = await api.account(f"topSeries({LAST_DAY}) {{ {LAYERS} }}")
    assert answer["topSeries"]["series"] == []
    assert {each["transactionCount"] for each in answer["topSeries"]["others"]["points"]} == {0}
    assert [type(plan).__name__ for plan in api.store.plans] == ["TopPlan", "SlotsPlan"]


@pytest.mark.anyio
@pytest.mark.parametrize("first", [0, 21, -1])
async def test_there_are_twenty_layers_at_most(first: int) -> None:
    api = Api(DATA)
    query = f'{{ account(id: "alice") {{ topSeries({LAST_DAY}, first: {first}) {{ exact }} }} }}'
    (error,) = (await api.client.post("/graphql", json={"query": query})).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("first: must be 1 to 20")
    assert api.store.plans == []
