"""The embedded store closes whatever still runs in it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from gateway.analytics.pipeline_plan import EntryCountPlan
from gateway.errors import StoreUnavailableError
from gateway.store.duckdb import store as module
from gateway.store.duckdb.store import DuckdbStore
from tests.scopes import NETWORK

pytestmark = pytest.mark.anyio
PLAN = EntryCountPlan(NETWORK)
SLOW = "SELECT count(*) FROM range(100_000_000_000) AS a(n) WHERE n % 7 = 3"


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(cursor: Any, _: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = cursor.execute(SLOW).fetchall()
        return found

    monkeypatch.setattr(module, "_run", run)


async def asked() -> tuple[DuckdbStore, asyncio.Task[Any]]:
    store = DuckdbStore(sample_transfers=10)
    await store.open()
    asking = asyncio.create_task(store.fetch(PLAN, 600))
    await asyncio.sleep(0.2)
    return store, asking


async def test_who_still_waits_is_told_that_it_was_closed(endless: None) -> None:
    store, asking = await asked()
    begun = time.monotonic()
    await store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await asking
    assert time.monotonic() - begun < 30


async def test_a_statement_that_nobody_waits_for_is_ended(endless: None) -> None:
    store, asking = await asked()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await store.close()
    with pytest.raises(StoreUnavailableError, match="not open"):
        await store.fetch(PLAN, 1)
    await store.close()
