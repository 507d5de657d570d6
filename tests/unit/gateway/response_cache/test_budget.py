"""How old an answer may be while more is asked of the store than it can answer: within the budget, and no older."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from gateway.analytics.field_class import FieldClass
from gateway.response_cache.ages import Ages, Lifetime
from gateway.response_cache.cache import (
    RENEWALS_IF_PRESSED,
    Computed,
    ResponseCache,
    Served,
    Status,
)
from gateway.response_cache.key import Key
from tests.simulation.cache_world import NoCounts

pytestmark = pytest.mark.anyio

AGES = Ages(
    pipeline=Lifetime(0.25, 0.0),
    live=Lifetime(0.5, 0.25),
    closed=Lifetime(2.0, 0.25),
    fixed=Lifetime(60.0, 0.0),
    rescue_s=30.0,
    budget_s=3.0,
)
TURNED_AWAY = Computed("too much", store_failed=True, turned_away=True)
DOWN = Computed("down", store_failed=True)


def key(name: str = "q") -> Key:
    return (("anyone", None, True), name.encode())


@dataclass
class World:
    now_s: float = 1_000.0
    made: int = 0
    tells: Computed[str] = field(
        default_factory=lambda: Computed("ok", b'{"data":{}}', FieldClass.LIVE)
    )
    may_land: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_land.set()
        self.cache: ResponseCache[str] = ResponseCache(
            1_000_000, AGES, lambda: self.now_s, lambda: self.now_s, NoCounts()
        )

    async def compute(self) -> Computed[str]:
        self.made += 1
        await self.may_land.wait()
        return self.tells

    async def ask(self, name: str = "q", *, pressed: bool = False) -> Served[str]:
        return await self.cache.answer(key(name), self.compute, pressed=pressed)


@pytest.mark.parametrize(
    ("later_s", "pressed", "status"),
    [
        (0.7, False, Status.STALE),
        (0.8, False, Status.MISS),
        (0.8, True, Status.STALE),
        (2.9, True, Status.STALE),
        (3.1, True, Status.MISS),
    ],
)
async def test_only_where_much_is_asked_an_answer_is_as_old_as_the_budget(
    later_s: float, pressed: bool, status: Status
) -> None:
    world = World()
    await world.ask()
    world.now_s += later_s
    assert (await world.ask(pressed=pressed)).status is status
    await asyncio.sleep(0)
    assert world.made == 2  # at once, or behind it


async def test_what_tells_the_pipeline_s_state_has_no_budget() -> None:
    world = World()
    world.tells = replace(world.tells, field_class=FieldClass.PIPELINE)
    await world.ask()
    world.now_s += 0.3
    assert (await world.ask(pressed=True)).status is Status.MISS
    world.now_s += 0.3
    assert world.cache.instead(key(), "too much").told == "too much"


async def test_few_are_made_anew_while_much_is_asked_and_who_comes_again_gets_the_next_place() -> (
    None
):
    world = World()
    names = [f"q{number}" for number in range(RENEWALS_IF_PRESSED + 3)]
    for name in names:
        await world.ask(name)
    world.may_land.clear()
    world.now_s += 1.0
    for name in names:
        assert (await world.ask(name, pressed=True)).status is Status.STALE
    await asyncio.sleep(0)
    assert world.made == len(names) + RENEWALS_IF_PRESSED
    world.may_land.set()
    await asyncio.sleep(0.01)
    assert (await world.ask(names[-1], pressed=True)).status is Status.STALE
    await asyncio.sleep(0.01)
    assert (await world.ask(names[-1], pressed=True)).status is Status.HIT
    await world.cache.close()


async def test_who_is_turned_away_is_given_what_is_within_the_budget_and_not_what_is_for_outages() -> (
    None
):
    world = World()
    await world.ask()
    world.tells = TURNED_AWAY
    world.now_s += 2.9
    assert (await world.ask()).status is Status.STALE
    assert world.cache.instead(key(), "too much").status is Status.STALE
    world.now_s += 0.2
    refused = await world.ask()
    assert (refused.entry, refused.told) == (None, "too much")
    assert world.cache.instead(key(), "too much").told == "too much"
    world.tells = DOWN
    assert (await world.ask()).status is Status.RESCUED


async def test_an_answer_is_as_old_as_what_it_is_made_of() -> None:
    world = World()
    world.tells = replace(world.tells, age_s=2.0)
    await world.ask()
    assert (await world.ask()).status is Status.MISS  # 2 s are past its life
    world.now_s += 0.9
    kept = await world.ask(pressed=True)
    assert kept.status is Status.STALE
    assert kept.entry is not None
    assert kept.entry.age_s(world.now_s) == 2
