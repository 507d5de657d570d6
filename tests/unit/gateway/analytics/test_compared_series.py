"""Series and net flows beside those of an earlier window, both sides in one series, reversals a point and a row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.analytics.model import Entry
from gateway.analytics.query_plan import SlotsPlan, TopPlan
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MEASURES = "transactionCount transactionAmount"
REVERSED = f"{MEASURES} reversals {{ {MEASURES} }}"
POINTS = f"points {{ start end partial {REVERSED} }}"
LAST = "window: {last: {count: 5, unit: DAY}}"
EARLIER = 'window: {between: {start: "2025-11-12T08:26:40Z", end: "2025-11-17T08:26:40Z"}}'
"""Right before it: NOW_MS is 2025-11-22T08:26:40Z."""


@st.composite
def payments(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 25))):
        one, other = draw(st.permutations(["alice", "bob", "carol"]))[:2]
        at_ms = NOW_MS - draw(st.integers(2, 11 * 24)) * HOUR_MS
        moved = transfer(one, other, UUID.format(number), Decimal(draw(st.integers(1, 9))), at_ms)
        found += moved
        if draw(st.integers(0, 2)) == 0:
            found += reversal(moved, UUID.format(500 + number), at_ms + HOUR_MS)
    return found


@settings(max_examples=15, deadline=None)
@given(
    entries=payments(),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu"]),
    fill=st.sampled_from(["ZERO", "NONE"]),
    other=st.sampled_from(["", ', counterpartyId: "bob"']),
)
def test_what_is_compared_is_what_that_window_alone_answers(
    entries: list[Entry], zone: str, fill: str, other: str
) -> None:
    how = f'granularity: DAY, timeZone: "{zone}", fill: {fill}{other}'
    flow = f"received {{ {REVERSED} }} sent {{ {REVERSED} }} netAmount"
    sides = (
        f"points {{ start end partial received {{ {REVERSED} }} sent {{ {REVERSED} }} netAmount }}"
    )
    query = f"""compared: timeSeries({LAST}, {how}, compareTo: PREVIOUS_PERIOD) {{
        {POINTS} comparison {{ window {{ start end }} {POINTS} }} }}
      own: timeSeries({LAST}, {how}, compareWindow: {EARLIER.removeprefix("window: ")}) {{
        {POINTS} comparison {{ window {{ start end }} {POINTS} }} }}
      now: timeSeries({LAST}, {how}) {{ {POINTS} comparison {{ {POINTS} }} }}
      then: timeSeries({EARLIER}, {how}) {{ window {{ start end }} {POINTS} }}
      sentNow: timeSeries({LAST}, {how.replace("fill: NONE", "fill: ZERO")}, direction: SENT) {{ {POINTS} }}
      both: flowSeries({LAST}, {how}) {{ {sides} }}
      filled: flowSeries({LAST}, {how.replace("fill: NONE", "fill: ZERO")}) {{ {sides} }}
      flow: netFlow({LAST}{other}, compareTo: PREVIOUS_PERIOD) {{ {flow}
        comparison {{ window {{ start end }} {flow} netAmountChange }} }}
      flowThen: netFlow({EARLIER}{other}) {{ {flow} }}"""

    async def run() -> dict[str, Any]:
        return await Api(entries).account(query)

    found = anyio.run(run)
    for compared in (found["compared"], found["own"]):
        assert compared["points"] == found["now"]["points"]
        assert compared["comparison"]["points"] == found["then"]["points"]
        starts = [found["then"]["window"][edge][:16] for edge in ("start", "end")]
        assert [compared["comparison"]["window"][edge][:16] for edge in ("start", "end")] == starts
    assert found["now"]["comparison"] is None
    check_sides(found, fill)
    then, change = dict(found["flow"]["comparison"]), found["flow"]["netAmount"]
    assert then.pop("window")
    assert Decimal(then.pop("netAmountChange")) == Decimal(change) - Decimal(then["netAmount"])
    assert then == found["flowThen"]


def check_sides(found: dict[str, Any], fill: str) -> None:
    """Both sides of a bucket are what each side's own series has there."""
    received = {each["start"]: each for each in found["now"]["points"]}
    for point, sent in zip(found["filled"]["points"], found["sentNow"]["points"], strict=True):
        for key in ("start", "end", "partial"):
            assert point[key] == sent[key]
        assert point["sent"] == {key: sent[key] for key in point["sent"]}
        came = received.get(point["start"])
        if came is not None:
            assert point["received"] == {key: came[key] for key in point["received"]}
        else:
            assert point["received"]["transactionCount"] == 0
        net = Decimal(point["received"]["transactionAmount"]) - Decimal(
            point["sent"]["transactionAmount"]
        )
        assert Decimal(point["netAmount"]) == net
    happened = [
        each
        for each in found["filled"]["points"]
        if each["received"]["transactionCount"] or each["sent"]["transactionCount"]
    ]
    assert found["both"]["points"] == (happened if fill == "NONE" else found["filled"]["points"])


