"""GraphQL over HTTP: media types, status codes, error codes, caching, and what the log tells."""

# ruff: noqa: UP031, ISC004 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from gateway import logs, view
from gateway.app import create_app
from gateway.errors import DeadlineExceededError, PartialAnswerError, StoreUnavailableError
from gateway.model import Entry
from gateway.query_plan import QueryPlan
from gateway.settings import Settings
from gateway.store import StoreResult
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

GRAPHQL = "application/graphql-response+json"
UUID = "00000000-0000-0000-0000-{:012d}"
DAY_MS = 86_400_000
ENTRIES: list[Entry] = [
    entry
    for number, (sender, amount) in enumerate(
        [("bob", "10.50"), ("carol", "7"), ("bob", "0.5"), ("dave", "7"), ("erin", "1")]
    )
    for entry in transfer(
        "alice", sender, UUID.format(number), Decimal(amount), NOW_MS - (number + 1) * 3_600_000
    )
]
TOP = """query Top($id: ID! = "alice", $first: Int! = 2) { account(id: $id) {
  topCounterparties(window: {last: {count: 1, unit: DAY}}, first: $first) {
    asOf exact window { start end timeZone }
    rows { rank accountId transactionCount transactionAmount shareOfAmount }
    others { counterpartyCount transactionCount transactionAmount }
    total { counterpartyCount transactionCount transactionAmount } } } }"""


