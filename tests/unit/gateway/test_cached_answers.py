"""Answers out of the cache, through the whole gateway: how old, whose, and what is never kept."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import logs
from gateway.app import create_app
from gateway.caller import SCOPE_KEY, Caller, Role
from gateway.document_line import TASK
from gateway.errors import StoreUnavailableError
from gateway.preparation import Preparation, Prepared
from gateway.query_plan import ProgressPlan, QueryPlan
from gateway.settings import Settings
from gateway.store import StoreResult
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore
from tests.unit.gateway.test_view import ENTRIES

pytestmark = pytest.mark.anyio

LIVE = "window: {last: {count: 1, unit: DAY}}"
CLOSED = 'window: {between: {start: "2025-11-20T00:00:00Z", end: "2025-11-21T00:00:00Z"}}'
TOTALS = '{ account(id: "alice") { totals(%s) { asOf transactionCount } } }' % LIVE


class HeldStore(ReferenceStore):
    """A store that answers when the test lets it."""

    may_answer: asyncio.Event | None = None
    cancelled = 0

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        if self.may_answer is not None and not isinstance(plan, ProgressPlan):
            self.plans.append(plan)
            try:
                await self.may_answer.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            self.plans.pop()
        return await super().fetch(plan, timeout_s)


@dataclass
class Gateway:
    """A gateway whose clock the test moves; requests come from `caller`."""

    settings: Settings = field(default_factory=Settings)
    store: HeldStore = field(default_factory=lambda: HeldStore(ENTRIES))
    now_s: float = 1_000.0
    caller: Caller | None = None
    log: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        self.app: ASGIApp = create_app(
            self.settings, self.store, epoch_ms=lambda: NOW_MS, monotonic=lambda: self.now_s
        )
        logs.configure("info", self.log)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._as_caller), base_url="http://localhost"
        )

    async def _as_caller(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.caller is not None:
            scope[SCOPE_KEY] = self.caller
        await self.app(scope, receive, send)

    async def post(self, query: str = TOTALS, **body: Any) -> httpx.Response:
        return await self.client.post("/graphql", json={"query": query, **body})

    async def metric(self, line: str) -> float:
        text = (await self.client.get("/metrics")).text
        found = [each for each in text.splitlines() if each.startswith(line)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


async def test_a_fresh_answer_is_the_same_bytes_and_asks_no_store() -> None:
    gateway = Gateway()
    first, again = await gateway.post(), await gateway.post()
    assert first.content == again.content
    assert len(gateway.store.plans) == 1
    assert ("age" in first.headers, again.headers["age"]) == (False, "0")
    assert again.headers["content-type"] == first.headers["content-type"]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 1
    assert await gateway.metric('gateway_cache_size{unit="answers"}') == 1
    lines = [json.loads(line) for line in gateway.log.getvalue().splitlines()]
    assert [line["cache"] for line in lines] == ["miss", "hit"]


@pytest.mark.parametrize(
    ("query", "fresh_s"),
    [
        (TOTALS, 0.25),
        (TOTALS.replace(LIVE, CLOSED), 2.0),
        ("{ pipeline { state } }", 0.25),
        ("{ limits { maxFirst } }", 60.0),
    ],
)
async def test_no_answer_is_served_as_fresh_past_its_lifetime(query: str, fresh_s: float) -> None:
    gateway = Gateway(Settings(cache_stale_ms=0))
    await gateway.post(query)
    gateway.now_s += fresh_s / 2 - 0.001
    await gateway.post(query)
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 1
    gateway.now_s += fresh_s / 2 + 0.002
    await gateway.post(query)
    assert await gateway.metric('gateway_cache_lookups_total{result="miss"}') == 2


async def test_a_stale_answer_says_so_while_it_is_made_anew_once() -> None:
    gateway = Gateway(Settings(cache_stale_ms=5_000))
    fresh = (await gateway.post()).json()
    cost = fresh["extensions"]["cost"]
    gateway.now_s += 3.0
    gateway.store.may_answer = asyncio.Event()
    gateway.store.as_of_ms += 3_000
    stale = [await gateway.post() for _ in range(3)]
    for each in stale:
        assert each.json() == {
            "data": fresh["data"],
            "extensions": {"cost": cost, "cache": {"status": "STALE", "ageSeconds": 3}},
        }
        assert each.headers["age"] == "3"
    await settle()
    assert len(gateway.store.plans) == 2
    gateway.store.may_answer.set()
    await settle()
    renewed = (await gateway.post()).json()
    assert "cache" not in renewed["extensions"]
    assert renewed["data"]["account"]["totals"]["asOf"] > fresh["data"]["account"]["totals"]["asOf"]


async def test_past_its_hard_limit_an_answer_is_waited_for() -> None:
    gateway = Gateway(Settings(cache_stale_ms=1_000))
    await gateway.post()
    gateway.now_s += 1.3
    assert "cache" not in (await gateway.post()).json()["extensions"]
    assert len(gateway.store.plans) == 2


async def test_while_the_store_is_out_an_answer_not_too_old_stands_in_and_says_so() -> None:
    gateway = Gateway()
    fresh = (await gateway.post()).json()
    gateway.store.error = StoreUnavailableError("down")
    gateway.now_s += 29.0
    stands_in = await gateway.post()
    assert stands_in.json() == {
        "data": fresh["data"],
        "extensions": {
            "cost": fresh["extensions"]["cost"],
            "cache": {"status": "STALE_IF_ERROR", "ageSeconds": 29},
        },
    }
    assert stands_in.headers["age"] == "29"
    gateway.now_s += 1.1
    (error,) = (await gateway.post()).json()["errors"]
    assert error["extensions"]["code"] == "BACKEND_UNAVAILABLE"


async def test_errors_parts_and_what_is_not_exact_are_never_kept() -> None:
    gateway = Gateway()
    gateway.store.error = StoreUnavailableError("down")
    for _ in range(2):
        body = (
            await gateway.post('{ account(id: "alice") { id totals(%s) { exact } } }' % LIVE)
        ).json()
        assert body["data"]["account"]["id"] == "alice"
    gateway.store.error, gateway.store.inexact = None, "Groups were cut."
    for _ in range(2):
        assert (await gateway.post()).json()["extensions"]["inexact"]
    for bad in ("{", "{ nonsense }", "query ($x: Int!) { __typename @skip(if: $x) }"):
        for _ in range(2):
            assert (await gateway.post(bad)).json()["errors"]
    assert await gateway.metric('gateway_cache_size{unit="answers"}') == 0
    assert await gateway.metric('gateway_cache_lookups_total{result="hit"}') == 0


async def test_each_who_waited_gets_the_error_with_their_own_request_id() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    asking = [
        asyncio.ensure_future(
            gateway.client.post(
                "/graphql", json={"query": TOTALS}, headers={"x-request-id": f"request-{number}"}
            )
        )
        for number in range(20)
    ]
    await settle()
    gateway.store.error = StoreUnavailableError("down")
    gateway.store.may_answer.set()
    for number, answer in enumerate(await asyncio.gather(*asking)):
        (error,) = answer.json()["errors"]
        assert error["extensions"]["requestId"] == f"request-{number}"
    assert len(gateway.store.plans) == 1


async def test_ten_thousand_who_ask_for_one_answer_at_once_are_one_store_query() -> None:
    gateway = Gateway(Settings(log_every=1))
    gateway.store.may_answer = asyncio.Event()
    asking = [asyncio.ensure_future(call(gateway.app)) for _ in range(10_000)]
    await settle()
    assert len(gateway.store.plans) == 1
    gateway.store.may_answer.set()
    answers = set(await asyncio.gather(*asking))
    assert len(answers) == 1
    assert b'"transactionCount":5' in answers.pop()
    assert len(gateway.store.plans) == 1
    assert await gateway.metric('gateway_cache_lookups_total{result="coalesced"}') == 9_999


async def test_one_who_hangs_up_does_not_take_the_answer_from_the_others() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    hung_up = asyncio.Event()
    first = asyncio.ensure_future(call(gateway.app, hung_up))
    await settle()
    second = asyncio.ensure_future(call(gateway.app))
    await settle()
    hung_up.set()
    assert await first == b""
    assert gateway.store.cancelled == 0
    gateway.store.may_answer.set()
    assert b'"transactionCount":5' in await second


async def test_when_the_last_has_hung_up_the_store_query_is_stopped() -> None:
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    hung_up = asyncio.Event()
    asking = [asyncio.ensure_future(call(gateway.app, hung_up)) for _ in range(3)]
    await settle()
    hung_up.set()
    assert await asyncio.gather(*asking) == [b""] * 3
    await settle()
    assert gateway.store.cancelled == 1


async def test_a_document_is_not_checked_for_who_has_hung_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    checked: list[str] = []
    check = Preparation.check

    def slow(self: Preparation, text: str) -> Prepared:
        checked.append(text)
        begun.set()
        assert go_on.wait(10)
        return check(self, text)

    monkeypatch.setattr(Preparation, "check", slow)
    gateway, hung_up = Gateway(), asyncio.Event()
    other = asyncio.ensure_future(gateway.post("{ limits { maxCost } }"))
    assert await asyncio.to_thread(begun.wait, 10)
    gone = asyncio.ensure_future(call(gateway.app, hung_up))
    for _ in range(30):
        await asyncio.sleep(0)
    hung_up.set()
    assert await gone == b""
    go_on.set()
    assert (await other).json()["data"]
    await settle()
    assert checked == ["{ limits { maxCost } }"]
    statuses = [json.loads(line)["status"] for line in gateway.log.getvalue().splitlines()]
    assert statuses == [499, 200]


def someone(*accounts: str) -> Caller:
    return Caller("someone", Role.OWNER, frozenset(accounts), sees_counterparties=False)


async def test_callers_who_may_see_different_things_never_share_an_answer() -> None:
    gateway = Gateway()
    callers = [
        None,
        someone("alice"),
        someone("alice", "bob"),
        Caller("x", Role.OWNER, frozenset({"alice"}), sees_counterparties=True),
        Caller("x", Role.PARTNER, frozenset({"alice"}), sees_counterparties=False),
    ]
    for asked, gateway.caller in enumerate(callers):
        await gateway.post()
        assert len(gateway.store.plans) == asked + 1
    gateway.caller = Caller("another", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
    await gateway.post()
    assert len(gateway.store.plans) == len(callers)
    # Masked ids are each subject's own.
    gateway.caller = Caller("another", Role.OWNER, frozenset({"alice"}), sees_counterparties=False)
    await gateway.post()
    assert len(gateway.store.plans) == len(callers) + 1


async def test_the_same_question_asked_in_other_bytes_or_by_get_is_one_answer() -> None:
    gateway = Gateway()
    query = "query ($id: ID!) { account(id: $id) { totals(%s) { transactionCount } } }" % LIVE
    await gateway.post(query, variables={"id": "alice"})
    await gateway.post(query, variables={"id": "alice", "unknown": 1}, operationName=None)
    await gateway.client.post(
        "/graphql",
        content=json.dumps({"variables": {"id": "alice"}, "query": query}, indent=2),
        headers={"content-type": "application/json"},
    )
    got = await gateway.client.get(
        "/graphql", params={"query": query, "variables": '{"id": "alice"}'}
    )
    assert len(gateway.store.plans) == 1
    assert got.headers["cache-control"] == "private, max-age=1"
    assert got.headers["age"] == "0"
    tag = got.headers["etag"]
    unchanged = await gateway.client.get(
        "/graphql",
        params={"query": query, "variables": '{"id": "alice"}'},
        headers={"if-none-match": f'"x", {tag}'},
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == tag
    await gateway.post(query, variables={"id": "bob"})
    assert len(gateway.store.plans) == 2


async def test_an_apq_registration_is_never_skipped() -> None:
    gateway = Gateway(Settings(persisted_queries_max=1))

    def persisted(query: str) -> dict[str, Any]:
        digest = hashlib.sha256(query.encode()).hexdigest()
        return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}

    other = "{ limits { maxFirst } }"
    for _ in range(2):
        await gateway.client.post("/graphql", json={"query": TOTALS, **persisted(TOTALS)})
        await gateway.client.post("/graphql", json={"query": other, **persisted(other)})
        missed = await gateway.client.post("/graphql", json=persisted(TOTALS))
        assert missed.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await gateway.client.post("/graphql", json={"query": TOTALS, **persisted(TOTALS)})
        by_hash = dict(persisted(TOTALS), operationName="")
        assert "data" in (await gateway.client.post("/graphql", json=by_hash)).json()


async def test_panels_of_a_page_have_one_window() -> None:
    ticking = iter(range(0, 240, 10))
    app = create_app(Settings(), HeldStore(ENTRIES), epoch_ms=lambda: NOW_MS + next(ticking))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
    ends = set()
    for field_ in ("totals", "topCounterparties", "netFlow"):
        query = '{ account(id: "alice") { %s(%s) { window { end } } } }' % (field_, LIVE)
        body = (await client.post("/graphql", json={"query": query})).json()
        ends.add(body["data"]["account"][field_]["window"]["end"])
    assert len(ends) == 1


async def test_ever_different_questions_stay_within_the_memory_allowed() -> None:
    gateway = Gateway(Settings(cache_max_bytes=200_000, log_level="error"))
    query = "query ($id: ID!) { account(id: $id) { id } }"
    for number in range(600):
        await gateway.post(query, variables={"id": f"acct-{number}"})
    assert 0 < await gateway.metric('gateway_cache_size{unit="bytes"}') <= 200_000
    assert await gateway.metric('gateway_cache_evicted_total{level="process"}') > 200


async def test_without_the_cache_every_question_is_executed() -> None:
    gateway = Gateway(Settings(cache=False))
    for _ in range(2):
        assert "age" not in (await gateway.post()).headers
    assert len(gateway.store.plans) == 2


async def test_what_would_only_wait_is_refused_whole_and_at_once() -> None:
    fixed = {"store_queries_least": 1, "store_queries_start": 1, "store_queries_most": 1}
    gateway = Gateway(Settings(**fixed))  # type: ignore[arg-type]
    gateway.store.may_answer = asyncio.Event()
    query = (
        "query ($id: ID!) { account(id: $id) { a: totals(%s) { exact } netFlow(%s) { exact } } }"
    )
    asking = [
        asyncio.ensure_future(
            gateway.post(query % (LIVE, CLOSED), variables={"id": f"acct-{number}"})
        )
        for number in range(2)
    ]
    await settle()
    refused = await gateway.post(query % (LIVE, CLOSED), variables={"id": "acct-3"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    body = refused.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] == 1
    gateway.store.may_answer.set()
    for answer in await asyncio.gather(*asking):
        assert "errors" not in answer.json()


async def settle() -> None:
    """Until everybody waits for something; new documents are checked beside the loop."""
    while True:
        for _ in range(30):
            await asyncio.sleep(0)
        checks = [each for each in asyncio.all_tasks() if each.get_name() == TASK]
        if not checks:
            return
        await asyncio.wait(checks)


async def call(app: ASGIApp, hung_up: asyncio.Event | None = None) -> bytes:
    """The body that the application sends for `TOTALS`, without a client's machinery around it."""
    content = json.dumps({"query": TOTALS}).encode()
    messages = [{"type": "http.request", "body": content, "more_body": False}]
    sent = bytearray()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await (hung_up or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    return bytes(sent)
