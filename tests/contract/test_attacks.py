"""Every class of attack that graphql-cop, DVGA and OWASP's GraphQL cheat sheet name, against the gateway.

graphql-cop's detections, the scenarios of the Damn Vulnerable GraphQL Application and the cheat
sheet's chapters overlap: a class stands here once, with its sources in the test's name or comment.
What cannot exist here is shown not to exist.
"""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import logs
from gateway.app import create_app
from gateway.caller import SCOPE_KEY, Caller, Role
from gateway.settings import Settings
from tests.hostile_documents import CLASSES, documents
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
TOTALS = "totals(window: {calendar: TODAY}) { transactionCount }"
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Gateway:
    """The application in this process, its store, and what it logged."""

    def __init__(self, **changed: Any) -> None:
        self.store = ReferenceStore()
        self.app = create_app(Settings(**changed), self.store, epoch_ms=lambda: NOW_MS)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://localhost"
        )
        self.log = StringIO()
        logs.configure("info", self.log)

    async def ask(self, query: str, **more: Any) -> httpx.Response:
        return await self.client.post("/graphql", json={"query": query, **more})

    async def refused(self, query: str, code: str, *words: str) -> None:
        """The document is refused with a code, its message says why, and nothing is fetched."""
        response = await self.ask(query)
        (error, *_) = response.json()["errors"]
        assert error["extensions"]["code"] == code
        assert all(word in error["message"] for word in words), error["message"]
        assert "data" not in response.json()
        assert self.store.plans == []


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    async with made.client:
        yield made


# Denial of service: graphql-cop's alias overloading, field duplication, directive overloading,
# circular introspection, array batching; DVGA's batch, deep recursion, resource intensive,
# field duplication, aliases based attacks; OWASP: depth, amount, cost, batching, timeouts.


async def test_aliases_are_capped(gateway: Gateway) -> None:
    many = " ".join(f"a{n}: __typename" for n in range(101))
    await gateway.refused("{ %s }" % many, "GRAPHQL_VALIDATION_FAILED", "50 aliases")


async def test_duplicated_fields_are_capped(gateway: Gateway) -> None:
    await gateway.refused(
        "{ limits { %s } }" % ("maxFirst " * 1_000), "GRAPHQL_VALIDATION_FAILED", "600 tokens"
    )
    await gateway.refused(
        "{ limits { %s } }" % ("maxFirst " * 550), "GRAPHQL_VALIDATION_FAILED", "500 fields"
    )


async def test_directives_are_capped(gateway: Gateway) -> None:
    await gateway.refused(
        "{ __typename %s }" % ("@aa" * 51), "GRAPHQL_VALIDATION_FAILED", "50 directives"
    )


async def test_circular_introspection_is_refused(gateway: Gateway) -> None:
    inner = "fields { type { " * 4 + "name" + " } }" * 4
    await gateway.refused("{ __schema { types { %s } } }" % inner, "GRAPHQL_VALIDATION_FAILED")


async def test_repeated_introspection_is_a_matter_of_cost(gateway: Gateway) -> None:
    many = " ".join("a%d: __schema { types { name } }" % n for n in range(15))
    await gateway.refused("{ %s }" % many, "COST_LIMIT_EXCEEDED", "7501", "5000")


async def test_batches_are_not_answered(gateway: Gateway) -> None:
    one = {"query": "{ __typename }"}
    response = await gateway.client.post("/graphql", json=[one] * 10)
    assert response.status_code == 400
    assert "Batches" in response.json()["errors"][0]["message"]


async def test_deep_recursion_is_capped(gateway: Gateway) -> None:
    await gateway.refused("{ a" * 60 + " }" * 60, "GRAPHQL_VALIDATION_FAILED", "brackets")
    await gateway.refused("{ a" * 14 + " }" * 14, "GRAPHQL_VALIDATION_FAILED", "levels of fields")


async def test_circular_fragments_are_refused(gateway: Gateway) -> None:
    ring = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    await gateway.refused(ring, "GRAPHQL_VALIDATION_FAILED", "Cannot spread fragment")


async def test_a_bomb_of_fragments_is_refused(gateway: Gateway) -> None:
    parts = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20))
    bomb = "{ ...F0 } %s fragment F20 on Query { limits { maxFirst } }" % parts
    await gateway.refused(bomb, "GRAPHQL_VALIDATION_FAILED", "500 fields")


