"""A few hundred schedules of the simulation, and the proof that it finds bugs. More: `./dev simulate`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.simulation import virtual_loop
from tests.simulation.__main__ import main
from tests.simulation.cache_world import CacheWorld
from tests.simulation.fair_world import FairWorld
from tests.simulation.gate_world import GateWorld
from tests.simulation.planted import BUGS, Planted, World
from tests.simulation.rows_world import RowsWorld
from tests.simulation.virtual_loop import DeadlockError

SEEDS = 200
ENOUGH_TO_FIND = 60


@pytest.mark.parametrize("world", [CacheWorld, GateWorld, FairWorld, RowsWorld])
def test_no_schedule_breaks_an_invariant(world: Callable[[int], World]) -> None:
    answers = sum(virtual_loop.run(seed, world(seed).run()) for seed in range(SEEDS))
    assert answers > SEEDS * 5


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
@pytest.mark.filterwarnings("ignore")
def test_a_planted_bug_is_found(bug: Planted) -> None:
    with bug.in_place():
        found = any(_breaks(bug, seed) for seed in range(ENOUGH_TO_FIND))
    assert found


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_gives_the_same_run_again(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["--replay", str(seed)]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]


def test_a_lost_wake_up_is_not_waited_for() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        virtual_loop.run(1, wait_for_nothing())


def _breaks(bug: Planted, seed: int) -> bool:
    try:
        virtual_loop.run(seed, bug.world(seed).run())
    except AssertionError:
        return True
    return False
