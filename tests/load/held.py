"""How long the largest answers that may be asked for hold the event loop, by kind."""

from __future__ import annotations

import argparse
import asyncio
import json
import selectors
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.documents.line import YIELD_S
from gateway.documents.preparation import Preparation
from gateway.errors import CallerError
from gateway.http.reading import MOST_IN_LOOP
from gateway.settings import Settings
from gateway.wiring.documents import make_preparation
from tests.load.gateway.stub_store import NOW_MS
from tests.load.held_store import TO_PINOT, TOTALS, BrokersAnswers, LargeStore

MOST = 50
"""Aliases that a document may have."""

MINUTES = "window: {last: {count: %d, unit: MINUTE}}, granularity: MINUTE"
DAYS = "window: {last: {count: %d, unit: DAY}}"
POINT = "start end partial transactionCount transactionAmount"
SIDE = "transactionCount transactionAmount reversals { transactionCount transactionAmount }"
ROW = (
    "rank accountId transactionCount transactionAmount shareOfAmount "
    "reversals { transactionCount transactionAmount }"
)
THEN = "comparison { previousRank previousTransactionCount previousTransactionAmount rankChange isNew }"
NODE = "transactionId kind reverses direction counterpartyId amount time"
ACCOUNT = 'query { account(id: "acct-000001") { %s } }'
MANY = "query { accounts(ids: [%s]) { id %%s } }" % ", ".join(f'"acct-{n:06d}"' for n in range(50))  # noqa: UP031