async def test_expensive_questions_are_a_matter_of_cost(gateway: Gateway) -> None:
    ids = ", ".join(f'"a{n}"' for n in range(50))
    top = "topCounterparties(window: {calendar: TODAY}, first: 100) { rows { rank } }"
    await gateway.refused("{ accounts(ids: [%s]) { %s } }" % (ids, top), "COST_LIMIT_EXCEEDED")


async def test_a_slow_store_ends_at_the_deadline() -> None:
    assert (
        Settings().deadline_ms == 5_000
    )  # and tests/unit/gateway/test_view.py shows that it holds


async def test_a_large_body_is_not_read(gateway: Gateway) -> None:
    response = await gateway.client.post("/graphql", content=b" " * 20_000, headers=JSON)
    assert response.status_code == 413


async def test_large_variables_are_refused(gateway: Gateway) -> None:
    for variables in ({"x": [1] * 2_000}, json.loads('{"a":' * 20 + "1" + "}" * 20)):
        response = await gateway.ask("query ($x: [Int]) { __typename }", variables=variables)
        assert "levels" in response.json()["errors"][0]["message"]


async def test_many_errors_are_not_told_one_by_one(gateway: Gateway) -> None:
    response = await gateway.ask("{ limits { %s } }" % " ".join(f"x{n}" for n in range(400)))
    assert len(response.json()["errors"]) == 5
    assert len(response.content) < 3_000


# Information: graphql-cop's field suggestions, GraphiQL, tracing, unhandled errors; DVGA's
# introspection, GraphiQL, field suggestions, stack traces, SSRF's error channel; OWASP: introspection.


async def test_the_schema_is_told_by_policy() -> None:
    hidden = Gateway(introspection=False)
    await hidden.refused("{ __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED")
    await hidden.refused('{ __type(name: "Query") { name } }', "GRAPHQL_VALIDATION_FAILED")
    response = await hidden.ask("{ limits { maxFirs } accoun }")
    assert "Did you mean" not in response.text
    assert (await hidden.client.get("/schema.graphql")).status_code == 404
    assert (await hidden.client.get("/docs")).status_code == 404
    assert (await hidden.ask("{ __typename }")).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.PARTNER, 404)])
async def test_operators_may_read_a_hidden_schema(role: Role, status: int) -> None:
    hidden = Gateway(introspection=False)
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
    response = await Gateway(graphiql=False).client.get("/graphql", headers={"accept": "text/html"})
    assert "<html" not in response.text


async def test_answers_carry_no_traces(gateway: Gateway) -> None:
    response = await gateway.ask("{ limits { maxFirst } }", extensions={"tracing": True})
    assert set(response.json()["extensions"]) == {"cost"}


async def test_errors_tell_nothing_of_the_inside(gateway: Gateway) -> None:
    for query in ("{ account(id: 1.5) { id } }", "{", '{ account(id: "") { id } }', "\x00"):
        text = (await gateway.ask(query)).text
        assert not any(word in text for word in ("Traceback", "File ", ".py", "site-packages"))


# Cross-site requests: graphql-cop's GET based mutation and queries, POST by form; OWASP: CSRF.


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
    gateway = Gateway(allowed_origins="https://app.example.org, http://localhost:3000")
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
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


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


# Injection: DVGA's OS command, SQL, HTML and log injection, JWT forgery (tests of authentication),
# query deny-list bypass, path traversal by upload; OWASP: injection, input validation.

ODD_IDS = (
    "' OR 1=1 --",
    '"; DROP TABLE x; --',
    "$(id)",
    "`id`",
    "../../etc/passwd",
    "%00",
    "{{7*7}}",
)


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_odd_id_is_an_account_nobody_heard_of(gateway: Gateway, odd: str) -> None:
    query = "query ($id: ID!) { account(id: $id) { id %s } }" % TOTALS
    body = (await gateway.ask(query, variables={"id": odd})).json()
    assert body["data"]["account"] == {"id": odd, "totals": {"transactionCount": 0}}


async def test_html_stays_json(gateway: Gateway) -> None:
    response = await gateway.ask("{ <script>alert(1)</script> }")
    assert response.headers["content-type"].startswith("application/json")


