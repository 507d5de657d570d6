"""The memory of rows before a store answers random plans over growing entries as the reference does."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.access.caller import Caller, Role
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Direction, Entry, Interval
from gateway.analytics.query_plan import QueryPlan, TotalsPlan
from gateway.errors import ForbiddenError, StoreUnavailableError
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from gateway.store.overload.party import Party
from gateway.store.overload.store import PartyStore
from gateway.store.rows import answers
from gateway.store.rows.asked import RowsPlan
from gateway.store.rows.store import Bounds, KeptRows, RowsStore
from gateway.wiring.stores import admitted
from tests import store_cases
from tests.scopes import of

NOW_MS = store_cases.START_MS + store_cases.SPAN_MS
WHOLE = Interval(store_cases.START_MS, NOW_MS)
BOUNDS = Bounds(1_000_000, 1_000, 30, 0.0)


class World:
    """A store with the memory before it, whose clock is moved by hand."""

    def __init__(self, bounds: Bounds) -> None:
        self.now_s = 1_000.0
        self.counts: Counter[str] = Counter()
        self.tells = True
        self.refused = 0
        self.store = DuckdbStore(epoch_ms=self.epoch_ms)
        self._fetch = self.store.fetch
        self.store.fetch = self.fetch  # type: ignore[method-assign]
        self.timed: Counter[str] = Counter()
        behind = admitted(self.store, Settings(), Metrics(), self.monotonic)
        behind = replace(behind, observe=self._time)
        self.kept = KeptRows(behind, bounds, self.epoch_ms, self.monotonic, self._count)
        self.asked = RowsStore(self.kept, PartyStore(behind, Party(["alice"])))

    def _time(self, plan: str, seconds: float) -> None:
        assert seconds >= 0
        self.timed[plan] += 1

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        if isinstance(plan, RowsPlan) and not self.tells:
            self.refused += 1
            raise StoreUnavailableError("there is no such column")
        return await self._fetch(plan, timeout_s)

    def monotonic(self) -> float:
        return self.now_s

    def epoch_ms(self) -> int:
        return NOW_MS + round((self.now_s - 1_000) * 1_000)

    def _count(self, source: str) -> None:
        self.counts[source] += 1


bounds = st.builds(
    Bounds,
    st.sampled_from([20_000, 1_000_000]),
    st.sampled_from([3, 1_000]),
    st.sampled_from([1, 2, 30]),
    st.just(0.0),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batches=st.lists(store_cases.entry_lists(12), min_size=1, max_size=3),
    plans=st.lists(store_cases.plans(), min_size=1, max_size=6),
    bounds=bounds,
    pause_s=st.sampled_from([0.01, 40.0, 90.0, 700.0, 86_400.0]),
)
def test_the_memory_of_rows_answers_as_the_reference_does(
    batches: list[list[Entry]], plans: list[QueryPlan[Any]], bounds: Bounds, pause_s: float
) -> None:
    async def run() -> None:
        world = World(bounds)
        await world.store.open()
        entries: list[Entry] = []
        for number, batch in enumerate(batches):
            # Two batches may hold the same ids, of which each account has one of each kind.
            new = [_renamed(each, number) for each in batch]
            world.store.load(new)
            entries += new
            for plan in plans:
                await store_cases.check(world.asked, entries, plan)
            world.now_s += pause_s
        await world.store.close()

    asyncio.run(run())


def _renamed(entry: Entry, number: int) -> Entry:
    def named(id_: str) -> str:
        return f"{number:08x}{id_[8:]}"

    back = entry.reverses
    return replace(
        entry,
        transaction_id=named(entry.transaction_id),
        reverses=None if back is None else named(back),
    )


@pytest.mark.anyio
async def test_questions_about_a_small_account_are_one_load_and_then_looks() -> None:
    world = World(BOUNDS)
    await world.store.open()
    entries = store_cases.random_entries(3, 200)
    world.store.load(entries)
    plan = TotalsPlan(of("alice"), frozenset(Direction), WHOLE)
    others = replace(plan, interval=Interval(WHOLE.start_ms + 1, WHOLE.end_ms - 1), by_kind=True)
    for each in (plan, others, plan):
        await store_cases.check(world.asked, entries, each)
    assert world.counts == {"load": 1, "memory": 2}
    assert world.timed == {"RowsPlan": 1}, "only what the store was asked is timed"
    world.now_s += 1
    more = store_cases.random_entries(4, 200)
    world.store.load(more)
    await store_cases.check(world.asked, [*entries, *more], plan)
    assert world.counts == {"load": 1, "memory": 2, "look": 1}
    await world.store.close()


@pytest.mark.anyio
async def test_what_is_not_the_memory_s_is_the_store_s() -> None:
    world = World(replace(BOUNDS, max_rows=3))
    await world.store.open()
    entries = store_cases.random_entries(3, 200)
    world.store.load(entries)
    plan = TotalsPlan(of("alice"), frozenset(Direction), WHOLE)
    for _ in range(3):
        await store_cases.check(world.asked, entries, plan)
    # Alone it is as large as with others, and then it is remembered to be.
    assert world.counts == {"load": 2, "store": 3}
    assert world.timed == {"RowsPlan": 2, "TotalsPlan": 3}
    await store_cases.check(world.asked, entries, replace(plan, interval=Interval(0, NOW_MS)))
    assert world.counts == {"load": 2, "store": 4}
    await world.store.close()


@pytest.mark.anyio
async def test_a_store_that_cannot_tell_rows_answers_all_the_same_and_is_left_alone_with_it() -> (
    None
):
    world = World(BOUNDS)
    await world.store.open()
    entries = store_cases.random_entries(3, 200)
    world.store.load(entries)
    plan = TotalsPlan(of("alice"), frozenset(Direction), WHOLE)
    world.tells = False
    for _ in range(3):
        await store_cases.check(world.asked, entries, plan)
    assert (world.refused, world.counts) == (1, {"store": 3})
    world.now_s += 5.1
    world.tells = True
    await store_cases.check(world.asked, entries, plan)
    assert world.counts == {"store": 3, "load": 1}
    # What was looked at just now is used; what was not, is not.
    world.tells = False
    await store_cases.check(world.asked, entries, plan)
    assert world.counts["memory"] == 1
    world.now_s += 1
    await store_cases.check(world.asked, entries, plan)
    assert (world.refused, world.counts["store"]) == (2, 4)
    await world.store.close()


def test_nobody_is_told_of_rows_that_are_kept_for_another() -> None:
    owner = Caller("bob", Role.OWNER, frozenset({"bob"}), True)
    with pytest.raises(ForbiddenError):
        TotalsPlan(owner.may_read(["alice"]), frozenset(Direction), WHOLE)


def test_the_memory_knows_everything_that_a_plan_asks_by() -> None:
    """A plan that asks by more than this file's namesake knows goes to the store: teach it there."""
    for kind in answers._KNOWN:
        assert kind in answers.ANSWERED, sorted(
            {each.name for each in fields(kind)} - answers._KNOWN[kind]  # type: ignore[arg-type]
        )
