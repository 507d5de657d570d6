"""What an answer shows of other accounts: masked ids, reversals, cursors; and what the log shows of anyone."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contract.authorisation.asked_for import ACCOUNT
from tests.contract.authorisation.ways import by_get
from tests.contract.authorisation.world import ACCOUNTS, READS, STRANGERS, World
from tests.identity_provider import shows

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("caller", READS)
async def test_a_reversal_names_a_transfer_that_its_reader_is_shown_too(
    world: World, caller: str
) -> None:
    nodes = "{ edges { node { kind transactionId reverses counterpartyId direction } } }"
    for account in ACCOUNTS:
        query = (
            f'{{ account(id: "{account}") {{ transactions(window: {{last: {{count: 2, unit: DAY}}}},'
            f" first: 100) {nodes} }} }}"
        )
        found = (await world.post(caller, query)).json()["data"]["account"]
        assert (found is None) is (account not in READS[caller])
        listed = [each["node"] for each in found["transactions"]["edges"]] if found else []
        sides = ("counterpartyId", "direction")
        shown = {
            (each["transactionId"], *map(each.get, sides))
            for each in listed
            if each["kind"] == "TRANSFER"
        }
        reversed_ = [
            (each["reverses"], *map(each.get, sides))
            for each in listed
            if each["kind"] == "REVERSAL"
        ]
        assert len(reversed_) == len(shown)
        assert set(reversed_) == shown


TOP = """{ account(id: "alice") {
  topCounterparties(window: {last: {count: 30, unit: DAY}}) { rows { accountId } }
  transactions(window: {last: {count: 30, unit: DAY}}) { edges { node { counterpartyId } } } } }"""


def counterparties(body: Any) -> set[str]:
    account = body["data"]["account"]
    edges = account["transactions"]["edges"]
    ranked = {row["accountId"] for row in account["topCounterparties"]["rows"]}
    assert ranked == {edge["node"]["counterpartyId"] for edge in edges}
    return ranked


async def test_a_masked_caller_recognises_others_but_cannot_name_them(world: World) -> None:
    clear = counterparties((await world.post("partner", TOP)).json())
    masked = counterparties((await world.post("masked partner", TOP)).json())
    assert clear == {"bobby", "carol", "payer-alice"}
    assert {each for each in masked if not each.startswith("masked:")} == {"bobby"}
    assert len(masked) == 3
    for guess in ("carol", "payer-alice", "nobod", "masked:" + "a" * 76):
        for name in ("transactions", "totals", "netFlow", "timeSeries"):
            query = with_one(name, guess)
            (error,) = (await world.post("masked partner", query)).json()["errors"]
            assert error["extensions"]["missingRight"] == "SEE_COUNTERPARTIES"
            assert world.store.plans == []
            if not guess.startswith("masked:"):
                assert "errors" not in (await world.post("partner", query)).json()
    own = with_one("totals", "bobby")
    assert "errors" not in (await world.post("masked partner", own)).json()


def with_one(name: str, other: str) -> str:
    size = ", granularity: DAY" if name == "timeSeries" else ""
    return f"""{{ account(id: "alice") {{ {name}(
        window: {{last: {{count: 30, unit: DAY}}}}, counterpartyId: "{other}"{size}) {{ {BETWEEN[name]} }} }} }}"""


BETWEEN = {
    "transactions": "totalCount edges { node { amount } }",
    "totals": "transactionCount transactionAmount counterpartyCount",
    "netFlow": "netAmount received { transactionCount }",
    "timeSeries": "points { transactionCount transactionAmount }",
}


@pytest.mark.parametrize("name", BETWEEN)
async def test_a_masked_id_serves_the_caller_that_was_shown_it_and_nobody_else(
    world: World, name: str
) -> None:
    masked = counterparties((await world.post("masked partner", TOP)).json()) - {"bobby"}
    clear = [
        (await world.post("partner", with_one(name, other))).json()["data"]["account"]
        for other in ("carol", "payer-alice")
    ]
    for mask in masked:
        body = (await world.post("masked partner", with_one(name, mask))).json()
        assert "errors" not in body
        assert body["data"]["account"] in clear
        assert mask not in str(world.store.plans)
        for caller in ("owner", "partner", "second masked partner", "operator"):
            body = (await world.post(caller, with_one(name, mask))).json()
            (error,) = body["errors"]
            code = "FORBIDDEN" if caller == "second masked partner" else "BAD_USER_INPUT"
            assert error["extensions"]["code"] == code
            assert body["data"]["account"] == {name: None}
            assert world.store.plans == []


async def test_a_masked_id_has_its_rank(world: World) -> None:
    query = """query ($other: ID!) { account(id: "alice") {
        topCounterparties(window: {last: {count: 30, unit: DAY}}, first: 1) {
        rows { accountId } rankOf(accountId: $other) { rank accountId transactionCount } } } }"""

    async def rank(caller: str, other: str) -> Any:
        body = (await world.post(caller, query, variables={"other": other})).json()
        codes = [each["extensions"]["code"] for each in body.get("errors", ())]
        return codes or body["data"]["account"]["topCounterparties"]["rankOf"]

    ranked = (await world.post("masked partner", TOP)).json()["data"]["account"]
    masks = [row["accountId"] for row in ranked["topCounterparties"]["rows"]]
    clear = (await world.post("partner", TOP)).json()["data"]["account"]
    ids = [row["accountId"] for row in clear["topCounterparties"]["rows"]]
    for place, (mask, account) in enumerate(zip(masks, ids, strict=True), start=1):
        found = await rank("masked partner", mask)
        assert (found["rank"], found["accountId"]) == (place, mask)
        assert (await rank("partner", account))["rank"] == place
        if mask != account:
            assert await rank("masked partner", account) == ["FORBIDDEN"]
            assert await rank("second masked partner", mask) == ["FORBIDDEN"]
            assert await rank("operator", mask) == ["BAD_USER_INPUT"]


async def test_a_rankings_cursor_shows_no_id_that_is_masked_and_serves_its_caller_only(
    world: World,
) -> None:
    query = """query ($after: String) { account(id: "alice") { topCounterparties(
        window: {last: {count: 30, unit: DAY}}, first: 1, after: $after) {
        pageInfo { hasNextPage endCursor } rows { accountId } } } }"""

    async def page(caller: str, after: str | None) -> Any:
        body = (await world.post(caller, query, variables={"after": after})).json()
        codes = [each["extensions"]["code"] for each in body.get("errors", ())]
        return codes or body["data"]["account"]["topCounterparties"]

    seen: list[str] = []
    after, clear = None, None
    while True:
        found = await page("masked partner", after)
        seen += [row["accountId"] for row in found["rows"]]
        cursor = found["pageInfo"]["endCursor"]
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert b"carol" not in content
        assert b"payer-" not in content
        in_clear = await page("partner", clear)
        clear = in_clear["pageInfo"]["endCursor"]
        if seen[-1] != "bobby":
            for other in ("second masked partner", "operator"):
                assert await page(other, cursor) == ["BAD_USER_INPUT"]
            assert await page("masked partner", clear) == ["BAD_USER_INPUT"]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = cursor
    assert len(seen) == len(set(seen)) == 3


async def test_a_cursor_leads_to_no_other_account(world: World) -> None:
    query = """query ($id: ID!, $after: String) { account(id: $id) { transactions(
        window: {last: {count: 30, unit: DAY}}, first: 1, after: $after) {
        pageInfo { endCursor } edges { node { amount } } } } }"""
    page = (await world.post("operator", query, variables={"id": "carol"})).json()
    cursor = page["data"]["account"]["transactions"]["pageInfo"]["endCursor"]
    for caller, account, code in (
        ("owner", "carol", "FORBIDDEN"),
        ("owner", "alice", "BAD_USER_INPUT"),
    ):
        asked_for = {"id": account, "after": cursor}
        body = (await world.post(caller, query, variables=asked_for)).json()
        assert body["errors"][0]["extensions"]["code"] == code
        assert world.store.plans == []


async def test_logs_hold_no_credentials_and_no_account_ids(world: World) -> None:
    for caller in (*READS, *STRANGERS):
        for account in ACCOUNTS:
            await by_get(world, caller, account)
            await world.post(caller, f'{{ accounts(ids: ["alice", "{account}"]){ACCOUNT} }}')
    told = world.log.getvalue()
    lines = [json.loads(line) for line in told.splitlines()]
    assert {line.get("caller") for line in lines} >= {"key:full", "key:masked", "key:ops"}
    assert {line.get("refusal") for line in lines} >= {
        "missing",
        "token_signature",
        "token_expired",
        "unknown_key",
    }
    for secret in world.credentials.values():
        assert not shows(told, secret)
    assert not [account for account in ACCOUNTS if account in told]
    assert "user-7" not in told
