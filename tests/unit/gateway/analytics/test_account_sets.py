"""Several accounts as one: what is counted is what one account would have had in their place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.caller import Caller, Role
from gateway.analytics.model import Entry
from tests.store_cases import reversal, transfer
from tests.unit.gateway.api import Api
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import Gateway
from tests.unit.gateway.subscribed import subscribe

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
SHOPS = ("a1", "a2", "a3")
PEOPLE = (*SHOPS, "bob", "carol")
WINDOW = "window: {last: {count: 10, unit: DAY}}"
MEASURES = "transactionCount transactionAmount"
SET = """accountSet(ids: ["a1", "a2", "a3"]%s) {
  totals(window: {last: {count: 10, unit: DAY}}) { transactionCount transactionAmount counterpartyCount
    reversals { transactionCount transactionAmount } }
  topCounterparties(window: {last: {count: 10, unit: DAY}}, first: 2, direction: SENT) {
    rows { accountId transactionCount transactionAmount }
    others { counterpartyCount transactionCount transactionAmount }
    total { counterpartyCount transactionCount transactionAmount } }
  timeSeries(window: {last: {count: 10, unit: DAY}}, granularity: DAY) { points { transactionCount transactionAmount } }
  netFlow(window: {last: {count: 10, unit: DAY}}) {
    received { transactionCount transactionAmount } sent { transactionCount transactionAmount } netAmount } }"""


@st.composite
def payments(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 25))):
        one, other = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(PEOPLE))
        at_ms = NOW_MS - draw(st.integers(1, 9 * 24)) * HOUR_MS
        moved = transfer(one, other, UUID.format(number), Decimal(draw(st.integers(1, 9))), at_ms)
        found += moved
        if draw(st.integers(0, 4)) == 0:
            found += reversal(moved, UUID.format(500 + number), at_ms + HOUR_MS // 2)
    return found


def merged(entries: list[Entry], *, outside: bool) -> list[Entry]:
    """The same book with one account `set` in place of the shops, as one account of its own sees it."""
    return [
        replace(each, account_id="set")
        for each in entries
        if each.account_id in SHOPS and not (outside and each.counterparty_id in SHOPS)
    ]


@settings(max_examples=20, deadline=None)
@given(entries=payments(), outside=st.booleans())
def test_a_set_is_answered_as_one_account_in_its_place_would_be(
    entries: list[Entry], outside: bool
) -> None:
    internal = "" if outside else ", internalTransfers: INCLUDED"

    async def run() -> tuple[Any, Any, list[str]]:
        several, one = Api(entries), Api(merged(entries, outside=outside))
        found = (await several.ask("{ %s }" % (SET % internal)))["accountSet"]
        fields = SET[SET.index("{") :]
        alone = (await one.ask(f'{{ account(id: "set") {fields} }}'))["account"]
        return found, alone, [type(plan).__name__ for plan in several.store.plans]

    found, alone, plans = anyio.run(run)
    assert found == alone
    # As many as for one account: totals of both sides, the ranking and what it leaves out, the series.
    assert len(plans) <= 7


@pytest.mark.anyio
async def test_a_transfer_inside_counts_for_nobody_or_for_both_sides() -> None:
    api = Api(
        [
            *transfer("a1", "bob", UUID.format(1), Decimal(10), NOW_MS - HOUR_MS),
            *transfer("a2", "a1", UUID.format(2), Decimal(3), NOW_MS - HOUR_MS),
        ]
    )
    flow = f"netFlow({WINDOW}) {{ received {{ {MEASURES} }} sent {{ {MEASURES} }} netAmount }}"
    answer = await api.ask(
        f"""{{ without: accountSet(ids: ["a1", "a2"]) {{ ids {flow} }}
        with: accountSet(ids: ["a1", "a2"], internalTransfers: INCLUDED) {{ {flow} }}
        one: accountSet(ids: ["a2"]) {{ {flow} }} }}"""
    )
    ten, three = ({"transactionCount": 1, "transactionAmount": amount} for amount in ("10", "3"))
    nothing = {"transactionCount": 0, "transactionAmount": "0"}
    assert answer["without"] == {
        "ids": ["a1", "a2"],
        "netFlow": {"received": ten, "sent": nothing, "netAmount": "10"},
    }
    both = {"transactionCount": 2, "transactionAmount": "13"}
    assert answer["with"]["netFlow"] == {"received": both, "sent": three, "netAmount": "10"}
    # Outside of a set of one stands whoever is not that one.
    assert answer["one"]["netFlow"] == {"received": three, "sent": nothing, "netAmount": "3"}


@pytest.mark.anyio
async def test_one_counterparty_of_a_set_and_its_rank() -> None:
    api = Api(
        [
            *transfer("a1", "bob", UUID.format(1), Decimal(10), NOW_MS - HOUR_MS),
            *transfer("a2", "bob", UUID.format(2), Decimal(3), NOW_MS - HOUR_MS),
            *transfer("a2", "carol", UUID.format(3), Decimal(99), NOW_MS - HOUR_MS),
        ]
    )
    answer = await api.ask(
        f"""{{ accountSet(ids: ["a2", "a1", "a2"]) {{ ids
        totals({WINDOW}, counterpartyId: "bob", compareTo: PREVIOUS_PERIOD) {{ {MEASURES} counterpartyCount }}
        topCounterparties({WINDOW}, first: 1) {{ rankOf(accountId: "bob") {{ rank {MEASURES} }}
          pageInfo {{ endCursor }} }} }} }}"""
    )
    found = answer["accountSet"]
    assert found["ids"] == ["a2", "a1"]
    thirteen = {"transactionCount": 2, "transactionAmount": "13"}
    assert found["totals"] == {**thirteen, "counterpartyCount": 1}
    assert found["topCounterparties"]["rankOf"] == {"rank": 2, **thirteen}
    cursor = found["topCounterparties"]["pageInfo"]["endCursor"]
    page = (
        f'topCounterparties({WINDOW}, first: 1, after: "{cursor}") {{ rows {{ rank accountId }} }}'
    )
    answer = await api.ask(f'{{ accountSet(ids: ["a1", "a2"]) {{ {page} }} }}')
    rows = answer["accountSet"]["topCounterparties"]["rows"]
    assert rows == [{"rank": 2, "accountId": "bob"}]
    for other in ('ids: ["a1"]', 'ids: ["a1", "a2"], internalTransfers: INCLUDED'):
        query = f"{{ accountSet({other}) {{ {page} }} }}"
        (error,) = (await api.client.post("/graphql", json={"query": query})).json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "give either ids or group"),
        ('ids: ["a"], group: "g"', "give either ids or group"),
        ("ids: null, group: null", "give either ids or group"),
        ("ids: []", "a set has 1 to 50 accounts, not 0"),
        ('ids: ["a", ""]', r"ids[1]"),
        ("ids: [%s]" % ", ".join(f'"a{n}"' for n in range(51)), "a set has 1 to 50"),  # noqa: UP031
    ],
)
async def test_what_is_no_set_is_refused_before_anything_is_asked(
    arguments: str, words: str
) -> None:
    api = Api([])
    given_ = f"({arguments})" if arguments else ""
    query = f"{{ accountSet{given_} {{ totals({WINDOW}) {{ exact }} }} }}"
    body = (await api.client.post("/graphql", json={"query": query})).json()
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert words in error["message"]
    assert body["data"] == {"accountSet": None}
    assert api.store.plans == []


@pytest.mark.anyio
async def test_a_group_of_the_callers_is_a_set_and_too_large_a_one_is_not() -> None:
    gateway = Gateway()
    many = frozenset(f"m{number:02d}" for number in range(51))
    groups = (("mine", frozenset({"bob", "alice"})), ("vast", many))
    accounts = many | {"alice", "bob"}
    gateway.caller = Caller("p", Role.PARTNER, accounts, True, groups=groups)
    totals = f"totals(direction: SENT, {WINDOW}) {{ {MEASURES} }}"
    body = await gateway.ask(f'{{ accountSet(group: "mine") {{ ids {totals} }} }}')
    # What bob sent went to alice, who is in the group with it.
    zero = {"transactionCount": 0, "transactionAmount": "0"}
    assert body["data"] == {"accountSet": {"ids": ["alice", "bob"], "totals": zero}}
    gateway.store.plans.clear()
    assert await gateway.code(f'{{ accountSet(group: "vast") {{ {totals} }} }}') == "BAD_USER_INPUT"
    for name in ("other", "MINE", ""):
        assert (
            await gateway.code(f'{{ accountSet(group: "{name}") {{ {totals} }} }}') == "FORBIDDEN"
        )
    assert gateway.store.plans == []


@pytest.mark.anyio
async def test_callers_of_equal_accounts_and_other_groups_share_no_answer() -> None:
    gateway = Gateway()
    accounts = frozenset({"alice", "bob", "carol"})
    query = f'{{ accountSet(group: "g") {{ ids totals({WINDOW}) {{ {MEASURES} }} }} }}'
    seen = []
    for members in ({"alice", "bob"}, {"alice", "carol"}, {"alice", "bob"}):
        groups = (("g", frozenset(members)),)
        gateway.caller = Caller("p", Role.PARTNER, accounts, True, groups=groups)
        seen.append((await gateway.ask(query))["data"]["accountSet"])
    assert seen[0] == seen[2] != seen[1]
    assert [each["ids"] for each in seen[:2]] == [["alice", "bob"], ["alice", "carol"]]
    assert [each["totals"]["transactionAmount"] for each in seen[:2]] == ["15", "19"]


@pytest.mark.anyio
async def test_a_set_can_be_subscribed_to() -> None:
    gateway = Gateway()
    query = f"""subscription {{ accountSet(ids: ["alice", "bob"]) {{
      totals({WINDOW}) {{ transactionAmount }} }} }}"""
    subscriber = await subscribe(gateway, query=query)
    (event,) = subscriber.events
    assert event["data"]["accountSet"]["totals"] == {"transactionAmount": "15"}
