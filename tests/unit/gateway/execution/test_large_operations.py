"""What would hold the event loop is executed beside it, and answered as everything is."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import StoreUnavailableError
from gateway.http import reading
from gateway.settings import Settings
from tests.unit.gateway.process.listening import until
from tests.unit.gateway.served import ENTRIES, TOP, TOTALS, Gateway, HeldStore

pytestmark = pytest.mark.anyio

NODES = "edges { cursor node { transactionId amount time counterpartyId reversedBy { amount } } }"
LARGE = f'{{ account(id: "alice") {{ transactions(first: 100, window: {{last: {{count: 1, unit: DAY}}}}) {{ {NODES} }} }} }}'
MISSED = '{ account(id: "alice") { topCounterparties(window: {last: {count: 1, unit: DAY}}, first: 1) { rows { rank } others { counterpartyCount } } } }'


class Told(HeldStore):
    """A store that remembers in which threads it was asked."""

    threads: set[str]

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        self.threads = getattr(self, "threads", set()) | {threading.current_thread().name}
        return await super().fetch(plan, timeout_s)


async def answers(query: str, **changed: Any) -> tuple[dict[str, Any], set[str]]:
    store = Told(ENTRIES, **changed)
    gateway = Gateway(Settings(cache=False, signing_keys="k" * 64), store)
    body = (await gateway.post(query)).json()
    for error in body.get("errors", ()):
        error["extensions"].pop("requestId")
    return body, store.threads


@pytest.mark.parametrize(
    "changed", [{}, {"error": StoreUnavailableError("down")}, {"inexact": "cut"}]
)
@pytest.mark.parametrize("query", [TOP, TOTALS, LARGE, MISSED])
async def test_an_answer_is_the_same_wherever_it_is_made(
    monkeypatch: pytest.MonkeyPatch, query: str, changed: dict[str, Any]
) -> None:
    monkeypatch.setattr(reading, "MOST_IN_LOOP", 1_000_000)
    here = await answers(query, **changed)
    monkeypatch.setattr(reading, "MOST_IN_LOOP", 0)
    assert await answers(query, **changed) == here


async def test_who_hangs_up_ends_what_is_made_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_IN_LOOP", 0)
    gateway = Gateway()
    gateway.store.may_answer = asyncio.Event()
    asking = asyncio.ensure_future(gateway.post())
    await until(lambda: bool(gateway.store.plans))
    asking.cancel()
    await until(lambda: gateway.store.cancelled > 0)
