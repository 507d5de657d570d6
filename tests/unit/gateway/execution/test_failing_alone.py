"""What can fail by itself is null with an error of its own, and everything beside it is there."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.access.caller import Caller, Role
from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, RejectedPlan
from gateway.analytics.query_plan import DistinctPlan, QueryPlan, TotalsPlan
from gateway.errors import StoreUnavailableError
from tests.unit.gateway.served import ENTRIES, LIVE, Gateway, HeldStore

pytestmark = pytest.mark.anyio

LONG = "x" * 65
Kinds = tuple[type[QueryPlan[Any]], ...]


class PartlyOut(HeldStore):
    """A store that cannot answer some kinds of plans."""

    out: Kinds = ()

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        if isinstance(plan, self.out):
            raise StoreUnavailableError("down")
        return await super().fetch(plan, timeout_s)


def without(*kinds: type[QueryPlan[Any]]) -> Gateway:
    """A gateway over a store that cannot answer these."""
    store = PartlyOut(ENTRIES)
    store.out = kinds
    return Gateway(store=store)


def told(body: dict[str, Any]) -> list[tuple[list[str | int], str]]:
    return [(each["path"], each["extensions"]["code"]) for each in body["errors"]]


@pytest.mark.parametrize("fields", ["id", "id totals(%s) { transactionCount }" % LIVE])
@pytest.mark.parametrize(
    ("ids", "place"),
    [
        (["a", "b\u0007"], 1),
        (["", "a", "b"], 0),
        (["a", "a", LONG, "a", LONG, "c"], 2),
        (["\u0000"], 0),
        (["alice", "\u0085"], 1),
    ],
)
async def test_an_id_that_is_none_leaves_the_rest_of_the_page(
    ids: list[str], place: int, fields: str
) -> None:
    query = "query ($ids: [ID!]!) { all: accounts(ids: $ids) { %s } limits { maxFirst } }" % fields
    body = await Gateway().ask(query, ids=ids)
    assert body["data"] == {"all": None, "limits": {"maxFirst": 100}}
    assert told(body) == [(["all"], "BAD_USER_INPUT")]
    assert body["errors"][0]["message"].startswith(f"ids[{place}]: ")


async def test_too_many_accounts_are_null_and_the_rest_is_there() -> None:
    ids = json.dumps([f"acct-{number}" for number in range(51)])
    body = await Gateway().ask("{ accounts(ids: %s) { id } limits { maxFirst } }" % ids)
    assert body["data"] == {"accounts": None, "limits": {"maxFirst": 100}}
    assert told(body) == [(["accounts"], "BAD_USER_INPUT")]


async def test_accounts_of_others_are_null_and_the_rest_is_there() -> None:
    owner = Caller("key:owner", Role.OWNER, frozenset({"alice"}), True)
    gateway = Gateway(caller=owner)
    for ids in ('"alice", "bob"', '"bob"'):
        body = await gateway.ask(
            "{ accounts(ids: [%s]) { id } mine: accounts(ids: [%s]) { id } }" % (ids, '"alice"')
        )
        assert body["data"] == {"accounts": None, "mine": [{"id": "alice"}]}
        assert told(body) == [(["accounts"], "FORBIDDEN")]


@pytest.mark.parametrize("field", ["entries", "rejected", "rejectFlood", "audit { state }"])
async def test_what_an_owner_may_not_know_of_the_pipeline_takes_nothing_down(field: str) -> None:
    owner = Caller("key:owner", Role.OWNER, frozenset({"alice"}), True)
    body = await Gateway(caller=owner).ask("{ pipeline { state %s } }" % field)
    name = field.split(maxsplit=1)[0]
    assert body["data"] == {"pipeline": {"state": "LIVE", name: None}}
    assert told(body) == [(["pipeline", name], "FORBIDDEN")]


async def test_an_outage_leaves_what_no_store_is_asked_for() -> None:
    gateway = Gateway()
    gateway.store.error = StoreUnavailableError("down")
    body = await gateway.ask('{ pipeline { state } limits { maxFirst } account(id: "a") { id } }')
    assert body["data"] == {
        "pipeline": None,
        "limits": {"maxFirst": 100},
        "account": {"id": "a"},
    }
    assert told(body) == [(["pipeline"], "BACKEND_UNAVAILABLE")]


TOP = (
    """{ account(id: "alice") { topCounterparties(%s, first: 1) { rows { accountId }
  others { transactionCount } total { transactionCount counterpartyCount } } } }"""
    % LIVE
)
TOTALS = '{ account(id: "alice") { totals(%s) { transactionCount counterpartyCount } } }' % LIVE
PIPELINE = "{ pipeline { dataSource entries rejected audit { state } } }"


def account(field: str) -> Callable[[Any], Any]:
    return lambda data: data["account"][field]


@pytest.mark.parametrize(
    ("query", "out", "of", "shown"),
    [
        (TOP, TotalsPlan, account("topCounterparties"), ["rows"]),
        (TOTALS, DistinctPlan, account("totals"), ["transactionCount"]),
        (
            PIPELINE,
            EntryCountPlan,
            lambda data: data["pipeline"],
            ["dataSource", "rejected", "audit"],
        ),
        (PIPELINE, RejectedPlan, lambda data: data["pipeline"], ["dataSource", "entries", "audit"]),
        (PIPELINE, AuditPlan, lambda data: data["pipeline"], ["dataSource", "entries", "rejected"]),
    ],
)
async def test_a_part_that_fails_leaves_the_others(
    query: str, out: type[QueryPlan[Any]], of: Callable[[Any], dict[str, Any]], shown: list[str]
) -> None:
    body = await without(out).ask(query)
    found = of(body["data"])
    assert [name for name, value in found.items() if value is not None] == shown
    assert {code for _, code in told(body)} == {"BACKEND_UNAVAILABLE"}


async def test_a_distinct_count_alone_is_null_in_a_rankings_total() -> None:
    total = (await without(DistinctPlan).ask(TOP))["data"]["account"]["topCounterparties"]["total"]
    assert total == {"transactionCount": 5, "counterpartyCount": None}
