"""What the benchmarks compare answers alike: the gateway and Strawberry's own router on the stub store."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.settings import Settings
from tests.load.gateway import mix
from tests.load.gateway.answers import difference
from tests.load.gateway.rivals import SIGNING_KEY, constant_app, strawberry_app
from tests.load.gateway.stub_store import NOW_MS, StubStore


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