async def test_a_log_line_cannot_be_forged(gateway: Gateway) -> None:
    forged = 'x\n{"event": "forged"}\r\n\x1b[31m\u2028'
    await gateway.ask("query A { __typename }", operationName=forged)
    await gateway.ask("query %s { __typename }" % forged)
    headers = {"x-request-id": 'a{"event":"forged"}'}
    await gateway.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    lines = gateway.log.getvalue().splitlines()
    assert len(lines) == 3
    assert {json.loads(line)["event"] for line in lines} == {"operation"}
    assert all(character >= " " for line in lines for character in line)


async def test_a_bad_request_writes_little_and_no_secrets(gateway: Gateway) -> None:
    account, token = "account-of-somebody-in-particular", "secret-token-0123456789"
    asked = [
        "x" * 16_000,
        "query %s { __typename }" % ("N" * 10_000),
        '{ account(id: "%s") { %s nonsense } }' % (account, TOTALS),
        '{ account(id: "%s\\n") { %s } }' % (account, TOTALS),
        "{ accounts(ids: [%s]) { %s } }" % (",".join(f'"{account}{n}"' for n in range(49)), TOTALS),
    ]
    for query in asked:
        gateway.log.truncate(0)
        gateway.log.seek(0)
        headers = {"authorization": f"Bearer {token}", "x-api-key": token}
        await gateway.client.post("/graphql", json={"query": query}, headers=headers)
        written = gateway.log.getvalue()
        assert 0 < len(written.encode()) <= 1_024
        assert account not in written
        assert token not in written


# What cannot exist here.


async def test_nothing_can_be_changed_uploaded_or_subscribed_to(gateway: Gateway) -> None:
    """DVGA's arbitrary file write, stored cross-site scripting, and import from a URL need these."""
    sdl = (await gateway.client.get("/schema.graphql")).text
    assert not any(word in sdl for word in ("type Mutation", "type Subscription", "Upload"))
    for kind in ("mutation", "subscription"):
        await gateway.refused("%s { x }" % kind, "GRAPHQL_VALIDATION_FAILED")
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    socket = {"type": "websocket", "path": "/graphql", "query_string": b"", "headers": []}
    await gateway.app(socket, receive, send)
    assert sent == ["websocket.close"]


async def test_no_argument_takes_an_address(gateway: Gateway) -> None:
    """Server-side request forgery needs a URL that the server fetches."""
    sdl = (await gateway.client.get("/schema.graphql")).text.lower()
    assert not any(word in sdl for word in (" url:", " host:", " path:", " port:", " file:"))


async def test_no_cookie_is_read(gateway: Gateway) -> None:
    plain = await gateway.ask("{ limits { maxFirst } }")
    gateway.client.cookies.set("session", "admin")
    assert (await gateway.ask("{ limits { maxFirst } }")).json() == plain.json()


def test_dependencies_are_past_their_known_holes() -> None:
    from importlib.metadata import version

    floors = {
        "strawberry-graphql": (0, 312, 3),
        "starlette": (0, 49, 1),
        "pyjwt": (2, 13, 0),
        "graphql-core": (3, 3, 2),
    }
    for package, floor in floors.items():
        assert tuple(int(part) for part in version(package).split(".")[:3]) >= floor, package
    declared = Path(__file__).parents[2].joinpath("pyproject.toml").read_text()
    assert all(
        word in declared
        for word in ('"graphql-core>=3.3.2"', '"pyjwt[crypto]>=2.13"', '"starlette>=0.49.1"')
    )


# Generated documents: `./dev bench hostile` sends 100,000.


async def test_generated_documents_end_in_an_answer_or_a_clients_error(gateway: Gateway) -> None:
    began = time.monotonic()
    seen = set()
    for kind, text in documents(seed=2_026, number=2_000):
        response = await gateway.ask(text.encode("utf-8", "replace").decode())
        assert response.status_code < 500, (kind, text)
        body = response.json()
        codes = {each["extensions"]["code"] for each in body.get("errors", ())}
        assert "INTERNAL_SERVER_ERROR" not in codes, (kind, text)
        assert len(response.content) < 200_000
        seen.add(kind)
    assert seen == {make.__name__ for make in CLASSES}
    assert time.monotonic() - began < 300
    assert max(len(line) for line in gateway.log.getvalue().splitlines()) <= 1_024
