"""Paths and methods that nothing answers to, and paths that end in a slash."""

from __future__ import annotations

import json

import httpx
import pytest

from gateway.settings import Settings
from tests.unit.gateway.served import GRAPHQL, Gateway

pytestmark = pytest.mark.anyio

QUERY = {"query": "{ limits { maxFirst } }"}


def refused(answer: httpx.Response, status: int) -> str:
    """The message of the one error, in the API's form."""
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/")
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {
        "code": "BAD_USER_INPUT",
        "requestId": answer.headers["x-request-id"],
    }
    message: str = error["message"]
    return message


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/nowhere/", "/graphql/x", "/GraphQL", "//graphql", "/graphql//", "/%00", "/%E9"],
)
async def test_a_path_that_is_not_there(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.client.request(method, f"http://localhost{path}")
    assert "/graphql" in refused(answer, 404)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/docs", "/schema.graphql", "/"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_a_page_is_only_read(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.client.request(method, path)
    assert "GET" in answer.headers["allow"]
    assert "GET" in refused(answer, 405)


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
async def test_graphql_is_asked_by_two_methods(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.client.request(method, path)
    assert answer.headers["allow"] == "GET, POST"
    refused(answer, 405)


async def test_the_requests_own_id_is_told(gateway: Gateway) -> None:
    answer = await gateway.client.get("/nowhere", headers={"x-request-id": "mine-7"})
    assert answer.headers["x-request-id"] == "mine-7"
    refused(answer, 404)


async def test_a_slash_at_the_end_makes_no_difference(gateway: Gateway) -> None:
    for path in ("/graphql", "/graphql/"):
        posted = await gateway.client.post(path, json=QUERY)
        got = await gateway.client.get(path, params=QUERY, headers={"accept": GRAPHQL})
        assert posted.json()["data"] == got.json()["data"] == {"limits": {"maxFirst": 100}}
        page = await gateway.client.get(path, headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
    for path in (
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/schema.graphql",
        "/graphiql/start.js",
    ):
        plain = await gateway.client.get(path)
        assert (await gateway.client.get(f"{path}/")).status_code == plain.status_code == 200


@pytest.mark.parametrize("path", ["/schema.graphql", "/docs", "/graphiql/nothing.js"])
async def test_what_is_not_shown_looks_like_what_is_not_there(path: str) -> None:
    hidden = Gateway(Settings(introspection=False))
    headers = {"x-request-id": "a"}
    answer = await hidden.client.get(path, headers={**headers, "authorization": "Bearer x"})
    nowhere = await hidden.client.get("/nowhere", headers=headers)
    assert answer.content == nowhere.content
    assert dict(answer.headers) == dict(nowhere.headers)
    assert json.loads(answer.content)["errors"]


async def test_what_is_our_fault_is_told_as_that(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(gateway.store, "fetch", fails)
    transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/readyz")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