TAKEN = transfer("alice", "bob", UUID.format(1), Decimal(10), NOW_MS - 4 * HOUR_MS)
DATA = [
    *TAKEN,
    *transfer("alice", "bob", UUID.format(2), Decimal(3), NOW_MS - 3 * HOUR_MS),
    *transfer("alice", "carol", UUID.format(3), Decimal(5), NOW_MS - 3 * HOUR_MS),
    *reversal(TAKEN, UUID.format(4), NOW_MS - 2 * HOUR_MS),
    *transfer("alice", "dave", UUID.format(5), Decimal(50), NOW_MS - 30 * HOUR_MS),
]
DAY = "window: {last: {count: 1, unit: DAY}}"


@pytest.mark.anyio
async def test_the_reversals_of_all_rows_are_one_query_and_of_those_elsewhere_their_own() -> None:
    api = Api(DATA)
    row = f"accountId {REVERSED}"
    answer = await api.account(
        f"""topCounterparties({DAY}, first: 1, compareTo: PREVIOUS_PERIOD) {{ rows {{ {row} }}
          rankOf(accountId: "bob") {{ {row} }} dropped {{ {row} }} }}
        all: topCounterparties({DAY}) {{ rows {{ {row} }} }}"""
    )
    none = {"transactionCount": 0, "transactionAmount": "0"}
    bob = {
        "accountId": "bob",
        "transactionCount": 3,
        "transactionAmount": "3",
        "reversals": {"transactionCount": 1, "transactionAmount": "10"},
    }
    carol = {
        "accountId": "carol",
        "transactionCount": 1,
        "transactionAmount": "5",
        "reversals": none,
    }
    dave = {**carol, "accountId": "dave", "transactionAmount": "50"}
    assert answer["topCounterparties"] == {"rows": [carol], "rankOf": bob, "dropped": [dave]}
    assert answer["all"]["rows"] == [carol, bob]
    asked = [plan for plan in api.store.plans if isinstance(plan, TopPlan) and plan.kind]
    assert len(asked) == 4
    assert {plan.among for plan in asked} >= {frozenset({"bob", "carol"}), frozenset({"bob"})}


@pytest.mark.anyio
async def test_layers_of_a_chart_tell_their_reversals_and_add_up() -> None:
    answer = await Api(DATA).account(
        f"""topSeries({DAY}, granularity: DAY, first: 1) {{
          series {{ accountId points {{ {REVERSED} }} }} others {{ points {{ {REVERSED} }} }} }}
        timeSeries({DAY}, granularity: DAY) {{ points {{ {REVERSED} }} }}"""
    )
    (layer,) = answer["topSeries"]["series"]
    assert layer["accountId"] == "carol"
    for mine, rest, whole in zip(
        layer["points"],
        answer["topSeries"]["others"]["points"],
        answer["timeSeries"]["points"],
        strict=True,
    ):
        parts = ((mine, rest, whole), tuple(each["reversals"] for each in (mine, rest, whole)))
        for one, other, both in parts:
            assert one["transactionCount"] + other["transactionCount"] == both["transactionCount"]
            amounts = [Decimal(each["transactionAmount"]) for each in (one, other, both)]
            assert amounts[0] + amounts[1] == amounts[2]
    reversed_ = [each["reversals"]["transactionCount"] for each in answer["timeSeries"]["points"]]
    assert sum(reversed_) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("field", "apart"), [("transactionCount", False), (REVERSED, True)])
async def test_slots_are_told_apart_by_kind_only_where_reversals_are_asked_for(
    field: str, apart: bool
) -> None:
    api = Api(DATA)
    await api.account(
        f"""timeSeries({DAY}, granularity: HOUR) {{ points {{ {field} }} }}
        totals({DAY}) {{ averageAmount }}"""
    )
    assert [plan.by_kind for plan in api.store.plans if isinstance(plan, SlotsPlan)] == [apart]


@pytest.mark.anyio
async def test_the_network_s_series_is_compared_too_and_one_way_only() -> None:
    api = Api(DATA)
    series = f"timeSeries({DAY}, granularity: DAY, compareTo: PREVIOUS_PERIOD%s) {{ {POINTS} comparison {{ {POINTS} }} }}"
    answer = (await api.ask("{ network { %s } }" % (series % "")))["network"]["timeSeries"]
    sums = [
        sum(each["transactionCount"] for each in part["points"])
        for part in (answer, answer["comparison"])
    ]
    assert sums == [4, 1]
    both = series % f", compareWindow: {DAY.removeprefix('window: ')}"
    body = {"query": "{ network { %s } }" % both}  # noqa: UP031
    (error,) = (await api.client.post("/graphql", json=body)).json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
