"""Answers out of the cache, through the whole gateway: how old they are, and what is never kept."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.served import CLOSED, LIVE, TOTALS, Gateway, settle

pytestmark = pytest.mark.anyio


async def test_a_fresh_answer_is_the_same_bytes_and_asks_no_store() -> None:
    gateway = Gateway()
    first, again = await gateway.post(), await gateway.post()
    assert first.content == again.content
    assert len(gateway.store.plans) == 1
    assert ("age" in first.headers, again.headers["age"]) == (False, "0")
    assert again.headers["content-type"] == first.headers["content-type"]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 1
    assert await gateway.metric("gateway_cache_answers") == 1
    lines = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    assert [line["cache"] for line in lines] == ["miss", "hit"]


@pytest.mark.parametrize(
    ("query", "fresh_s"),
    [
        (TOTALS, 0.25),
        (TOTALS.replace(LIVE, CLOSED), 2.0),
        ("{ pipeline { state } }", 0.25),
        ("{ limits { maxFirst } }", 60.0),
    ],
)
async def test_no_answer_is_served_as_fresh_past_its_lifetime(query: str, fresh_s: float) -> None:
    gateway = Gateway(Settings(cache_stale_ms=0))
    await gateway.post(query)
    gateway.now_s += fresh_s / 2 - 0.001
    await gateway.post(query)
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 1
    gateway.now_s += fresh_s / 2 + 0.002
    await gateway.post(query)
    assert await gateway.metric('gateway_cache_lookups_total{result="miss"}') == 2


async def test_a_stale_answer_says_so_while_it_is_made_anew_once() -> None:
    gateway = Gateway(Settings(cache_stale_ms=5_000))
    fresh = (await gateway.post()).json()
    cost = fresh["extensions"]["cost"]
    gateway.now_s += 3.0
    gateway.store.may_answer = asyncio.Event()
    gateway.store.as_of_ms += 3_000
    stale = [await gateway.post() for _ in range(3)]
    for each in stale:
        assert each.json() == {
            "data": fresh["data"],
            "extensions": {"cost": cost, "cache": {"status": "STALE", "ageSeconds": 3}},
        }
        assert each.headers["age"] == "3"
    await settle()
    assert len(gateway.store.plans) == 2
    gateway.store.may_answer.set()
    await settle()
    renewed = (await gateway.post()).json()
    assert "cache" not in renewed["extensions"]
    assert renewed["data"]["account"]["totals"]["asOf"] > fresh["data"]["account"]["totals"]["asOf"]


async def test_past_its_hard_limit_an_answer_is_waited_for() -> None:
    gateway = Gateway(Settings(cache_stale_ms=1_000))
    await gateway.post()
    gateway.now_s += 1.3
    assert "cache" not in (await gateway.post()).json()["extensions"]
    assert len(gateway.store.plans) == 2


async def test_while_the_store_is_out_an_answer_not_too_old_stands_in_and_says_so() -> None:
    gateway = Gateway()
    fresh = (await gateway.post()).json()
    gateway.store.error = StoreUnavailableError("down")
    gateway.now_s += 29.0
    stands_in = await gateway.post()
    assert stands_in.json() == {
        "data": fresh["data"],
        "extensions": {
            "cost": fresh["extensions"]["cost"],
            "cache": {"status": "STALE_IF_ERROR", "ageSeconds": 29},
        },
    }
    assert stands_in.headers["age"] == "29"
    gateway.now_s += 1.1
    (error,) = (await gateway.post()).json()["errors"]
    assert error["extensions"]["code"] == "BACKEND_UNAVAILABLE"


async def test_errors_parts_and_what_is_not_exact_are_never_kept() -> None:
    gateway = Gateway()
    gateway.store.error = StoreUnavailableError("down")
    for _ in range(2):
        body = (
            await gateway.post('{ account(id: "alice") { id totals(%s) { exact } } }' % LIVE)
        ).json()
        assert body["data"]["account"]["id"] == "alice"
    gateway.store.error, gateway.store.inexact = None, "Groups were cut."
    for _ in range(2):
        assert (await gateway.post()).json()["extensions"]["inexact"]
    for bad in ("{", "{ nonsense }", "query ($x: Int!) { __typename @skip(if: $x) }"):
        for _ in range(2):
            assert (await gateway.post(bad)).json()["errors"]
    assert await gateway.metric("gateway_cache_answers") == 0
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 0


async def test_ever_different_questions_stay_within_the_memory_allowed() -> None:
    gateway = Gateway(Settings(cache_max_bytes=200_000, log_level="error"))
    query = "query ($id: ID!) { account(id: $id) { id } }"
    for number in range(600):
        await gateway.post(query, variables={"id": f"acct-{number}"})
    assert 0 < await gateway.metric("gateway_cache_bytes") <= 200_000
    assert await gateway.metric("gateway_cache_evicted_total") > 200


async def test_without_the_cache_every_question_is_executed() -> None:
    gateway = Gateway(Settings(cache=False))
    for _ in range(2):
        assert "age" not in (await gateway.post()).headers
    assert len(gateway.store.plans) == 2
