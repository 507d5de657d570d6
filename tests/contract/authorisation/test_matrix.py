"""Who gets whose figures: callers x accounts x ways to ask, every field."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.contract.authorisation.asked_for import ACCOUNT, ACCOUNT_SET, asked, object_type
from tests.contract.authorisation.ways import WAYS, Way, by_post
from tests.contract.authorisation.world import (
    ACCOUNTS,
    READS,
    STRANGERS,
    World,
    read_accounts,
    without_balance,
)

pytestmark = pytest.mark.anyio


MASKED = ("counterpartyId", "accountId", "startCursor", "endCursor")


def without_masks(text: str) -> str:
    """An answer as far as it does not depend on who may see which ids."""
    data = json.loads(text)["data"]["account"]

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(each) for name, each in value.items() if name not in MASKED}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return json.dumps(strip(data))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("caller", READS)
async def test_a_caller_gets_its_accounts_and_no_others(
    world: World, caller: str, way: Way
) -> None:
    refusals = set()
    for account in ACCOUNTS:
        response = await way(world, caller, account)
        asked_for = read_accounts(world.store.plans)
        body = response.json()
        assert response.status_code == 200
        if account in READS[caller]:
            assert "errors" not in body
            assert asked_for <= {account}  # nothing, if it was answered just now
            truth = await by_post(world, "operator", account)
            assert "errors" not in truth.json()
            assert without_masks(response.text) == without_masks(truth.text)
        else:
            assert body["data"]["account"] is None
            assert [each["extensions"]["code"] for each in body["errors"]] == ["FORBIDDEN"]
            assert asked_for == set()
            assert account not in response.text
            refusals.add(without_balance(response))
    # Whether an account exists makes no difference, not even in a byte.
    assert len(refusals) <= 1


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_stranger_gets_nothing(world: World, way: Way) -> None:
    said = set()
    for caller, account in itertools.product(STRANGERS, ACCOUNTS):
        response = await way(world, caller, account)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": "request-1"}
        assert "data" not in response.json()
        assert world.store.plans == []
        said.add((caller == "nobody", response.content))
    # That a credential is missing is told; what is wrong with one is not.
    assert len(said) == 2


@pytest.mark.parametrize("name", object_type("Account").fields)
async def test_no_field_of_a_forbidden_account_is_answered(world: World, name: str) -> None:
    each = object_type("Account").fields[name]
    for caller, reads in READS.items():
        for account in set(ACCOUNTS) - reads:
            query = f'{{ account(id: "{account}") {{ {asked(name, each)} }} }}'
            body = (await world.post(caller, query)).json()
            assert body["data"] == {"account": None}
            assert world.store.plans == []


@pytest.mark.parametrize("caller", READS)
async def test_several_accounts_are_answered_if_all_are_the_callers(
    world: World, caller: str
) -> None:
    for first in ACCOUNTS:
        for second in ACCOUNTS:
            query = f'{{ accounts(ids: ["{first}", "{second}"]){ACCOUNT} }}'
            response = await world.post(caller, query)
            if {first, second} <= READS[caller]:
                assert "errors" not in response.json()
                assert read_accounts(world.store.plans) <= {first, second}  # as above
            else:
                assert response.json()["data"] == {"accounts": None}
                assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
                assert world.store.plans == []


@pytest.mark.parametrize("internal", ["EXCLUDED", "INCLUDED"])
@pytest.mark.parametrize("caller", READS)
async def test_a_set_is_answered_if_all_of_it_is_the_callers(
    world: World, caller: str, internal: str
) -> None:
    for first in ACCOUNTS:
        for second in ACCOUNTS:
            given = f'ids: ["{first}", "{second}"], internalTransfers: {internal}'
            response = await world.post(caller, f"{{ accountSet({given}){ACCOUNT_SET} }}")
            if {first, second} <= READS[caller]:
                assert "errors" not in response.json()
                assert read_accounts(world.store.plans) == {first, second}
            else:
                assert response.json()["data"] == {"accountSet": None}
                assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
                assert world.store.plans == []


@pytest.mark.parametrize("name", object_type("AccountSet").fields)
async def test_no_field_of_a_forbidden_set_is_answered(world: World, name: str) -> None:
    each = object_type("AccountSet").fields[name]
    query = f'{{ accountSet(ids: ["alice", "carol"]) {{ {asked(name, each)} }} }}'
    for caller in READS:
        body = (await world.post(caller, query)).json()
        if caller != "operator":
            assert body["data"] == {"accountSet": None}
            assert world.store.plans == []


async def test_a_group_is_a_set_for_those_who_were_given_it(world: World) -> None:
    refusals = set()
    for caller in READS:
        for group in ("friends", "strangers"):
            response = await world.post(caller, f'{{ accountSet(group: "{group}"){ACCOUNT_SET} }}')
            body = response.json()
            if group == "friends" and caller in ("partner", "masked partner"):
                assert "errors" not in body
                assert body["data"]["accountSet"]["ids"] == ["alice", "bobby"]
                assert read_accounts(world.store.plans) == {"alice", "bobby"}
            else:
                assert body["data"] == {"accountSet": None}
                assert body["errors"][0]["extensions"]["missingRight"] == "USE_GROUP"
                assert world.store.plans == []
                refusals.add(body["errors"][0]["message"])
    # Whether there is such a group makes no difference.
    assert len(refusals) == 1


async def test_what_is_masked_in_a_set_serves_its_caller(world: World) -> None:
    top = "topCounterparties(window: {last: {count: 30, unit: DAY}}) { rows { accountId } }"
    query = f'{{ accountSet(group: "friends") {{ {top} }} }}'
    found = (await world.post("masked partner", query)).json()["data"]["accountSet"]
    masked = [row["accountId"] for row in found["topCounterparties"]["rows"]]
    assert masked
    assert all(each.startswith("masked:") for each in masked)
    totals = (
        "totals(window: {last: {count: 30, unit: DAY}}, counterpartyId: $id) { transactionCount }"
    )
    one = f'query ($id: ID!) {{ accountSet(group: "friends") {{ {totals} }} }}'
    for mask in masked:
        body = (await world.post("masked partner", one, variables={"id": mask})).json()
        assert body["data"]["accountSet"]["totals"]["transactionCount"] > 0
