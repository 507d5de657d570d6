"""Whose answers are one: by what a caller may see, by the question and its window, never by a registration."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from gateway.access.caller import Caller, Role
from gateway.app import create_app
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import ENTRIES, LIVE, TOTALS, Gateway, HeldStore

pytestmark = pytest.mark.anyio


def someone(*accounts: str) -> Caller:
    return Caller("someone", Role.OWNER, frozenset(accounts), sees_counterparties=False)


async def test_callers_who_may_see_different_things_never_share_an_answer() -> None:
    gateway = Gateway()
    callers = [
        None,
        someone("alice"),
        someone("alice", "bob"),
        Caller("x", Role.OWNER, frozenset({"alice"}), sees_counterparties=True),
        Caller("x", Role.PARTNER, frozenset({"alice"}), sees_counterparties=False),
    ]
    for asked, gateway.caller in enumerate(callers):
        await gateway.post()
        assert len(gateway.store.plans) == asked + 1
    gateway.caller = Caller("another", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
    await gateway.post()
    assert len(gateway.store.plans) == len(callers)
    # Masked ids are each subject's own.
    gateway.caller = Caller("another", Role.OWNER, frozenset({"alice"}), sees_counterparties=False)
    await gateway.post()
    assert len(gateway.store.plans) == len(callers) + 1


async def test_the_same_question_asked_in_other_bytes_or_by_get_is_one_answer() -> None:
    gateway = Gateway()
    query = "query ($id: ID!) { account(id: $id) { totals(%s) { transactionCount } } }" % LIVE
    await gateway.post(query, variables={"id": "alice"})
    await gateway.post(query, variables={"id": "alice", "unknown": 1}, operationName=None)
    await gateway.client.post(
        "/graphql",
        content=json.dumps({"variables": {"id": "alice"}, "query": query}, indent=2),
        headers={"content-type": "application/json"},
    )
    got = await gateway.client.get(
        "/graphql", params={"query": query, "variables": '{"id": "alice"}'}
    )
    assert len(gateway.store.plans) == 1
    assert got.headers["cache-control"] == "private, max-age=1"
    assert got.headers["age"] == "0"
    tag = got.headers["etag"]
    unchanged = await gateway.client.get(
        "/graphql",
        params={"query": query, "variables": '{"id": "alice"}'},
        headers={"if-none-match": f'"x", {tag}'},
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == tag
    await gateway.post(query, variables={"id": "bob"})
    assert len(gateway.store.plans) == 2


async def test_an_apq_registration_is_never_skipped() -> None:
    gateway = Gateway(Settings(persisted_queries_max=1))

    def persisted(query: str) -> dict[str, Any]:
        digest = hashlib.sha256(query.encode()).hexdigest()
        return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}

    async def asked(body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = (await gateway.client.post("/graphql", json=body)).json()
        return answer

    others = [f"{{ limits {{ maxFirst }} }} #{each}".ljust(200, "-") for each in range(9)]
    for number in range(2):
        query = f"{TOTALS} # {number}"
        await asked({"query": query, **persisted(query)})
        for other in others:
            await asked({"query": other, **persisted(other)})
        missed = await asked(persisted(query))
        assert missed["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await asked({"query": query, **persisted(query)})
        assert "data" in await asked(dict(persisted(query), operationName=""))


async def test_panels_of_a_page_have_one_window() -> None:
    ticking = iter(range(0, 240, 10))
    app = create_app(Settings(), HeldStore(ENTRIES), epoch_ms=lambda: NOW_MS + next(ticking))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
    ends = set()
    for field_ in ("totals", "topCounterparties", "netFlow"):
        query = '{ account(id: "alice") { %s(%s) { window { end } } } }' % (field_, LIVE)
        body = (await client.post("/graphql", json={"query": query})).json()
        ends.add(body["data"]["account"][field_]["window"]["end"])
    assert len(ends) == 1
