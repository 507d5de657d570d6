"""What an attacker could learn of the schema and the inside.

graphql-cop's field suggestions, GraphiQL, tracing, unhandled errors; DVGA's introspection, GraphiQL, field suggestions,
stack traces, SSRF's error channel; OWASP's introspection.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.access.caller import SCOPE_KEY, Caller, Role
from gateway.settings import Settings
from tests.unit.gateway.served import Gateway

pytestmark = pytest.mark.anyio


async def test_the_schema_is_told_by_policy() -> None:
    hidden = Gateway(Settings(introspection=False))
    await hidden.refused("{ __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED")
    await hidden.refused('{ __type(name: "Query") { name } }', "GRAPHQL_VALIDATION_FAILED")
    response = await hidden.post("{ limits { maxFirs } accoun }")
    assert "Did you mean" not in response.text
    assert (await hidden.client.get("/schema.graphql")).status_code == 404
    assert (await hidden.client.get("/docs")).status_code == 404
    assert (await hidden.post("{ __typename }")).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.PARTNER, 404)])
async def test_operators_may_read_a_hidden_schema(role: Role, status: int) -> None:
    hidden = Gateway(Settings(introspection=False))
    accounts = None if role is Role.OPERATOR else frozenset({"alice"})
    caller = Caller("someone", role, accounts, True)

    async def door(scope: Any, receive: Any, send: Any) -> None:
        await hidden.app({**scope, SCOPE_KEY: caller}, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(door), base_url="http://localhost"
    ) as client:
        assert (await client.get("/schema.graphql")).status_code == status
        assert (await client.get("/docs")).status_code == status


async def test_graphiql_can_be_switched_off() -> None:
    response = await Gateway(Settings(graphiql=False)).client.get(
        "/graphql", headers={"accept": "text/html"}
    )
    assert "<html" not in response.text


async def test_answers_carry_no_traces(gateway: Gateway) -> None:
    response = await gateway.post("{ limits { maxFirst } }", extensions={"tracing": True})
    assert set(response.json()["extensions"]) == {"cost"}


async def test_errors_tell_nothing_of_the_inside(gateway: Gateway) -> None:
    for query in ("{ account(id: 1.5) { id } }", "{", '{ account(id: "") { id } }', "\x00"):
        text = (await gateway.post(query)).text
        assert not any(word in text for word in ("Traceback", "File ", ".py", "site-packages"))