@dataclass
class Gateway:
    """The application in this process, reached without a socket."""

    store: ReferenceStore
    app: ASGIApp
    client: httpx.AsyncClient
    log: StringIO = field(default_factory=StringIO)

    async def post(self, query: str, **changed: Any) -> httpx.Response:
        headers = changed.pop("headers", {})
        return await self.client.post("/graphql", json={"query": query} | changed, headers=headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        response = await self.post(query, variables=variables)
        body: dict[str, Any] = response.json()
        return body

    async def code(self, query: str, **variables: Any) -> str:
        """The one error's code."""
        (error,) = (await self.ask(query, **variables))["errors"]
        assert error["extensions"]["requestId"]
        code: str = error["extensions"]["code"]
        return code


def make(store: ReferenceStore | None = None, **changed: Any) -> Gateway:
    used = store or ReferenceStore(ENTRIES)
    app = create_app(Settings(**changed), used, epoch_ms=lambda: NOW_MS)
    transport = httpx.ASGITransport(app)
    gateway = Gateway(
        used, app, httpx.AsyncClient(transport=transport, base_url="http://localhost")
    )
    logs.configure("info", gateway.log)
    return gateway


@pytest.fixture
async def gateway(anyio_backend: str) -> AsyncIterator[Gateway]:
    made = make()
    async with made.client:
        yield made


pytestmark = pytest.mark.anyio


async def test_the_question_it_exists_for(gateway: Gateway) -> None:
    answer = (await gateway.ask(TOP))["data"]["account"]["topCounterparties"]
    assert answer == {
        "asOf": "2025-11-22T08:26:39.000Z",
        "exact": True,
        "window": {
            "start": "2025-11-21T08:26:40.000Z",
            "end": "2025-11-22T08:26:40.000Z",
            "timeZone": "UTC",
        },
        "rows": [
            {
                "rank": 1,
                "accountId": "bob",
                "transactionCount": 2,
                "transactionAmount": "11",
                "shareOfAmount": "0.42307692",
            },
            {
                "rank": 2,
                "accountId": "carol",
                "transactionCount": 1,
                "transactionAmount": "7",
                "shareOfAmount": "0.26923077",
            },
        ],
        "others": {"counterpartyCount": 2, "transactionCount": 2, "transactionAmount": "8"},
        "total": {"counterpartyCount": 4, "transactionCount": 5, "transactionAmount": "26"},
    }
    # Rows, then the total, then the number of accounts: shares and others come out of these.
    assert [type(plan).__name__ for plan in gateway.store.plans] == [
        "TopPlan",
        "TotalsPlan",
        "DistinctPlan",
    ]


async def test_a_ranking_that_shows_everyone_takes_one_store_query(gateway: Gateway) -> None:
    answer = (await gateway.ask(TOP, first=10))["data"]["account"]["topCounterparties"]
    assert answer["others"] == {
        "counterpartyCount": 0,
        "transactionCount": 0,
        "transactionAmount": "0",
    }
    assert answer["total"]["transactionAmount"] == "26"
    assert len(gateway.store.plans) == 1


async def test_an_unknown_account_has_zero_totals_and_no_rows(gateway: Gateway) -> None:
    query = """{ account(id: "nobody") { id
      totals(window: {calendar: THIS_YEAR}) { transactionCount transactionAmount averageAmount }
      topCounterparties(window: {calendar: THIS_YEAR}) { rows { rank } } } }"""
    assert (await gateway.ask(query))["data"]["account"] == {
        "id": "nobody",
        "totals": {"transactionCount": 0, "transactionAmount": "0", "averageAmount": None},
        "topCounterparties": {"rows": []},
    }


async def test_panels_of_one_window_share_store_queries(gateway: Gateway) -> None:
    query = """{ accounts(ids: ["alice", "bob", "alice"]) { id
      received: totals(window: {calendar: TODAY}) { transactionAmount }
      sent: totals(window: {calendar: TODAY}, direction: SENT) { transactionAmount }
      netFlow(window: {calendar: TODAY}) { netAmount } } }"""
    accounts = (await gateway.ask(query))["data"]["accounts"]
    assert [account["id"] for account in accounts] == ["alice", "bob"]
    assert accounts[1]["netFlow"] == {"netAmount": "-11"}
    assert len(gateway.store.plans) == 1


WINDOW = "window: {last: {count: 1, unit: DAY}}"


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ('{ account(id: "") { id } }', "id"),
        ('{ account(id: "%s") { id } }' % ("x" * 65), "id"),
        ('{ account(id: "a\\u0007b") { id } }', "id"),
        ('{ accounts(ids: ["a", ""]) { id } }', "ids[1]"),
        ("{ accounts(ids: [%s]) { id } }" % ",".join(f'"{n}"' for n in range(51)), "ids"),
        ("topCounterparties(%s, first: 0) { exact }" % WINDOW, "first"),
        ("topCounterparties(%s, first: 101) { exact }" % WINDOW, "first"),
        ("topCounterparties(%s, first: -1) { exact }" % WINDOW, "first"),
        ('totals(%s, timeZone: "Mars/Phobos") { exact }' % WINDOW, "timeZone"),
        ('totals(%s, timeZone: "../etc/passwd") { exact }' % WINDOW, "timeZone"),
        ("totals(window: {last: {count: 0, unit: DAY}}) { exact }", "window.last.count"),
        ("totals(window: {last: {count: 99999, unit: YEAR}}) { exact }", "window.last.count"),
        (
            'totals(window: {between: {start: "2026-01-02T00:00:00Z", end: '
            '"2026-01-01T00:00:00Z"}}) { exact }',
            "window.between",
        ),
        (
            "timeSeries(window: {last: {count: 9, unit: YEAR}}, granularity: MINUTE) { exact }",
            "granularity",
        ),
        ('transactions(%s, after: "nonsense") { exact }' % WINDOW, "after"),
        ('transactions(%s, counterpartyId: "") { exact }' % WINDOW, "counterpartyId"),
    ],
)
async def test_bad_input_names_its_argument_before_anything_is_fetched(
    gateway: Gateway, query: str, argument: str
) -> None:
    whole = query if query.startswith("{") else '{ account(id: "alice") { %s } }' % query
    (error,) = (await gateway.ask(whole))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert error["message"].startswith(f"{argument}: ")
    assert gateway.store.plans == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("{ nonsense }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { limits { maxFirst } } query B { limits { maxFirst } }",
            {},
            "OPERATION_RESOLUTION_FAILURE",
        ),
        ("query ($id: ID!) { account(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        ("query ($n: Int!) { account(id: $n) { id } }", {"n": 1}, "GRAPHQL_VALIDATION_FAILED"),
        (
            'query ($w: WindowInput!) { account(id: "a") { totals(window: $w) { exact } } }',
            {"w": {"calendar": "TODAY", "last": {"count": 1, "unit": "DAY"}}},
            "BAD_USER_INPUT",
        ),
        (
            'query ($w: WindowInput!) { account(id: "a") { totals(window: $w) { exact } } }',
            {"w": {"between": {"start": "2026-01-01T00:00:00", "end": "2026-01-02T00:00:00Z"}}},
            "BAD_USER_INPUT",
        ),
        (
            '{ account(id: "a") { totals(window: {between: {start: "yesterday", '
            'end: "2026-01-02T00:00:00Z"}}) { exact } } }',
            {},
            "BAD_USER_INPUT",
        ),
        ("{ a " * 100 + "{ b }" + "}" * 100, {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ a " * 300 + "{ b }" + "}" * 300, {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{" + "limits { maxFirst } " * 300 + "}", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_every_request_error_has_its_code(
    gateway: Gateway, query: str, variables: dict[str, Any], code: str
) -> None:
    body = await gateway.ask(query, **variables)
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}
    assert "data" not in body
    assert gateway.store.plans == []


async def test_the_operation_that_is_named_runs(gateway: Gateway) -> None:
    document = "query A { limits { maxFirst } } query B { limits { maxAccounts } }"
    for name, data in (("A", {"maxFirst": 100}), ("B", {"maxAccounts": 50})):
        response = await gateway.post(document, operationName=name)
        assert response.json()["data"] == {"limits": data}


async def test_a_null_where_an_argument_has_a_default_is_the_callers_error(
    gateway: Gateway,
) -> None:
    query = 'query ($n: Int) { account(id: "a") { topCounterparties(%s, first: $n) { exact } } }'
    (error,) = (await gateway.ask(query % WINDOW, n=None))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("Argument 'first' has invalid value")
    assert error["path"] == ["account", "topCounterparties"]
    assert "store_or_gateway_error" not in gateway.log.getvalue()
    assert gateway.store.plans == []


async def test_a_malformed_value_in_the_document_is_located(gateway: Gateway) -> None:
    between = '{between: {start: "2026-01-01T00:00:00Z", end: "tomorrow"}}'
    query = '{ account(id: "a") { totals(window: %s) { exact } } }' % between
    (error,) = (await gateway.ask(query))["errors"]
    assert error["locations"] == [{"line": 1, "column": query.index('"tomorrow"') + 1}]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailableError("host 10.0.0.1 refused SELECT x"), "BACKEND_UNAVAILABLE"),
        (DeadlineExceededError("SELECT x took long"), "DEADLINE_EXCEEDED"),
        (PartialAnswerError("1 of 2 servers: SELECT x"), "PARTIAL_RESULT"),
        (RuntimeError("SELECT x"), "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_a_failing_store_nulls_one_field_and_leaks_nothing(
    error: Exception, code: str
) -> None:
    gateway = make(ReferenceStore(ENTRIES, error=error))  # type: ignore[arg-type]
    query = '{ account(id: "alice") { id totals(%s) { exact } } limits { maxFirst } }' % WINDOW
    response = await gateway.post(query, headers={"accept": GRAPHQL})
    body = response.json()
    assert response.status_code == 200
    assert body["data"] == {"account": {"id": "alice", "totals": None}, "limits": {"maxFirst": 100}}
    (shown,) = body["errors"]
    assert shown["extensions"]["code"] == code
    assert shown["path"] == ["account", "totals"]
    assert "SELECT" not in response.text
    assert "SELECT" in gateway.log.getvalue()


