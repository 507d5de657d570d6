"""What browsers and probes get: GraphiQL, the documentation, health, metrics, the schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


async def test_a_browser_gets_a_page_that_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    missing = Gateway(Settings(graphiql_assets=str(tmp_path)))
    accept = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    response = await missing.client.get("/graphql", headers=accept)
    assert "GATEWAY_GRAPHIQL_ASSETS" in response.text
    for name in (
        "graphiql.min.js",
        "graphiql.min.css",
        "react.production.min.js",
        "react-dom.production.min.js",
    ):
        (tmp_path / name).write_text("/* */")
    response = await missing.client.get("/graphql", headers=accept)
    assert "https://" not in response.text
    assert "script-src 'self';" in response.headers["content-security-policy"]
    for name in ("assets/graphiql.min.js", "start.js", "start.css"):
        assert (await missing.client.get(f"/graphiql/{name}")).status_code == 200
    assert (await missing.client.get("/graphiql/assets/..%2f..%2fsettings.py")).status_code == 404
    off = Gateway(Settings(graphiql=False))
    assert (await off.client.get("/graphql", headers=accept)).status_code == 400


async def test_health_readiness_metrics_and_schema(gateway: Gateway) -> None:
    assert (await gateway.client.get("/healthz")).text == "ok\n"
    assert (await gateway.client.get("/readyz")).json()["ready"] is True
    gateway.store.error = StoreUnavailableError("down")
    not_ready = await gateway.client.get("/readyz")
    assert (not_ready.status_code, not_ready.json()["code"]) == (503, "BACKEND_UNAVAILABLE")
    await gateway.post("{ limits { maxFirst } }")
    metrics = (await gateway.client.get("/metrics")).text
    assert 'gateway_graphql_operations_total{operation="other",outcome="ok"} 1.0' in metrics
    docs = await gateway.client.get("/docs")
    assert '<a href="#TopCounterparties">TopCounterparties</a>' in docs.text
    assert "<code>DEADLINE_EXCEEDED</code>" in docs.text
    assert "<script" not in docs.text
    schema = await gateway.client.get("/schema.graphql")
    assert "type Account" in schema.text
    etag = {"if-none-match": schema.headers["etag"]}
    assert (await gateway.client.get("/schema.graphql", headers=etag)).status_code == 304


async def test_the_bare_address_leads_to_what_can_be_explored(gateway: Gateway) -> None:
    front = await gateway.client.get("/")
    assert (front.status_code, front.headers["location"]) == (307, "/graphql")