QUESTIONS = {
    "timeSeries": (ACCOUNT, f"timeSeries({MINUTES % 1_499}) {{ points {{ {POINT} }} }}"),
    "timeSeries of 30 days": (
        ACCOUNT,
        f"timeSeries({DAYS % 30}, granularity: DAY) {{ points {{ {POINT} }} }}",
    ),
    "timeSeries compared": (
        ACCOUNT,
        f"timeSeries({MINUTES % 990}, compareTo: PREVIOUS_PERIOD) {{ points {{ {POINT} }} comparison {{ points {{ {POINT} }} }} }}",
    ),
    "timeSeries, nothing selected": (ACCOUNT, f"timeSeries({MINUTES % 1_499}) {{ exact }}"),
    "flowSeries": (
        ACCOUNT,
        f"flowSeries({MINUTES % 1_180}) {{ points {{ start end partial netAmount received {{ transactionCount }} sent {{ transactionCount }} }} }}",
    ),
    "flowSeries, all of a point": (
        ACCOUNT,
        f"flowSeries({MINUTES % 700}) {{ points {{ start end partial netAmount received {{ {SIDE} }} sent {{ {SIDE} }} }} }}",
    ),
    "topSeries": (
        ACCOUNT,
        f"topSeries({MINUTES % 1_490}, first: 2) {{ series {{ accountId points {{ transactionAmount }} }} others {{ points {{ transactionAmount }} }} }}",
    ),
    "topSeries, 20 layers": (
        ACCOUNT,
        f"topSeries({MINUTES % 215}, first: 20) {{ series {{ accountId points {{ transactionAmount }} }} others {{ points {{ transactionAmount }} }} }}",
    ),
    "topSeries, nothing selected": (ACCOUNT, f"topSeries({MINUTES % 1_490}, first: 2) {{ exact }}"),
    "topCounterparties": (
        ACCOUNT,
        f"topCounterparties({DAYS % 30}, first: 100) {{ rows {{ {ROW} }} }}",
    ),
    "topCounterparties, plain rows": (
        ACCOUNT,
        f"topCounterparties({DAYS % 30}, first: 100) {{ rows {{ rank accountId transactionCount transactionAmount }} }}",
    ),
    "topCounterparties compared": (
        ACCOUNT,
        f"topCounterparties({DAYS % 30}, first: 100, compareTo: PREVIOUS_PERIOD) {{ rows {{ {ROW} {THEN} }} dropped {{ {ROW} }} others {{ counterpartyCount }} }}",
    ),
    "rankOf": (
        ACCOUNT,
        f'topCounterparties({DAYS % 30}) {{ rankOf(accountId: "account-009999") {{ rank }} }}',
    ),
    "transactions": (
        ACCOUNT,
        f"transactions({DAYS % 30}, first: 100) {{ edges {{ cursor node {{ {NODE} }} }} }}",
    ),
    "transactions with reversals": (
        ACCOUNT,
        f"transactions({DAYS % 30}, first: 100) {{ edges {{ cursor node {{ {NODE} reversedBy {{ {NODE} }} }} }} }}",
    ),
    "weeklyPattern": (
        ACCOUNT,
        "weeklyPattern(window: {last: {count: 9999, unit: HOUR}}) { hours { weekday hour transactionCount transactionAmount } }",
    ),
    "distribution": (
        ACCOUNT,
        f"distribution({DAYS % 30}) {{ min max histogram(buckets: 100, scale: LOGARITHMIC) {{ start end transferCount }} percentiles(of: [1, 25, 50, 75, 99]) {{ amount }} }}",
    ),
    "accounts, totals": (MANY, f"totals({DAYS % 30}) {{ transactionCount transactionAmount }}"),
    "accounts, rankings of 10": (
        MANY,
        f"topCounterparties({DAYS % 30}, first: 10) {{ rows {{ rank accountId transactionAmount }} }}",
    ),
    "accounts, 10 transactions": (
        MANY,
        f"transactions({DAYS % 30}, first: 10) {{ edges {{ node {{ amount time counterpartyId }} }} }}",
    ),
    "accounts, series of 30 days": (
        MANY,
        f"timeSeries({DAYS % 29}, granularity: DAY) {{ points {{ start transactionAmount }} }}",
    ),
    "a few rows": (ACCOUNT, f"topCounterparties({DAYS % 30}, first: 10) {{ rows {{ {ROW} }} }}"),
    "a few points": (ACCOUNT, f"timeSeries({MINUTES % 50}) {{ points {{ {POINT} }} }}"),
    "a few transactions": (
        ACCOUNT,
        f"transactions({DAYS % 30}, first: 10) {{ edges {{ cursor node {{ {NODE} reversedBy {{ amount }} }} }} }}",
    ),
    "types": (
        "query { %s }",
        '__type(name: "Account") { fields { name description args { name description type { name kind ofType { name kind fields { name description args { name } } ofType { name kind } } } } type { name fields { name description type { name fields { name description } } } } } }',
    ),
    "the schema's description": (
        "query { __schema { %s } }",
        "types { kind name description fields(includeDeprecated: true) { name description args { name description type { name kind ofType { name kind ofType { name kind } } } } type { name kind ofType { name kind ofType { name kind } } } } }",
    ),
}


EXPORT = b"account=acct-000001&start=2025-10-01T00:00:00Z&end=2025-11-01T00:00:00Z&format=ndjson"


class Held(NamedTuple):
    """The longest time between two looks at what came, in milliseconds of processor and of the clock."""

    cpu_ms: float
    clock_ms: float