async def test_what_is_not_proven_exact_says_why() -> None:
    gateway = make(ReferenceStore(ENTRIES, inexact="Groups were cut."))
    query = '{ account(id: "alice") { top: topCounterparties(%s) { exact } } }' % WINDOW
    body = await gateway.ask(query)
    assert body["data"]["account"]["top"] == {"exact": False}
    assert body["extensions"]["inexact"] == [
        {"path": ["account", "top"], "reason": "Groups were cut."}
    ]
    assert body["extensions"]["cost"]["requested"] > 0


async def test_one_operation_has_a_bound_of_store_queries() -> None:
    gateway = make(max_store_queries=2)
    fields = " ".join(
        f"t{n}: totals(window: {{last: {{count: {n}, unit: HOUR}}}}) {{ exact }}"
        for n in range(1, 4)
    )
    body = await gateway.ask('{ account(id: "alice") { %s } }' % fields)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["COST_LIMIT_EXCEEDED"]
    assert len(gateway.store.plans) == 2


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json;q=0.9", "application/json"),
        # urql's own
        (
            f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, "
            "multipart/mixed",
            GRAPHQL,
        ),
        (f"application/json, {GRAPHQL}", "application/json"),
        ("application/*", "application/json"),
        (f"{GRAPHQL};q=0, */*", "application/json"),
    ],
)
async def test_accept_is_ranked(gateway: Gateway, accept: str | None, media_type: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    if accept is None:
        gateway.client.headers.pop("accept")
    response = await gateway.post("{ limits { maxFirst } }", headers=headers)
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "Accept, Authorization, X-API-Key"


async def test_an_accept_that_fits_nothing_is_406(gateway: Gateway) -> None:
    response = await gateway.post("{ limits { maxFirst } }", headers={"accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("query", ["{", "{ nonsense }", "query ($x: Int!) { __typename }"])
async def test_request_errors_are_400_under_the_new_type_and_200_under_the_old(
    gateway: Gateway, query: str
) -> None:
    assert (await gateway.post(query, headers={"accept": GRAPHQL})).status_code == 400
    legacy = await gateway.post(query, headers={"accept": "application/json"})
    assert legacy.status_code == 200
    assert legacy.json()["errors"]


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


async def test_a_browser_gets_a_page_that_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    missing = make(graphiql_assets=str(tmp_path))
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
    off = make(graphiql=False)
    assert (await off.client.get("/graphql", headers=accept)).status_code == 400


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
    gateway = make(trusted_documents="enforce", trusted_documents_manifest=str(manifest))
    known = await gateway.client.post("/graphql", json={"documentId": "sha256:abc"})
    assert known.json()["data"] == {"limits": {"maxFirst": 100}}
    unknown = await gateway.client.post("/graphql", json={"documentId": "sha256:def"})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert await gateway.code("{ limits { maxWindowDays } }") == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert (await gateway.ask(query))["data"]


async def test_one_log_line_an_operation_without_account_ids(gateway: Gateway) -> None:
    await gateway.post(
        TOP, operationName="Top", headers={"x-request-id": "request-7"}, variables={"id": "alice"}
    )
    (line,) = gateway.log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["operation"], told["request_id"]) == (
        "operation",
        "Top",
        "request-7",
    )
    assert (told["store_queries"], told["outcome"], told["status"]) == (3, "ok", 200)
    assert "alice" not in line


async def test_what_libraries_say_is_json_too(gateway: Gateway) -> None:
    logging.getLogger("uvicorn.error").warning("careful: %s", "hot")
    logging.getLogger("uvicorn.error").info("not told")
    (line,) = gateway.log.getvalue().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["level"]) == ("careful: hot", "warning")


async def test_documents_that_are_not_trusted_are_told_in_the_log(tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"sha256:abc": "{ limits { maxFirst } }"}))
    gateway = make(trusted_documents="log", trusted_documents_manifest=str(manifest))
    await gateway.ask("{ limits { maxFirst } }")
    await gateway.ask("query Mine { limits { maxDepth } }")
    told = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    assert [(line["trusted"], line.get("operation")) for line in told] == [
        (True, None),
        (False, "Mine"),
    ]


