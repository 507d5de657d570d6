"""What is a GraphQL request over HTTP: bodies, methods, and documents that are only named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"{}", {"content-type": "application/json; charset=latin1"}, 415),
        (b"{nonsense", {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 400),
        (b'"x"', {"content-type": "application/json"}, 400),
        (b'{"query": 1}', {"content-type": "application/json"}, 400),
        (
            b'{"query": "{ __typename }", "variables": []}',
            {"content-type": "application/json"},
            400,
        ),
        (b'{"query": "\\ud800"}', {"content-type": "application/json"}, 400),
        (b"{}", {"content-type": "application/json"}, 400),
        (b" " * 70_000, {"content-type": "application/json"}, 413),
    ],
)
async def test_what_is_no_graphql_request_is_refused(
    gateway: Gateway, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = await gateway.client.post("/graphql", content=content, headers=headers)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"]


async def test_get_answers_queries_with_an_etag(gateway: Gateway) -> None:
    parameters = {"query": "{ limits { maxFirst } }", "variables": "", "operationName": ""}
    first = await gateway.client.get("/graphql", params=parameters)
    assert first.json()["data"] == {"limits": {"maxFirst": 100}}
    assert first.headers["cache-control"] == "private, max-age=60"
    again = await gateway.client.get(
        "/graphql", params=parameters, headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_get_refuses_mutations_and_other_methods_are_refused(gateway: Gateway) -> None:
    mutation = await gateway.client.get("/graphql", params={"query": "mutation { x }"})
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")
    put = await gateway.client.put("/graphql", json={})
    assert (put.status_code, put.headers["allow"]) == (405, "GET, POST")


async def test_apq_misses_registers_and_hits(gateway: Gateway) -> None:
    query = "{ limits { maxFirst } }"
    digest = hashlib.sha256(query.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    miss = await gateway.client.post("/graphql", json={"extensions": extensions})
    assert (miss.status_code, miss.json()["errors"][0]["message"]) == (
        200,
        "PersistedQueryNotFound",
    )
    assert miss.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    await gateway.client.post("/graphql", json={"query": query, "extensions": extensions})
    parameters = {"extensions": json.dumps(extensions)}
    hit = await gateway.client.get("/graphql", params=parameters)
    assert hit.json()["data"] == {"limits": {"maxFirst": 100}}
    wrong = await gateway.client.post(
        "/graphql", json={"query": "{ __typename }", "extensions": extensions}
    )
    assert wrong.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_trusted_documents_by_id(tmp_path: Path) -> None:
    query = "{ limits { maxFirst } }"
    manifest = tmp_path / "persisted-documents.json"
    manifest.write_text(json.dumps({"abc": query}))
    gateway = Gateway(
        Settings(trusted_documents="enforce", trusted_documents_manifest=str(manifest))
    )
    known = await gateway.client.post("/graphql", json={"documentId": "sha256:abc"})
    assert known.json()["data"] == {"limits": {"maxFirst": 100}}
    unknown = await gateway.client.post("/graphql", json={"documentId": "sha256:def"})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert await gateway.code("{ limits { maxWindowDays } }") == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert (await gateway.ask(query))["data"]
