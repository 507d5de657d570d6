"""Who asks for what is being answered already: one store query, and each their own answer."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from gateway.documents.preparation import Preparation, Prepared
from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.served import CLOSED, LIVE, TOTALS, Gateway, call, settle

pytestmark = pytest.mark.anyio


async def test_each_who_waited_gets_the_error_with_their_own_request_id() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    asking = [
        asyncio.ensure_future(
            gateway.client.post(
                "/graphql", json={"query": TOTALS}, headers={"x-request-id": f"request-{number}"}
            )
        )
        for number in range(20)
    ]
    await settle()
    gateway.store.error = StoreUnavailableError("down")
    gateway.store.may_answer.set()
    for number, answer in enumerate(await asyncio.gather(*asking)):
        (error,) = answer.json()["errors"]
        assert error["extensions"]["requestId"] == f"request-{number}"
    assert len(gateway.store.plans) == 1


async def test_ten_thousand_who_ask_for_one_answer_at_once_are_one_store_query() -> None:
    gateway = Gateway(Settings(log_every=1))
    gateway.store.may_answer = asyncio.Event()
    asking = [asyncio.ensure_future(call(gateway.app)) for _ in range(10_000)]
    await settle()
    assert len(gateway.store.plans) == 1
    gateway.store.may_answer.set()
    answers = set(await asyncio.gather(*asking))
    assert len(answers) == 1
    assert b'"transactionCount":5' in answers.pop()
    assert len(gateway.store.plans) == 1
    assert await gateway.metric('gateway_cache_lookups_total{result="coalesced"}') == 9_999


async def test_one_who_hangs_up_does_not_take_the_answer_from_the_others() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    hung_up = asyncio.Event()
    first = asyncio.ensure_future(call(gateway.app, hung_up))
    await settle()
    second = asyncio.ensure_future(call(gateway.app))
    await settle()
    hung_up.set()
    assert await first == b""
    assert gateway.store.cancelled == 0
    gateway.store.may_answer.set()
    assert b'"transactionCount":5' in await second


async def test_when_the_last_has_hung_up_the_store_query_is_stopped() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    hung_up = asyncio.Event()
    asking = [asyncio.ensure_future(call(gateway.app, hung_up)) for _ in range(3)]
    await settle()
    hung_up.set()
    assert await asyncio.gather(*asking) == [b""] * 3
    await settle()
    assert gateway.store.cancelled == 1


async def test_a_document_is_not_checked_for_who_has_hung_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    checked: list[str] = []
    check = Preparation.check

    def slow(self: Preparation, text: str) -> Prepared:
        checked.append(text)
        begun.set()
        assert go_on.wait(10)
        return check(self, text)

    monkeypatch.setattr(Preparation, "check", slow)
    gateway, hung_up = Gateway(), asyncio.Event()
    other = asyncio.ensure_future(gateway.post("{ limits { maxCost } }"))
    assert await asyncio.to_thread(begun.wait, 10)
    gone = asyncio.ensure_future(call(gateway.app, hung_up))
    for _ in range(30):
        await asyncio.sleep(0)
    hung_up.set()
    assert await gone == b""
    go_on.set()
    assert (await other).json()["data"]
    await settle()
    assert checked == ["{ limits { maxCost } }"]
    statuses = [json.loads(line)["status"] for line in gateway.log.getvalue().splitlines()]
    assert statuses == [499, 200]


async def test_what_would_only_wait_is_refused_whole_and_at_once() -> None:
    fixed = {"store_queries_least": 1, "store_queries_start": 1, "store_queries_most": 1}
    gateway = Gateway(Settings(**fixed))  # type: ignore[arg-type]
    gateway.store.may_answer = asyncio.Event()
    query = (
        "query ($id: ID!) { account(id: $id) { a: totals(%s) { exact } netFlow(%s) { exact } } }"
    )
    asking = [
        asyncio.ensure_future(
            gateway.post(query % (LIVE, CLOSED), variables={"id": f"acct-{number}"})
        )
        for number in range(2)
    ]
    await settle()
    refused = await gateway.post(query % (LIVE, CLOSED), variables={"id": "acct-3"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    body = refused.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] == 1
    gateway.store.may_answer.set()
    for answer in await asyncio.gather(*asking):
        assert "errors" not in answer.json()
