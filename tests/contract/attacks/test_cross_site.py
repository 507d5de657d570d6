"""What a page of another site could make a browser send.

graphql-cop's GET based mutation and queries, POST by form; OWASP's CSRF.
"""

from __future__ import annotations

import pytest

from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("", "application/graphql", "text/plain; application/json", "application/jsonp"),
    ],
)
async def test_what_a_form_can_send_is_not_executed(gateway: Gateway, content_type: str) -> None:
    content = b'{"query": "{ pipeline { asOf } }"}'
    headers = {"content-type": content_type} if content_type else {}
    response = await gateway.client.post("/graphql", content=content, headers=headers)
    assert response.status_code == 415
    assert gateway.store.plans == []


async def test_get_executes_queries_only(gateway: Gateway) -> None:
    response = await gateway.client.get("/graphql", params={"query": "mutation { x }"})
    assert response.status_code == 405


async def test_pages_of_other_sites_are_refused_unless_named() -> None:
    gateway = Gateway(Settings(allowed_origins="https://app.example.org, http://localhost:3000"))
    foreign = {"origin": "https://evil.example.org"}
    query = {"query": "{ pipeline { asOf } }"}
    assert (await gateway.client.post("/graphql", json=query, headers=foreign)).status_code == 403
    assert (await gateway.client.get("/graphql", params=query, headers=foreign)).status_code == 403
    assert gateway.store.plans == []
    preflight = {**foreign, "access-control-request-method": "POST"}
    refused = await gateway.client.options("/graphql", headers=preflight)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    named = preflight | {"origin": "https://app.example.org"}
    allowed = await gateway.client.options("/graphql", headers=named)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "access-control-allow-credentials" not in allowed.headers
    answer = await gateway.client.post("/graphql", json=query, headers={"origin": named["origin"]})
    assert answer.json()["data"]["pipeline"]
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "Origin" in answer.headers["vary"]
    own = await gateway.client.post("/graphql", json=query, headers={"origin": "http://localhost"})
    assert own.status_code == 200


async def test_no_origin_is_allowed_by_default(gateway: Gateway) -> None:
    for origin in (
        "null",
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost:81",
    ):
        response = await gateway.client.get("/healthz", headers={"origin": origin})
        assert response.status_code == 403
        extensions = response.json()["errors"][0]["extensions"]
        assert extensions["code"] == "FORBIDDEN"
        assert extensions["requestId"] == response.headers["x-request-id"]


async def test_two_origins_are_none(gateway: Gateway) -> None:
    own = ("origin", "http://localhost")
    for sent in ([own, own], [own, ("origin", "http://evil.example")]):
        assert (await gateway.client.get("/healthz", headers=sent)).status_code == 403
    assert (await gateway.client.get("/healthz", headers=[own])).status_code == 200


async def test_a_wrapped_application_is_no_page_of_this_server(gateway: Gateway) -> None:
    for origin in ("capacitor://localhost", "tauri://localhost", "chrome-extension://localhost"):
        assert (await gateway.client.get("/healthz", headers={"origin": origin})).status_code == 403


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/schema.graphql", "/docs", "/nowhere"])
async def test_every_response_has_security_headers(gateway: Gateway, path: str) -> None:
    headers = (await gateway.client.get(path, headers={"accept": "text/html"})).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "'unsafe-inline'" not in headers["content-security-policy"].split("style-src")[0]
    assert "set-cookie" not in headers


async def test_a_name_that_was_rebound_to_the_gateway_is_not_answered(gateway: Gateway) -> None:
    """DNS rebinding makes a page same-origin with its requests, so only `Host` gives it away."""
    name = "http://rebound.example:8000"
    headers = {"host": "rebound.example:8000", "origin": name}
    query = {"query": "{ pipeline { asOf } }"}
    for path in ("/graphql", "/healthz", "/readyz", "/metrics", "/docs", "/schema.graphql"):
        assert (await gateway.client.get(path, headers=headers)).status_code == 421
    asked = await gateway.client.post("/graphql", json=query, headers=headers)
    assert asked.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert gateway.store.plans == []
