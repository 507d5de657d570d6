"""Places before the store: in turn among those who pay for them, whatever each of them asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.store.overload.gate import Gate
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party, holds_its_share

pytestmark = pytest.mark.anyio


@dataclass
class World:
    """A gate of fixed width, before a store whose queries end in the order the test wants."""

    width: int = 1
    begun: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate = Gate(AdaptiveLimit(self.width, self.width, self.width), lambda: 0.0)

    def ask(self, name: str, party: Party) -> asyncio.Task[None]:
        self.ends[name] = asyncio.Event()

        async def query() -> None:
            self.begun.append(name)
            await self.ends[name].wait()

        return asyncio.ensure_future(self.gate.run(party, None, query))

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await turns()

    async def run_out(self) -> list[str]:
        """End one after the other; in which order they had begun."""
        ended = 0
        while ended < len(self.begun):
            await self.end(self.begun[ended])
            ended += 1
        return self.begun


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_place_goes_to_who_has_the_fewest_and_of_equals_to_who_waited_longest() -> None:
    world, alice, bob, carol = World(), Party(["alice"]), Party(["bob"]), Party(["carol"])
    for number in range(4):
        world.ask(f"alice {number}", alice)
    await turns()
    for name, party in (("bob 0", bob), ("bob 1", bob), ("carol 0", carol)):
        world.ask(name, party)
    await turns()
    assert await world.run_out() == [
        *("alice 0", "bob 0", "carol 0", "alice 1", "bob 1", "alice 2", "alice 3"),
    ]


async def test_of_several_places_who_has_none_gets_the_first_that_is_free() -> None:
    world, alice, bob = World(width=3), Party(["alice"]), Party(["bob"])
    for number in range(9):
        world.ask(f"alice {number}", alice)
    await turns()
    for number in range(3):
        world.ask(f"bob {number}", bob)
    await turns()
    await world.end("alice 1")
    await world.end("alice 0")
    assert world.begun[3:] == ["bob 0", "bob 1"], "of equals who has not just had one"
    await world.end("alice 2")
    assert world.begun[5:] == ["alice 3"]


async def test_who_comes_again_and_again_does_not_go_before_who_waits() -> None:
    world, patient = World(), Party(["patient"])
    world.ask("first", Party(["x"]))
    await turns()
    for name in ("a", "b"):
        world.ask(f"{name} 0", Party([name]))
    world.ask("patient", patient)
    await turns()
    for ended, again in (("first", "x"), ("a 0", "a"), ("b 0", "b")):
        world.ask(f"{again} again", Party([again]))
        await world.end(ended)
    assert world.begun == ["first", "a 0", "b 0", "patient"]


async def test_where_as_many_wait_as_may_it_is_full_for_who_holds_his_share() -> None:
    world = World(width=4)
    for number in range(34):
        world.ask(f"alice {number}", Party(["alice"]))
    await turns()
    assert (world.gate.running, world.gate.queued) == (4, 30)
    assert world.gate.is_full_for("alice")
    for number in range(4):
        assert not world.gate.is_full_for("bob"), number
        world.ask(f"bob {number}", Party(["bob"]))
        await turns()
    assert world.gate.is_full_for("bob")
    assert not world.gate.is_full_for("carol")


async def test_where_nobody_has_more_than_another_it_is_full_for_newcomers_too() -> None:
    world = World(width=2)
    for number in range(4):
        assert not world.gate.is_full_for(number)
        world.ask(str(number), Party([number]))
        await turns()
    assert world.gate.is_full_for("newcomer")


async def test_what_waits_for_several_takes_the_first_place_of_any_of_them() -> None:
    world, alice, bob = World(), Party(["alice"]), Party(["bob"])
    shared = Party(["alice"])
    for number in range(3):
        world.ask(f"alice {number}", alice)
    world.ask("shared", shared)
    world.ask("bob 0", bob)
    await turns()
    world.gate.joined(shared, "carol")
    assert await world.run_out() == ["alice 0", "bob 0", "shared", "alice 1", "alice 2"]
    assert (world.gate.running, world.gate.queued) == (0, 0)


async def test_who_leaves_pays_no_more_neither_for_what_waits_nor_for_what_runs() -> None:
    world, shared = World(width=1), Party(["alice", "bob"])
    for number in range(3):
        world.ask(f"shared {number}", shared)
    await turns()
    world.gate.left(shared, "alice")
    world.ask("bob", Party(["bob"]))
    world.ask("alice", Party(["alice"]))
    await turns()
    assert await world.run_out() == ["shared 0", "alice", "shared 1", "shared 2", "bob"]


@pytest.mark.parametrize("step", range(4))
async def test_a_turn_that_is_given_up_goes_to_the_next(step: int) -> None:
    world, shared = World(), Party(["alice", "bob"])
    world.ask("first", Party(["carol"]))
    await turns()
    gone = world.ask("gone", shared)
    world.ask("next", Party(["bob"]))
    await turns()
    world.ends["first"].set()
    for _ in range(step):
        await asyncio.sleep(0)
    gone.cancel()
    await turns()
    assert world.begun[-1] == "next"
    await world.end("next")
    assert (world.gate.running, world.gate.queued) == (0, 0)


@pytest.mark.parametrize(
    ("held", "holders", "room", "is_share"),
    [(0, 1, 2, False), (2, 1, 2, True), (0, 2, 2, False), (1, 2, 2, True), (0, 3, 2, True)],
)
def test_a_share_is_an_equal_part(held: int, holders: int, room: int, *, is_share: bool) -> None:
    assert holds_its_share(held, holders, room) is is_share
