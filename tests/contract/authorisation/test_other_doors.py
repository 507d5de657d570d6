"""Ways in beside a GraphQL request with a credential in its header: closed, or without figures."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.authorisation.asked_for import ACCOUNT
from tests.contract.authorisation.world import READS, World

pytestmark = pytest.mark.anyio


async def test_a_batch_is_refused_whoever_sends_it(world: World) -> None:
    batch = [{"query": '{ account(id: "alice") { id } }'}] * 2
    for caller in READS:
        response = await world.client.post("/graphql", json=batch, headers=world.headers(caller))
        assert response.status_code == 400
        assert "data" not in response.json()


@pytest.mark.parametrize("operation", ["query", "subscription"])
async def test_event_streams_tell_nothing_without_a_right(world: World, operation: str) -> None:
    document = f'{operation} {{ account(id: "alice"){ACCOUNT} }}'
    for caller in ("nobody", "partner by token"):
        headers = world.headers(caller) | {"accept": "text/event-stream"}
        response = await world.client.post("/graphql", json={"query": document}, headers=headers)
        assert response.status_code == (401 if caller == "nobody" else 200)
        assert ("FORBIDDEN" in response.text) is (caller != "nobody")
        assert "transactionAmount" not in response.text
        assert world.store.plans == []


@pytest.mark.parametrize("path", ["/graphql", "/"])
async def test_web_sockets_are_refused(world: World, path: str) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"sec-websocket-protocol", b"graphql-transport-ws")],
        "subprotocols": ["graphql-transport-ws"],
    }
    transport = world.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app(scope, receive, send)
    said = ["websocket.http.response.start", "websocket.http.response.body"]
    assert [message["type"] for message in sent] == said
    assert sent[0]["status"] in (404, 421)


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "api_key", "key"])
async def test_a_credential_in_the_address_or_a_cookie_is_none(world: World, name: str) -> None:
    secret = world.credentials["operator"]
    query = {"query": "{ limits { maxFirst } }"}
    in_url = await world.client.get("/graphql", params={**query, name: secret})
    cookie = {"cookie": f"{name}={secret}"}
    in_cookie = await world.client.get("/graphql", params=query, headers=cookie)
    assert (in_url.status_code, in_cookie.status_code) == (401, 401)


async def test_the_page_and_the_health_checks_need_no_credential(world: World) -> None:
    page = await world.client.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    for path in ("/healthz", "/readyz"):
        assert (await world.client.get(path)).status_code == 200
