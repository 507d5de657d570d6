"""What the benchmarks compare answers alike: the gateway and Strawberry's own router on the stub store."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.settings import Settings
from local_stack.settings import CHECKOUT
from tests.load import sessions
from tests.load.gateway import mix
from tests.load.gateway.answers import difference
from tests.load.gateway.rivals import SIGNING_KEY, constant_app, strawberry_app
from tests.load.gateway.stub_store import NOW_MS, StubStore
from tests.load.sessions.people import OPERATORS_ASK, USERS_ASK, Asked, Crowd, questions
from tests.load.sessions.sender import body


async def ask(app: ASGIApp, body: dict[str, Any]) -> dict[str, Any]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer: dict[str, Any] = (await client.post("/graphql", json=body)).json()
    return answer


@pytest.mark.parametrize("name", sorted(mix.MIX))
@pytest.mark.parametrize("caches", [False, True])
def test_the_contestants_answer_alike(name: str, caches: bool) -> None:
    async def run() -> None:
        store = StubStore()
        await store.open()
        body = mix.body(name, mix.FIXED_WINDOW)
        settings = Settings(log_level="error", signing_keys=SIGNING_KEY)
        ours = create_app(settings, store, epoch_ms=lambda: NOW_MS)
        expected = await ask(ours, body)
        assert "errors" not in expected
        theirs = await ask(strawberry_app(store, lambda: NOW_MS, caches=caches), body)
        assert difference(expected["data"], theirs["data"]) is None

    asyncio.run(run())


def test_the_constant_answer_is_sent_as_it_is() -> None:
    assert asyncio.run(ask(constant_app(b'{"data":{}}'), {"query": "{ x }"})) == {"data": {}}


def one_of_each_kind() -> list[Asked]:
    """The first question with each document that is asked about a window."""
    asked = questions(Crowd(rate=100, seconds=60, accounts=200))
    first = {each.document: each for each in reversed(asked) if "window" in each.variables}
    return [sessions.of_the_past(first[document], NOW_MS / 1000) for document in sorted(first)]


def test_the_sessions_contestants_compare_alike_though_each_signs_with_a_key_of_its_own() -> None:
    async def run() -> set[str]:
        store = StubStore()
        await store.open()
        one, other = [
            create_app(Settings(log_level="error", signing_keys=32 * key), store, lambda: NOW_MS)
            for key in "ab"
        ]
        signed = set()
        for asked in one_of_each_kind():
            mine, theirs = [(await ask(app, body(asked)))["data"] for app in (one, other)]
            where = difference(sessions.undated(mine), sessions.undated(theirs))
            assert where is None, asked.document
            signed |= {asked.document} if mine != theirs else set()
        return signed

    assert asyncio.run(run()) == {"transactions_page"}


def test_the_sessions_ask_about_windows_with_all_documents_but_the_dashboard() -> None:
    documents = {*USERS_ASK, *OPERATORS_ASK, "accounts_overview"} - {"pipeline_state"}
    assert {each.document for each in one_of_each_kind()} == documents


def test_each_layer_that_shares_store_queries_can_still_be_switched_off() -> None:
    every = "from tests.load.gateway.without import LAYERS; [off() for off in LAYERS.values()]"
    subprocess.run([sys.executable, "-c", every], cwd=CHECKOUT, check=True)
