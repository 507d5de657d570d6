"""When requests are turned away before any work: what stands in line, who joins, one stop and a long line."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import cast

from gateway.store.overload.gate import Gate
from gateway.store.overload.lag import INTERVAL_S, PERIOD_S, WARY_S, LoopLag
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.shedding import FEW, Shedding
from tests.simulation import virtual_loop
from tests.simulation.virtual_loop import VirtualLoop

LATE_S = 0.02


@dataclass
class World:
    """A watched loop that can be kept busy."""

    lag: LoopLag = field(default_factory=lambda: LoopLag(now_s, LATE_S))
    refused: list[str] = field(default_factory=list)

    def shedding(self, limit: int) -> Shedding:
        gate = Gate(AdaptiveLimit(limit, limit, limit), now_s)
        return Shedding(gate, self.lag, self.refused.append)

    async def busy(self, seconds: float, times: int = 1) -> None:
        """Hold the loop for so long, then let it do what is due; so many times."""
        for _ in range(times):
            cast("VirtualLoop", asyncio.get_running_loop()).pass_s(seconds)
            for _ in range(3):
                await asyncio.sleep(0)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_a_single_stop_is_no_line() -> None:
    async def main() -> None:
        world = World()
        world.lag.start()
        for stop_s in (INTERVAL_S * 0.9, INTERVAL_S * 5):
            cast("VirtualLoop", asyncio.get_running_loop()).pass_s(stop_s)
            assert not world.lag.look(), "the ring is late, but only this one"
            await asyncio.sleep(0)
            assert not world.lag.look()
            await asyncio.sleep(2 * PERIOD_S)
            assert not world.lag.look()

    virtual_loop.run(1, main())


def test_late_again_and_again_is_a_line_until_it_is_in_time_once() -> None:
    async def main() -> None:
        world = World()
        world.lag.start()
        await world.busy(0.03, times=5)
        assert world.lag.look()
        await asyncio.sleep(2 * PERIOD_S)
        assert not world.lag.look()
        await world.busy(0.03)
        assert world.lag.look(), "whoever saw a line a moment ago believes the next late ring"
        await asyncio.sleep(WARY_S + INTERVAL_S)
        await world.busy(0.03)
        assert not world.lag.look()

    virtual_loop.run(1, main())


def test_a_line_is_seen_while_the_loop_is_still_held() -> None:
    async def main() -> None:
        world = World()
        world.lag.start()
        await world.busy(0.03)
        cast("VirtualLoop", asyncio.get_running_loop()).pass_s(INTERVAL_S)
        assert world.lag.look()

    virtual_loop.run(1, main())


def test_what_is_not_watched_is_never_late() -> None:
    async def main() -> None:
        world = World()
        await world.busy(9)
        assert not world.lag.look()
        world.lag.start()
        world.lag.stop()
        await world.busy(9)
        assert not world.lag.look()

    virtual_loop.run(1, main())


def test_as_many_begin_as_the_gate_can_run_and_queue_and_who_shares_a_key_is_one() -> None:
    async def main() -> None:
        world = World()
        shedding = world.shedding(limit=2)
        with (
            shedding.beginning("a", "alice"),
            shedding.beginning("b", "alice"),
            shedding.beginning("c", "alice"),
            shedding.beginning("c", "alice"),
        ):
            assert (shedding.begun, shedding.refusal("d", "alice")) == (3, None)
            with shedding.beginning("d", "alice"):
                refusal = shedding.refusal("e", "alice")
                assert refusal is not None
                assert refusal.retry_after_s == 1
                assert shedding.refusal("a", "alice") is None
        assert (shedding.begun, shedding.refusal("e", "alice")) == (0, None)
        assert world.refused == ["store"]

    virtual_loop.run(1, main())


def test_a_late_loop_turns_away_only_where_many_are_under_way() -> None:
    async def main() -> None:
        world = World()
        shedding = world.shedding(limit=100)
        shedding.start()
        await world.busy(0.03, times=5)
        assert shedding.refusal_unread("alice") is None
        with ExitStack() as begun:
            for number in range(FEW):
                begun.enter_context(shedding.beginning(number, "alice"))
            assert shedding.refusal_unread("alice") is not None
            assert shedding.refusal("new", "alice") is not None
            assert shedding.refusal(0, "alice") is None
            assert world.refused == ["lag", "lag"]
            assert shedding.refusal_unread("bob") is None, "none of it is his"
        with ExitStack() as begun:
            for number in range(FEW):
                begun.enter_context(shedding.beginning(number, number))
            assert shedding.refusal_unread("bob") is not None, "nobody has more than another"

    virtual_loop.run(1, main())


def test_where_all_that_may_has_begun_who_has_less_than_his_share_begins_all_the_same() -> None:
    async def main() -> None:
        world = World()
        shedding = world.shedding(limit=3)
        with ExitStack() as begun:
            for number in range(6):
                begun.enter_context(shedding.beginning(number, "alice"))
            assert shedding.refusal("new", "alice") is not None
            for number in range(3):
                assert shedding.refusal(f"bob {number}", "bob") is None
                begun.enter_context(shedding.beginning(f"bob {number}", "bob"))
            assert shedding.refusal("bob 3", "bob") is not None
            assert shedding.refusal("carol's", "carol") is None
            assert shedding.refusal("alice's own", "alice") is not None
        assert shedding.refusal("new", "alice") is None
        assert world.refused == ["store"] * 3

    virtual_loop.run(1, main())


def test_who_joins_counts_as_its_own_and_who_leaves_no_more() -> None:
    async def main() -> None:
        shedding = World().shedding(limit=1)
        with shedding.beginning("a", "alice") as party, shedding.beginning("b", "alice"):
            with shedding.beginning("a", "bob") as same:
                assert same is party
                assert party.payers == ["alice", "bob"]
                assert shedding.refusal("c", "bob") is not None, "one of two is his share"
            assert party.payers == ["alice"]
            assert shedding.refusal("c", "bob") is None

    virtual_loop.run(1, main())


def test_who_comes_to_what_nobody_waits_for_takes_it_over() -> None:
    async def main() -> None:
        shedding = World().shedding(limit=1)
        with shedding.beginning("a", "alice") as party:
            pass
        with shedding.beginning("a", "bob") as same:
            assert same is party
            assert party.payers == ["bob"]

    virtual_loop.run(1, main())