async def test_health_readiness_metrics_and_schema(gateway: Gateway) -> None:
    assert (await gateway.client.get("/healthz")).text == "ok\n"
    assert (await gateway.client.get("/readyz")).json()["ready"] is True
    gateway.store.error = StoreUnavailableError("down")
    not_ready = await gateway.client.get("/readyz")
    assert (not_ready.status_code, not_ready.json()["code"]) == (503, "BACKEND_UNAVAILABLE")
    await gateway.post("{ limits { maxFirst } }")
    metrics = (await gateway.client.get("/metrics")).text
    assert 'gateway_graphql_operations_total{outcome="ok"} 1' in metrics
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


class SlowStore(ReferenceStore):
    """A store that never answers, and tells whether it was stopped."""

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__(entries)
        self.stopped = asyncio.Event()

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        return await super().fetch(plan, timeout_s)


async def served_until(gateway: Gateway, gone: asyncio.Event) -> None:
    """One question, whose client hangs up then; nothing may be sent."""
    body = json.dumps({"query": '{ account(id: "alice") { totals(%s) { exact } } }' % WINDOW})
    messages = [{"type": "http.request", "body": body.encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        pytest.fail("nobody is there")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    await gateway.app(scope, receive, send)


async def test_a_client_that_hangs_up_stops_its_operation() -> None:
    store, gone = SlowStore(ENTRIES), asyncio.Event()
    gateway = make(store)
    serving = asyncio.ensure_future(served_until(gateway, gone))
    await asyncio.sleep(0.02)
    gone.set()
    async with asyncio.timeout(2):
        await serving
        await store.stopped.wait()
    assert json.loads(gateway.log.getvalue())["status"] == 499


async def test_who_stops_the_gateway_is_not_taken_for_a_client_that_hung_up() -> None:
    gateway = make(SlowStore(ENTRIES))
    serving = asyncio.ensure_future(served_until(gateway, asyncio.Event()))
    await asyncio.sleep(0.02)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert gateway.log.getvalue() == ""


async def test_the_deadline_holds_even_if_the_store_does_not() -> None:
    gateway = make(SlowStore(ENTRIES), deadline_ms=20)
    query = '{ account(id: "alice") { totals(%s) { exact } } }' % WINDOW
    assert await gateway.code(query) == "DEADLINE_EXCEEDED"


async def test_of_a_long_accept_header_only_the_beginning_is_read_and_remembered(
    gateway: Gateway,
) -> None:
    view._media_type.cache_clear()
    for number, length in enumerate((view.MAX_ACCEPT_BYTES, 5_000, 20_000)):
        accept = f"{GRAPHQL}," + "a" * (length - len(GRAPHQL) - 1 + 10 * number)
        answer = await gateway.post("{ limits { maxFirst } }", headers={"accept": accept})
        assert answer.headers["content-type"].startswith(GRAPHQL)
    assert view._media_type.cache_info().currsize == 1