class _Timed(selectors.DefaultSelector):
    """Tells for how long its loop did not come back to it."""

    def __init__(self) -> None:
        super().__init__()
        self._since: tuple[float, float] | None = None
        self.held = Held(0.0, 0.0)

    def select(self, timeout: float | None = None) -> Any:
        if self._since is not None:
            cpu_ms = (time.thread_time() - self._since[0]) * 1000
            clock_ms = (time.perf_counter() - self._since[1]) * 1000
            self.held = Held(max(self.held.cpu_ms, cpu_ms), max(self.held.clock_ms, clock_ms))
        found = super().select(timeout)
        self._since = time.thread_time(), time.perf_counter()
        return found


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run in this process; nothing needs to be running."""
    options = parser().parse_args(arguments)
    sys.setswitchinterval(YIELD_S)
    timed = _Timed()
    loop = asyncio.SelectorEventLoop(timed)
    try:
        rows = loop.run_until_complete(_rows(timed, options.rounds, options.only))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    return {"longest_cpu_ms": max(row["cpu_ms"] for row in rows), "rows": rows}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench held", description=measure.__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the median of so many counts")
    parser.add_argument("--only", default="", help="kinds whose names begin so")
    return parser


async def _rows(timed: _Timed, rounds: int, only: str) -> list[dict[str, Any]]:
    settings = Settings(cache=False, log_level="error", deadline_ms=60_000, export_rows=1_000)
    preparation = make_preparation(settings)
    store = LargeStore()
    await store.open()
    app = create_app(settings, store, epoch_ms=lambda: NOW_MS)
    found = []
    for kind, (around, field) in QUESTIONS.items():
        if not kind.startswith(only):
            continue
        for most_own in (MOST_IN_LOOP, settings.max_cost):
            fits = partial(_fits, preparation, settings, most_own)
            times, text = _largest(around, field, fits)
            if times:
                held = await _median(timed, rounds, partial(_asked, app, text))
                found.append(_row(f"{kind} × {times}", held))
    if "export".startswith(only):
        exported = partial(_asked, app, path="/export/transactions", query=EXPORT)
        found.append(_row("export, two pages of 500", await _median(timed, rounds, exported)))
    broker = BrokersAnswers(settings)
    await broker.store.open()
    asked = {kind: partial(broker.fetched, plan) for kind, plan in TO_PINOT.items()}
    asked["broker: 5,000 rows of an account"] = partial(broker.remembered, TOTALS)
    for kind, ask in asked.items():
        if kind.startswith(only):
            found.append(_row(kind, await _median(timed, rounds, ask)))
    await broker.store.close()
    return found


def _row(kind: str, held: dict[str, float]) -> dict[str, Any]:
    print(f"{held['cpu_ms']:8.1f} {held['clock_ms']:8.1f}  {kind}", flush=True)
    return {"kind": kind, **held}


def _largest(around: str, field: str, fits: Callable[[str], bool]) -> tuple[int, str]:
    """The document with the most of a field under other names that may be asked, and how many those are."""

    def text(times: int) -> str:
        return around % " ".join(f"a{number}: {field}" for number in range(times))

    sizes = range(1, MOST + 1)
    most = bisect_left(sizes, True, key=lambda times: not fits(text(times)))
    return most, text(most)


def _fits(preparation: Preparation, settings: Settings, most_own: int, text: str) -> bool:
    try:
        prepared = preparation.prepare(text)
    except CallerError:
        return False
    if prepared.document is None or prepared.errors:
        return False
    node = prepared.operation(None)
    values = preparation.coerce(node, {})
    assert not isinstance(values, list)
    points, held, own = preparation.price(prepared.document, node, values)
    return points <= settings.max_cost and held <= settings.max_values and own <= most_own


async def _median(
    timed: _Timed, rounds: int, do: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    found = []
    for _ in range(rounds + 1):
        await asyncio.sleep(0)
        timed.held = Held(0.0, 0.0)
        await do()
        await asyncio.sleep(0)
        found.append(timed.held)
    return {
        name: round(statistics.median(getattr(each, name) for each in found[1:]), 2)
        for name in Held._fields
    }


async def _asked(app: ASGIApp, text: str = "", path: str = "/graphql", query: bytes = b"") -> None:
    """One request that is answered, if only by the limit that ends it in the middle."""
    messages = [{"type": "http.request", "body": json.dumps({"query": text}).encode()}]
    sent = bytearray()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "POST" if text else "GET",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    is_whole = sent.startswith((b'{"data":', b'{"transactionId":'))
    assert is_whole or b"COST_LIMIT_EXCEEDED" in sent, bytes(sent[:300])
