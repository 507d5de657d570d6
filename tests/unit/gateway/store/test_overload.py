"""More than can be executed: ready and older answers are still given, the rest is refused before any work."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from gateway.access.caller import Caller, Role
from gateway.settings import Settings
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.shedding import FEW
from tests.unit.gateway.served import LIVE, TOTALS, Gateway, settle

pytestmark = pytest.mark.anyio

ONE_AT_A_TIME = {
    "store_queries_least": 1,
    "store_queries_start": 1,
    "store_queries_most": 1,
}


def about(account: str) -> str:
    return TOTALS.replace("alice", account)


async def full(gateway: Gateway, operations: int) -> list[asyncio.Future[object]]:
    """Operations that wait for the store."""
    gateway.store.may_answer = asyncio.Event()
    asking = [
        asyncio.ensure_future(gateway.post(about(f"held-{number}"))) for number in range(operations)
    ]
    await settle()
    return asking  # type: ignore[return-value]


async def test_a_refused_miss_takes_no_work_and_a_hit_and_who_joins_are_still_served() -> None:
    gateway = Gateway(Settings(**ONE_AT_A_TIME))  # type: ignore[arg-type]
    await gateway.post(about("ready"))
    held = await full(gateway, 2)
    asked = len(gateway.store.plans)
    refused = await gateway.post(about("new"))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert len(gateway.store.plans) == asked
    assert (await gateway.post(about("ready"))).headers["age"] == "0"
    joins = asyncio.ensure_future(gateway.post(about("held-1")))
    await settle()
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    for answer in await asyncio.gather(joins, *held):
        assert answer.status_code == 200  # type: ignore[attr-defined]
    assert await gateway.metric('gateway_shed_total{because="store"}') == 1
    assert (await gateway.post(about("new"))).status_code == 200


async def test_an_answer_within_the_budget_stands_in_without_being_made_anew() -> None:
    gateway = Gateway(Settings(**ONE_AT_A_TIME, cache_stale_ms=1_000, freshness_budget_ms=3_000))  # type: ignore[arg-type]
    await gateway.post(about("older"))
    held = await full(gateway, 2)
    asked = len(gateway.store.plans)
    for later_s in (0.6, 2.3):
        gateway.now_s += later_s
        answer = await gateway.post(about("older"))
        assert answer.json()["extensions"]["cache"]["status"] == "STALE"
    assert len(gateway.store.plans) == asked
    gateway.now_s += 0.2
    assert (await gateway.post(about("older"))).status_code == 503
    for each in held:
        each.cancel()


def operator(subject: str) -> Caller:
    return Caller(subject, Role.OPERATOR, None, sees_counterparties=True)


def rankings(number: int) -> str:
    """An operation of so many store queries."""
    fields = (
        "t%d: topCounterparties(window: {last: {count: %d, unit: DAY}}) { exact }" % (each, each)
        for each in range(1, number // 2 + 1)
    )
    return '{ accounts(ids: ["alice", "bob"]) { %s } }' % " ".join(fields)


@pytest.mark.parametrize("cache", [True, False])
async def test_who_asks_too_much_is_turned_away_and_nobody_else(cache: bool) -> None:
    gateway = Gateway(Settings(cache=cache))
    gateway.store.may_answer = asyncio.Event()
    gateway.caller = operator("greedy")
    asking = [asyncio.ensure_future(gateway.post(rankings(34)))]
    await settle()
    assert await gateway.metric('gateway_store_queries{state="queued"}') > 16
    gateway.caller = operator("modest")
    asking += [asyncio.ensure_future(gateway.post(about(f"of-{each}"))) for each in range(12)]
    await settle()
    assert not any(each.done() for each in asking)
    gateway.caller = operator("greedy")
    assert (await gateway.post(about("more"))).status_code == 503
    gateway.caller = operator("modest, too")
    asking.append(asyncio.ensure_future(gateway.post(about("more"))))
    await settle()
    gateway.store.may_answer.set()
    for answer in await asyncio.gather(*asking):
        assert (answer.status_code, "errors" in answer.json()) == (200, False)


async def test_without_the_cache_one_question_does_not_hide_how_many_ask_it() -> None:
    gateway = Gateway(Settings(**ONE_AT_A_TIME, cache=False))  # type: ignore[arg-type]
    gateway.store.may_answer = asyncio.Event()
    asking = [asyncio.ensure_future(gateway.post()) for _ in range(5)]
    await settle()
    done = [each.result().status_code for each in asking if each.done()]
    assert done == [503, 503, 503]
    gateway.store.may_answer.set()
    assert [(await each).status_code for each in asking].count(200) == 2


async def test_where_requests_wait_to_be_seen_those_not_seen_before_are_not_even_read() -> None:
    gateway = Gateway(Settings(store_queries_most=100, store_queries_start=100))
    for account in ("ready", "expired"):
        await gateway.post(about(account))
    held = await full(gateway, FEW)
    with patch.object(LoopLag, "look", return_value=True):
        assert (await gateway.post(about("ready"))).headers["age"] == "0"
        for unread in ("{ not { even GraphQL", "{ account(id: %s) { id } }" % LIVE):
            refused = await gateway.post(unread)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        gateway.now_s += 100
        assert (await gateway.post(about("expired"))).status_code == 503
    assert await gateway.metric('gateway_shed_total{because="lag"}') == 3
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    await asyncio.gather(*held)
