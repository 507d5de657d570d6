"""The places that exports wait for: before the store, of a caller, and in all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import OverloadedError
from gateway.settings import Settings
from tests.unit.gateway.exported import Export, export, paid
from tests.unit.gateway.http.export.pages_of_two import ONE_QUERY, TWO, FailingStore, failing
from tests.unit.gateway.served import OWNER, TOTALS, Gateway, HeldStore, settle

pytestmark = pytest.mark.anyio

SHED = 'gateway_shed_total{because="store"}'


async def test_an_export_waits_for_its_place_before_the_store() -> None:
    gateway = failing(3, OverloadedError("full"))
    found = await export(gateway)
    assert (found.amounts, found.ended, found.broken) == ([1, 2, 3, 4], False, False)
    await found.after(1)
    assert found.whole
    assert found.amounts == [1, 2, 3, 4, 5, 6, 7]


async def full(**settings: Any) -> tuple[Gateway, Export, asyncio.Future[Any]]:
    """A store that as much is asked of as may be, by a caller whose export has its first page."""
    gateway = Gateway(Settings(**ONE_QUERY, **TWO, **settings), HeldStore(paid(7)))
    gateway.caller = OWNER
    found = Export(gateway)
    found.takes.clear()
    await settle()
    gateway.store.may_answer = asyncio.Event()
    asked = [TOTALS.replace("count: 1", f"count: {days}") for days in range(1, 9)]
    held = asyncio.gather(*map(gateway.post, asked))
    await settle()
    found.takes.set()
    await found.settled()
    assert (found.amounts, found.broken) == ([1, 2], False)
    return gateway, found, held


async def test_an_export_that_waits_is_not_counted_as_turned_away() -> None:
    gateway, found, held = await full()
    before = await gateway.metric(SHED)
    await found.after(5)
    assert (found.amounts, found.broken) == ([1, 2], False)
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    await held
    await found.after(1)
    assert found.whole
    assert await gateway.metric(SHED) == before


async def test_one_that_gives_up_or_is_refused_at_once_is_counted_once() -> None:
    gateway, found, held = await full(export_wait_ms=3_000)
    before = await gateway.metric(SHED)
    await found.after(4)
    assert found.broken
    assert await gateway.metric('gateway_exports_ended_total{because="store"}') == 1
    assert await gateway.metric(SHED) == before + 1
    refused = await export(gateway)
    assert (refused.status, refused.code) == (503, "RATE_LIMITED")
    assert await gateway.metric(SHED) == before + 2
    assert gateway.store.may_answer is not None
    gateway.store.may_answer.set()
    await held


async def test_others_do_not_wait_behind_all_pages_of_who_exports() -> None:
    class TurnStore(HeldStore):
        def __init__(self) -> None:
            super().__init__(paid(7))
            self.began: list[str] = []
            self.may_end = asyncio.Semaphore(0)

        async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
            if not isinstance(plan, ProgressPlan):
                self.began.append(type(plan).__name__)
                await self.may_end.acquire()
            return await super().fetch(plan, timeout_s)

    store = TurnStore()
    gateway = Gateway(Settings(**ONE_QUERY, **TWO), store)
    gateway.caller = OWNER
    exports = [Export(gateway), Export(gateway)]
    await settle()
    gateway.caller = replace(OWNER, subject="somebody else")
    asking = asyncio.ensure_future(gateway.ask(TOTALS))
    await settle()
    assert store.began == ["EntriesPlan"]
    store.may_end.release()
    await settle()
    assert store.began == ["EntriesPlan", "TotalsPlan"], "though a page waited before it"
    for _ in range(20):
        store.may_end.release()
        gateway.passes(1.0)  # who was refused comes again then
        await settle()
    assert "errors" not in await asking
    for each in exports:
        assert each.amounts == [1, 2, 3, 4, 5, 6, 7]
        assert each.whole


async def test_it_does_not_wait_for_ever() -> None:
    class FullStore(FailingStore):
        async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
            self.fails_at = self.pages + 1 if self.pages >= 1 else 0
            return await super().fetch(plan, timeout_s)

    store = FullStore(paid(7))
    store.failure = OverloadedError("full")
    gateway = Gateway(Settings(export_wait_ms=5_000, **TWO), store)
    found = await export(gateway)
    await found.after(4)
    assert not found.broken
    await found.after(1)
    assert found.broken
    assert found.amounts == [1, 2]
    assert await gateway.metric('gateway_exports_ended_total{because="store"}') == 1


async def test_so_many_at_once_of_a_caller_and_in_all() -> None:
    settings = Settings(exports=3, exports_per_caller=2, **TWO)
    gateway = Gateway(settings, HeldStore(paid(5)))

    async def held(address: str) -> Export:
        made = Export(gateway, address=address)
        made.takes.clear()
        await settle()
        return made

    first, second = await held("10.0.0.1"), await held("10.0.0.1")
    one_more = await export(gateway)
    assert one_more.whole
    third = Export(gateway, address="10.0.0.1")
    await settle()
    assert (third.status, third.code) == (429, "RATE_LIMITED")
    assert int(third.told["retry-after"]) >= 1
    other = await held("10.0.0.2")
    assert await gateway.metric("gateway_exports ") == 3
    too_many = Export(gateway, address="10.0.0.3")
    await settle()
    assert (too_many.status, too_many.code) == (429, "RATE_LIMITED")
    await first.hang_up()
    again = Export(gateway, address="10.0.0.3")
    await again.settled()
    assert again.whole
    for each in (second, other):
        each.takes.set()
        await each.settled()
        assert each.whole
    assert await gateway.metric("gateway_exports ") == 0
