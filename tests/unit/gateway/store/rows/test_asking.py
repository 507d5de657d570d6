"""Who asks for rows at the same time asks together, at everybody's expense, and leaves alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.access.caller import Scope
from gateway.analytics.asking import StoreResult
from gateway.errors import StoreUnavailableError
from gateway.store.overload.party import Party
from gateway.store.rows.asked import AccountRows, RowsPlan, Told
from gateway.store.rows.asking import Lane
from tests.scopes import of
from tests.simulation import virtual_loop
from tests.simulation.cache_world import now_s

EVERY_S, TAKES_S = 0.025, 0.5


@dataclass
class Asked:
    """A store that tells no rows after a while, and what it was asked."""

    plans: list[tuple[float, RowsPlan, float, list[object]]] = field(default_factory=list)
    cancelled: int = 0
    fails: bool = False

    def lane(self, most: int = 10) -> Lane:
        return Lane(self.fetch, self.plan, EVERY_S, most, now_s)

    def plan(self, scope: Scope, since_ms: int | None) -> RowsPlan:
        return RowsPlan(scope, 77, since_ms, 100)

    async def fetch(
        self, plan: RowsPlan, timeout_s: float, party: Party
    ) -> StoreResult[AccountRows]:
        self.plans.append((now_s(), plan, round(timeout_s, 3), party.payers))
        try:
            await asyncio.sleep(TAKES_S)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails:
            raise StoreUnavailableError("down")
        rows = tuple(AccountRows(each, (), len(each), cut=False) for each in plan.account_ids)
        return StoreResult(rows, 123)


async def ask(lane: Lane, name: str, since_ms: int = 5, timeout_s: float = 2.0) -> Told:
    return await lane.ask(name, of(name), since_ms, timeout_s, Party([f"payer of {name}"]))


def test_who_comes_at_once_asks_together_since_the_earliest() -> None:
    async def run() -> None:
        asked, began_s = Asked(), now_s()
        lane = asked.lane()
        told = await asyncio.gather(ask(lane, "a", 9), ask(lane, "bb", 7, 3.0), ask(lane, "c", 8))
        ((at_s, plan, timeout_s, payers),) = asked.plans
        assert (at_s, plan.arrived_since_ms, timeout_s) == (began_s, 7, 3.0)
        assert plan.account_ids == {"a", "bb", "c"}
        assert sorted(map(str, payers)) == ["payer of a", "payer of bb", "payer of c"]
        assert [each.rows.snapshot for each in told] == [1, 2, 1]
        assert {(each.start_ms, each.as_of_ms, each.asked_s) for each in told} == {
            (77, 123, began_s)
        }

    virtual_loop.run(1, run())


def test_who_comes_soon_after_waits_for_the_next_and_who_comes_later_does_not() -> None:
    async def run() -> None:
        asked, began_s = Asked(), now_s()
        lane = asked.lane()

        async def after(pause_s: float, name: str) -> None:
            await asyncio.sleep(pause_s)
            await ask(lane, name)

        await asyncio.gather(
            ask(lane, "a"), after(0.004, "b"), after(0.02, "c"), after(0.03, "d"), after(1.0, "e")
        )
        found = [
            (round(at_s - began_s, 3), "".join(sorted(plan.account_ids)))
            for at_s, plan, *_ in asked.plans
        ]
        assert found == [(0.0, "a"), (0.025, "bc"), (0.05, "d"), (1.0, "e")]

    virtual_loop.run(1, run())


def test_a_batch_that_is_full_is_followed_by_another() -> None:
    async def run() -> None:
        asked = Asked()
        lane = asked.lane(most=2)
        await asyncio.gather(*(ask(lane, name) for name in "abcde"))
        assert sorted(len(plan.account_ids) for _, plan, *_ in asked.plans) == [1, 2, 2]

    virtual_loop.run(1, run())


def test_one_that_leaves_takes_nothing_from_the_others_and_the_last_ends_it() -> None:
    async def run() -> None:
        asked = Asked()
        lane = asked.lane()
        first, second = (asyncio.ensure_future(ask(lane, name)) for name in "ab")
        await asyncio.sleep(0.1)
        first.cancel()
        assert (await second).rows.account_id == "b"
        assert asked.cancelled == 0
        third = asyncio.ensure_future(ask(lane, "c"))
        await asyncio.sleep(0.1)
        third.cancel()
        await asyncio.wait({third})
        await asyncio.sleep(0.01)
        assert asked.cancelled == 1
        assert (await ask(lane, "d")).rows.account_id == "d"

    virtual_loop.run(1, run())


def test_what_the_store_raises_is_raised_to_all() -> None:
    async def run() -> None:
        lane = Asked(fails=True).lane()
        asking = [asyncio.ensure_future(ask(lane, name)) for name in "ab"]
        await asyncio.wait(asking)
        for each in asking:
            with pytest.raises(StoreUnavailableError):
                await each

    virtual_loop.run(1, run())
