"""The whole gateway over a few transfers, asked without a socket, on a clock that the test moves."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.caller import SCOPE_KEY, Caller, Role
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Entry
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import QueryPlan
from gateway.app import create_app
from gateway.documents.line import TASK
from gateway.process import logs
from gateway.process.shared import Process
from gateway.settings import Settings
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

GRAPHQL = "application/graphql-response+json"
OWNER = Caller("alice", Role.OWNER, frozenset({"alice"}), sees_counterparties=True)
UUID = "00000000-0000-0000-0000-{:012d}"
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
    """A gateway whose clocks the test moves; requests come from `caller`."""

    settings: Settings = field(default_factory=Settings)
    store: HeldStore = field(default_factory=lambda: HeldStore(ENTRIES))
    now_s: float = 1_000.0
    now_ms: int = NOW_MS
    caller: Caller | None = None
    log: StringIO = field(default_factory=StringIO)
    process: Process = field(default_factory=Process)
    sleeping: int = 0
    """How many wait for the clocks."""
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.app: ASGIApp = create_app(
            self.settings,
            self.store,
            epoch_ms=lambda: self.now_ms,
            monotonic=lambda: self.now_s,
            process=self.process,
            sleep=self.sleep,
        )
        logs.configure("info", self.log)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._as_caller), base_url="http://localhost"
        )

    def of_caller(self, scope: Scope) -> Scope:
        """The same, as `caller`'s."""
        if self.caller is not None:
            scope[SCOPE_KEY] = self.caller
        return scope

    async def _as_caller(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(self.of_caller(scope), receive, send)

    def passes(self, seconds: float) -> None:
        """Both clocks go on; who slept until then wakes."""
        self.now_s += seconds
        self.now_ms += round(seconds * 1000)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Until the test's clocks are so much further."""
        until_s = self.now_s + seconds
        self.sleeping += 1
        try:
            while self.now_s < until_s:
                await self._moved.wait()
        finally:
            self.sleeping -= 1

    async def post(self, query: str = TOTALS, **body: Any) -> httpx.Response:
        headers = body.pop("headers", {})
        return await self.client.post("/graphql", json={"query": query, **body}, headers=headers)

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

    async def refused(self, query: str, code: str, *words: str) -> None:
        """The document is refused with a code, its message says why, and nothing is fetched."""
        body = (await self.post(query)).json()
        (error, *_) = body["errors"]
        assert error["extensions"]["code"] == code
        assert all(word in error["message"] for word in words), error["message"]
        assert "data" not in body
        assert self.store.plans == []

    async def metric(self, line: str) -> float:
        text = (await self.client.get("/metrics")).text
        found = [each for each in text.splitlines() if each.startswith(line)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


STEPS = 30
"""Of the loop: more than anybody takes from one thing that is waited for to the next."""


async def settle() -> None:
    """Until everybody waits for something, none of them for a document that is checked beside the loop.

    A check may end at any step, and who waited for it has all the steps before them only then.
    """
    quiet = 0
    while quiet < STEPS:
        checks = [each for each in asyncio.all_tasks() if each.get_name() == TASK]
        if checks:
            await asyncio.wait(checks)
        quiet = 0 if checks else quiet + 1
        await asyncio.sleep(0)


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
