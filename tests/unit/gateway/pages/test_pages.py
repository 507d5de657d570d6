"""What browsers and probes get: GraphiQL, the documentation, health, metrics, the schema."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from gateway.errors import StoreUnavailableError
from gateway.pages import live
from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio
PAGE = Path(live.__file__).parent / "live_page"


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
    schema = await gateway.client.get("/schema.graphql")
    assert "type Account" in schema.text
    etag = {"if-none-match": schema.headers["etag"]}
    assert (await gateway.client.get("/schema.graphql", headers=etag)).status_code == 304


async def test_the_bare_address_is_the_live_page(gateway: Gateway) -> None:
    front = await gateway.client.get("/")
    assert front.status_code == 200
    assert '<script src="/page/main.js" type="module"></script>' in front.text
    policy = front.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy


async def test_the_page_can_be_turned_off_and_nothing_of_it_is_there(gateway: Gateway) -> None:
    off = Gateway(Settings(page=False))
    front = await off.client.get("/")
    assert (front.status_code, front.headers["location"]) == (307, "/graphql")
    off = Gateway(Settings(page=False, graphiql=False))
    assert (await off.client.get("/")).headers["location"] == "/docs"
    for path in ("main.js", "panels/panel.js", "documents/live_account.graphql"):
        assert (await gateway.client.get(f"/page/{path}")).status_code == 200
        assert (await off.client.get(f"/page/{path}")).status_code == 404


async def test_the_page_has_whatever_its_files_name(tmp_path: Path) -> None:
    """Each script, style, picture, module and document: a name that is misspelt shows only when it is asked for."""
    (tmp_path / "uPlot.iife.min.js").touch()
    (tmp_path / "uPlot.min.css").touch()
    gateway = Gateway(Settings(page_assets=str(tmp_path)))
    asked: set[str] = set()
    to_ask = {"/"}
    while to_ask:
        path = to_ask.pop()
        asked.add(path)
        response = await gateway.client.get(path)
        assert response.status_code == 200, path
        folder = path.rpartition("/")[0]
        named = re.findall(r"""(?:src|href)="(/(?:page|look)/[^"]+)""", response.text)
        for module in re.findall(r"""from '([./][^']+)'""", response.text):
            named.append(urljoin(f"{folder}/", module))
        to_ask |= set(named) - asked
    assert len(asked) > 20
    modules = {
        f"/page/{file.relative_to(PAGE)}" for file in PAGE.rglob("*") if file.suffix == ".js"
    }
    assert modules <= asked
    for name in live.DOCUMENTS:
        assert (await gateway.client.get(f"/page/documents/{name}.graphql")).status_code == 200


async def test_where_only_trusted_documents_are_answered_the_page_still_asks_its_own() -> None:
    document = (await Gateway().client.get("/page/documents/pipeline_age.graphql")).text
    enforced = Gateway(Settings(trusted_documents="enforce"))
    assert (await enforced.ask(document))["data"]["pipeline"]["state"]
    assert await enforced.code("{ pipeline { state } }") == "PERSISTED_QUERY_NOT_SUPPORTED"
    without = Gateway(Settings(trusted_documents="enforce", page=False))
    assert await without.code(document) == "PERSISTED_QUERY_NOT_SUPPORTED"


@pytest.mark.parametrize(
    "path",
    [
        "/page/documents/dashboard.graphql",
        "/page/documents/..%2foperations%2fdashboard.graphql",
        "/page/documents/live_account",
        "/page/index.html",
        "/page/..%2ffiles.py",
        "/page/panels/..",
        "/page/assets/nothing.js",
        "/look/.hidden.css",
    ],
)
async def test_nothing_beside_the_pages_own_files_is_given(gateway: Gateway, path: str) -> None:
    assert (await gateway.client.get(path)).status_code == 404


async def test_a_file_that_the_browser_has_is_not_sent_again(gateway: Gateway) -> None:
    first = await gateway.client.get("/page/main.js")
    again = await gateway.client.get(
        "/page/main.js", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"] == "no-cache"
