"""Whatever is sent to `/graphql`, the answer is a client's error with a code, or data; never a 500."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.app import create_app
from gateway.process import logs
from gateway.settings import Settings
from graphql_schema.error_codes import ErrorCode
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

APP = create_app(Settings(log_level="error"), ReferenceStore(), epoch_ms=lambda: NOW_MS)
CODES = {code.name for code in ErrorCode} - {"INTERNAL_SERVER_ERROR"}
DOCUMENTS = (
    "query A($x: ID!) { account(id: $x) { id } } query B { limits { maxFirst } }",
    "mutation { x }",
    "subscription { x }",
    "fragment F on Query { limits { maxFirst } }",
    "{ ...F } fragment F on Query { ...F }",
    'query ($x: WindowInput!) { account(id: "a") { totals(window: $x) { exact } } }',
    "query ($x: [ID!]!) { accounts(ids: $x) { id } }",
    "query ($x: Int!) { network { topAccounts(window: {calendar: TODAY}, first: $x) { exact } } }",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
windows = st.fixed_dictionaries(
    {},
    optional={
        "last": st.fixed_dictionaries({"count": st.integers(), "unit": st.just("YEAR")}),
        "calendar": st.sampled_from(["TODAY", "NEVER"]),
        "between": st.dictionaries(st.sampled_from(["start", "end"]), st.text() | st.none()),
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(DOCUMENTS) | st.text() | json_values,
        "variables": st.fixed_dictionaries({"x": json_values | windows}) | json_values,
        "operationName": st.sampled_from(["A", "B", "", "C"]) | json_values,
        "extensions": json_values,
        "documentId": st.text() | st.none(),
    },
)


def answer(method: str, **sent: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, "/graphql", **sent)

    logs.configure("error")
    return asyncio.run(ask())


def check(response: httpx.Response) -> None:
    assert response.status_code < 500
    body = response.json()
    assert body.get("errors") or body["data"]
    for error in body.get("errors", ()):
        assert error["extensions"]["code"] in CODES, error
        assert error["extensions"]["requestId"]


@settings(deadline=None, max_examples=200)
@given(body=bodies)
@example(body={"query": DOCUMENTS[0], "operationName": "A", "variables": {"x": "\x00"}})
def test_any_json_body_is_answered(body: dict[str, Any]) -> None:
    # Not orjson: it writes no whole number beyond 64 bits, which a client may.
    content = json.dumps(body).encode()
    check(answer("POST", content=content, headers={"content-type": "application/json"}))


@settings(deadline=None, max_examples=50)
@given(content=st.binary(max_size=50))
def test_any_bytes_are_answered(content: bytes) -> None:
    check(answer("POST", content=content, headers={"content-type": "application/json"}))


@settings(deadline=None, max_examples=50)
@given(
    parameters=st.dictionaries(
        st.sampled_from(["query", "variables", "operationName", "extensions", "documentId"]),
        st.sampled_from(DOCUMENTS) | st.text(st.characters(codec="utf-8")),
        min_size=1,
    )
)
def test_any_url_is_answered(parameters: dict[str, str]) -> None:
    check(answer("GET", params=parameters))
