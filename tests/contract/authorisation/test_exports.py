"""Who may export whose transactions: callers x accounts, whole and from the middle on."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from tests.contract.authorisation.world import ACCOUNTS, READS, STRANGERS, World, read_accounts
from tests.unit.gateway.exported import Rows, rows_of, rows_of_csv

pytestmark = pytest.mark.anyio
WINDOW = {"start": "2025-11-01T00:00:00Z", "end": "2025-12-01T00:00:00Z"}
MASK = "masked:"
PLAIN = ("cursor", "counterpartyId")


async def export(world: World, caller: str, account: str, **more: str) -> httpx.Response:
    world.store.plans.clear()
    return await world.client.get(
        "/export/transactions",
        params={"account": account, **WINDOW, **more},
        headers=world.headers(caller),
    )


def without_ids(rows: Rows) -> list[dict[str, Any]]:
    return [{name: each[name] for name in each if name not in PLAIN} for each in rows]


@pytest.mark.parametrize("format_", ["ndjson", "csv"])
@pytest.mark.parametrize("caller", READS)
async def test_a_caller_exports_its_accounts_and_no_others(
    world: World, caller: str, format_: str
) -> None:
    read = rows_of if format_ == "ndjson" else rows_of_csv
    refusals = set()
    for account in ACCOUNTS:
        response = await export(world, caller, account, format=format_)
        asked_for = read_accounts(world.store.plans)
        if account in READS[caller]:
            assert response.status_code == 200
            assert asked_for <= {account}
            truth = read((await export(world, "operator", account, format=format_)).content)
            assert without_ids(read(response.content)) == without_ids(truth)
            assert bool(truth) is (account != "nobod")
        else:
            assert response.status_code == 403
            (error,) = response.json()["errors"]
            assert error["extensions"]["code"] == "FORBIDDEN"
            assert error["extensions"]["missingRight"] == "READ_ACCOUNT"
            assert asked_for == set()
            assert account not in response.text
            told = {name: each for name, each in response.json().items() if name == "errors"}
            refusals.add(str(told))
    assert len(refusals) <= 1, "whether an account exists makes no difference"


async def test_a_stranger_exports_nothing(world: World) -> None:
    for caller, account in itertools.product(STRANGERS, ACCOUNTS):
        response = await export(world, caller, account)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": "request-1"}
        assert world.store.plans == []


@pytest.mark.parametrize("caller", READS)
async def test_ids_are_shown_as_by_graphql(world: World, caller: str) -> None:
    for account in READS[caller] & {"alice", "bobby"}:
        query = """query ($account: ID!, $start: DateTime!, $end: DateTime!) { account(id: $account) {
          transactions(window: {between: {start: $start, end: $end}}, first: 100) {
            edges { node { counterpartyId } } } } }"""
        variables = {"account": account, **WINDOW}
        answer = (await world.post(caller, query, variables=variables)).json()
        edges = answer["data"]["account"]["transactions"]["edges"]
        shown = [each["node"]["counterpartyId"] for each in edges]
        found = rows_of((await export(world, caller, account)).content)
        assert [each["counterpartyId"] for each in found] == shown
        masked = any(each.startswith(MASK) for each in shown)
        assert masked is (caller == "masked partner")


async def test_a_mask_filters_for_whom_it_was_shown_to_and_an_id_for_who_sees_it(
    world: World,
) -> None:
    rows = rows_of((await export(world, "masked partner", "alice")).content)
    mask = next(each["counterpartyId"] for each in rows if each["counterpartyId"].startswith(MASK))
    chosen = rows_of((await export(world, "masked partner", "alice", counterpartyId=mask)).content)
    assert (
        without_ids(chosen)[:-1]
        == [
            {**each, "hasNext": True}
            for each in without_ids([row for row in rows if row["counterpartyId"] == mask])
        ][:-1]
    )
    for caller, other in (
        ("second masked partner", mask),
        ("masked partner", "carol"),
        ("partner", mask),
    ):
        refused = await export(world, caller, "alice", counterpartyId=other)
        told = refused.status_code, read_accounts(world.store.plans)
        # Who sees all ids may name any; a mask is too long for one.
        assert told == ((400, set()) if caller == "partner" else (403, set()))


async def test_a_cursor_gives_no_right(world: World) -> None:
    rows = rows_of((await export(world, "operator", "carol")).content)
    for caller in ("owner", "partner", "nobody"):
        response = await export(world, caller, "carol", after=rows[0]["cursor"])
        assert response.status_code == (401 if caller == "nobody" else 403)
        assert read_accounts(world.store.plans) == set()
    mine = rows_of((await export(world, "operator", "alice")).content)
    rest = await export(world, "masked partner", "alice", after=mine[0]["cursor"])
    assert without_ids(rows_of(rest.content)) == without_ids(mine[1:])
    assert MASK in rest.text


@pytest.mark.parametrize("name", ["access_token", "authorization", "api_key"])
async def test_a_credential_in_the_address_or_a_cookie_is_none(world: World, name: str) -> None:
    secret = world.credentials["operator"]
    in_url = await export(world, "nobody", "alice", **{name: secret})
    cookie = {"cookie": f"{name}={secret}"}
    in_cookie = await world.client.get(
        "/export/transactions", params={"account": "alice", **WINDOW}, headers=cookie
    )
    assert (in_url.status_code, in_cookie.status_code) == (401, 401)
    assert secret not in in_url.text
