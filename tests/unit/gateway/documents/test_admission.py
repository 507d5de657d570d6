"""Costs and budgets as a client meets them: told on every answer, refused before anything is fetched."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.access.caller import EVERYONE
from gateway.app import create_app
from gateway.documents.admission import Admission, Asker
from gateway.process import logs
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.wiring.documents import make_preparation
from gateway.wiring.redis import make_budgets
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio
QUERY = '{ account(id: "a") { totals(window: {calendar: TODAY}) { transactionCount } } }'


def make(
    store: ReferenceStore, clock: Callable[[], float] = lambda: 5.0, **changed: Any
) -> httpx.AsyncClient:
    app = create_app(Settings(**changed), store, epoch_ms=lambda: NOW_MS, monotonic=clock)
    logs.configure("error")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_every_answer_tells_what_it_cost() -> None:
    client = make(ReferenceStore(), anonymous_budget_per_s=100, anonymous_budget_burst=200)
    first = (await client.post("/graphql", json={"query": QUERY})).json()["extensions"]["cost"]
    again = (await client.post("/graphql", json={"query": QUERY})).json()["extensions"]["cost"]
    assert first["requested"] == again["requested"]
    assert first["budget"] == 200
    # A document that is not known yet costs something once.
    assert first["remaining"] == 200 - 20 - first["requested"]
    assert again["remaining"] == first["remaining"] - first["requested"]
    assert again["resetSeconds"] >= 1


async def test_without_a_budget_the_cost_is_told_all_the_same() -> None:
    answer = await make(ReferenceStore()).post("/graphql", json={"query": "{ __typename }"})
    assert answer.json()["extensions"] == {
        "cost": {"requested": 1, "budget": None, "remaining": None}
    }


async def test_a_spent_budget_is_429_with_the_time_to_wait() -> None:
    now = [5.0]
    store = ReferenceStore()
    client = make(store, lambda: now[0], anonymous_budget_per_s=10, anonymous_budget_burst=100)
    assert (await client.post("/graphql", json={"query": QUERY})).json()["data"]
    fetched = len(store.plans)
    refused = await client.post("/graphql", json={"query": QUERY})
    assert refused.status_code == 429
    wait_s = int(refused.headers["retry-after"])
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] == wait_s
    assert f"try again in {wait_s} s" in error["message"]
    assert refused.headers["cache-control"] == "no-store"
    assert "data" not in refused.json()
    assert len(store.plans) == fetched
    now[0] += wait_s
    assert (await client.post("/graphql", json={"query": QUERY})).status_code == 200


async def test_refused_documents_are_paid_for_too() -> None:
    client = make(ReferenceStore(), anonymous_budget_per_s=1, anonymous_budget_burst=100)
    codes = []
    for number in range(7):
        answer = await client.post("/graphql", json={"query": "{ x%d }" % number})
        codes.append(answer.json()["errors"][0]["extensions"]["code"])
    assert codes == ["GRAPHQL_VALIDATION_FAILED"] * 5 + ["RATE_LIMITED"] * 2


async def test_one_operations_cost_is_limited_and_the_limit_named() -> None:
    store = ReferenceStore()
    client = make(store, max_cost=40)
    (error,) = (await client.post("/graphql", json={"query": QUERY})).json()["errors"]
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert "costs 44 points" in error["message"]
    assert "up to 40" in error["message"]
    assert store.plans == []


async def test_etags_do_not_depend_on_what_is_left() -> None:
    client = make(ReferenceStore(), anonymous_budget_per_s=1, anonymous_budget_burst=10_000)
    asked = {"query": "{ limits { maxFirst } }"}
    first = await client.get("/graphql", params=asked)
    again = await client.get("/graphql", params=asked)
    assert first.content != again.content
    assert first.headers["etag"] == again.headers["etag"]


async def test_limits_tell_the_callers_budget() -> None:
    asked = {"query": "{ limits { budgetPerSecond budgetBurst maxCost maxTokens maxAliases } }"}
    limited = make(ReferenceStore(), anonymous_budget_per_s=7, anonymous_budget_burst=300)
    assert (await limited.post("/graphql", json=asked)).json()["data"]["limits"] == {
        "budgetPerSecond": 7,
        "budgetBurst": 300,
        "maxCost": 5_000,
        "maxTokens": 600,
        "maxAliases": 50,
    }
    free = (await make(ReferenceStore()).post("/graphql", json=asked)).json()["data"]["limits"]
    assert free["budgetPerSecond"] is None


async def test_an_invalid_document_is_not_registered() -> None:
    import hashlib

    client, query = make(ReferenceStore()), "{ nonsense }"
    persisted = {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}
    extensions = {"persistedQuery": persisted}
    await client.post("/graphql", json={"query": query, "extensions": extensions})
    answer = await client.get("/graphql", params={"extensions": json.dumps(extensions)})
    assert answer.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_long_document_costs_more_than_a_short_one_once() -> None:
    client = make(ReferenceStore(), anonymous_budget_per_s=1, anonymous_budget_burst=1_000)
    long = "{ limits { " + "maxFirst " * 296 + "} }"
    for query, price in ((long, 20 + (300 - 100) // 4), ("{ x " + "y " * 700 + "}", 20)):
        before = (await client.post("/graphql", json={"query": "{ __typename }"})).json()
        await client.post("/graphql", json={"query": query})
        after = (await client.post("/graphql", json={"query": "{ __typename }"})).json()
        own = 3 if query is long else 0
        spent = [each["extensions"]["cost"]["remaining"] for each in (before, after)]
        assert spent[0] - spent[1] == price + own + 1


async def test_new_documents_at_once_are_each_checked_and_then_known() -> None:
    settings = Settings()
    budgets = make_budgets(settings, Metrics(), lambda: 5.0)
    admission = Admission(
        make_preparation(settings), budgets, settings.max_cost, settings.max_values
    )
    asker = Asker(EVERYONE, "127.0.0.1")
    texts = [f"{{ a{number}: __typename }}" for number in range(20)]
    checked = await asyncio.gather(*(admission.prepare(text, asker) for text in texts))
    assert [each.errors for each in checked] == [()] * len(texts)
    for text, prepared in zip(texts, checked, strict=True):
        assert admission.preparation.known(text) is prepared
