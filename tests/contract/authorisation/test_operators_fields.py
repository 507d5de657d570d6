"""Root fields beside the accounts: whose they are, the network's and the pipeline's counts above all."""

from __future__ import annotations

import re

import pytest

from tests.contract.authorisation.asked_for import asked, object_type
from tests.contract.authorisation.ways import by_post
from tests.contract.authorisation.world import (
    ACCOUNTS,
    READS,
    STRANGERS,
    World,
    read_accounts,
    without_balance,
)

pytestmark = pytest.mark.anyio

PUBLIC = {"limits", "pipeline"}
"""Root fields that everyone who is known may ask for."""


async def test_every_root_field_is_covered() -> None:
    assert set(object_type("Query").fields) == {
        "account",
        "accounts",
        "accountSet",
        "network",
        *PUBLIC,
    }


@pytest.mark.parametrize("name", object_type("Network").fields)
async def test_the_networks_figures_are_for_operators(world: World, name: str) -> None:
    query = f"{{ network {{ {asked(name, object_type('Network').fields[name])} }} }}"
    for caller in READS:
        body = (await world.post(caller, query)).json()
        if caller == "operator":
            assert "errors" not in body
            assert read_accounts(world.store.plans) == {None}
        else:
            assert body["data"] == {"network": None}
            (error,) = body["errors"]
            assert error["extensions"]["missingRight"] == "READ_NETWORK"
            assert world.store.plans == []


FOR_OPERATORS = {"audit", "entries", "rejected", "rejectedByReason", "rejectFlood"}
FOR_ALL = {"asOf", "currency", "freshnessSeconds", "state", "dataSource"}


async def test_every_field_of_the_pipeline_is_for_all_or_for_operators() -> None:
    assert set(object_type("Pipeline").fields) == FOR_OPERATORS | FOR_ALL


@pytest.mark.parametrize("name", sorted(FOR_OPERATORS | FOR_ALL))
async def test_the_pipelines_age_is_for_all_and_its_counts_for_operators(
    world: World, name: str
) -> None:
    query = f"{{ pipeline {{ {asked(name, object_type('Pipeline').fields[name])} }} }}"
    for caller in READS:
        body = (await world.post(caller, query)).json()
        if caller == "operator" or name in FOR_ALL:
            assert "errors" not in body
        else:
            assert body["data"] == {"pipeline": {name: None}}
            assert body["errors"][0]["extensions"]["missingRight"] == "READ_NETWORK"
            assert read_accounts(world.store.plans) == set()


async def test_limits_are_for_all_who_are_known(world: World) -> None:
    query = f"{{ {asked('limits', object_type('Query').fields['limits'])} }}"
    assert len({without_balance(await world.post(caller, query)) for caller in READS}) == 1
    for caller in STRANGERS:
        assert (await world.post(caller, query)).status_code == 401
        assert (await world.post(caller, "{ __schema { types { name } } }")).status_code == 401


async def test_metrics_are_for_operators_and_name_nobody(world: World) -> None:
    for caller in READS:
        await by_post(world, caller, "alice")
        response = await world.client.get("/metrics", headers=world.headers(caller))
        if caller == "operator":
            assert response.status_code == 200
            assert "gateway_graphql_operations_total" in response.text
            assert not [account for account in ACCOUNTS if account in response.text]
            assert not re.search("key:|jwt:|pak_|user-7", response.text)
        else:
            assert response.status_code == 403
            (error,) = response.json()["errors"]
            assert error["extensions"]["missingRight"] == "READ_METRICS"
    for caller in STRANGERS:
        response = await world.client.get("/metrics", headers=world.headers(caller))
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "requestId": "request-1"}
