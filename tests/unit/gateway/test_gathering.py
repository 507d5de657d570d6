"""Totals of several operations in one store query: who waits for whom, and what each is given."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import (
    DeadlineExceededError,
    OverloadedError,
    PartialAnswerError,
    StoreUnavailableError,
)
from gateway.gathering import APART_S, Gathering
from gateway.model import Direction, Interval
from gateway.query_plan import EntryCountPlan, QueryPlan, TotalsPlan, TotalsRow
from gateway.settings import Settings
from gateway.store import StoreResult
from tests.scopes import NETWORK, of
from tests.store_cases import transfer
from tests.unit.gateway.fakes import ReferenceStore
from tests.unit.gateway.test_cached_answers import TOTALS, Gateway, settle

pytestmark = pytest.mark.anyio

DAY = Interval(0, 86_400_000)
NAMES = ("alice", "bob", "carol", "dave", "erin")
RECEIVED = Direction.RECEIVED
A_LONG_TIME_S = 60.0


@dataclass
class HeldStore(ReferenceStore):
    """Answers when it is told to, or fails."""

    gates: list[asyncio.Future[None]] = field(default_factory=list)
    second: asyncio.Event = field(default_factory=asyncio.Event)
    fourth: asyncio.Event = field(default_factory=asyncio.Event)
    timeouts_s: list[float] = field(default_factory=list)

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        result = await super().fetch(plan, timeout_s)
        self.timeouts_s.append(timeout_s)
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        for number, event in ((2, self.second), (4, self.fourth)):
            if len(self.gates) == number:
                event.set()
        await gate
        return result

    @property
    def asked(self) -> list[set[str]]:
        """The accounts of each query so far."""
        return [set(plan.account_ids or ()) for plan in self.plans if isinstance(plan, TotalsPlan)]

    async def end(self, number: int, error: Exception | None = None) -> None:
        """Let a query end."""
        if error is None:
            self.gates[number].set_result(None)
        else:
            self.gates[number].set_exception(error)
        await settle()


class World:
    """A gathering over a held store, with counts and a clock of its own."""

    def __init__(self, most_accounts: int = 16, wait_s: float = A_LONG_TIME_S) -> None:
        transfers = (
            transfer(name, f"from-{name}", str(number), Decimal(number), 1_000)
            for number, name in enumerate(NAMES, start=1)
        )
        self.store = HeldStore([entry for pair in transfers for entry in pair])
        self.counts: Counter[str] = Counter()
        self.later_s = 0.0
        self.is_busy = True
        self.is_full = False
        self.gathering = Gathering(
            self.store,
            lambda: self.is_busy,
            self.admit,
            most_accounts,
            wait_s,
            lambda: time.monotonic() + self.later_s,
            lambda of: self.counts.update((of,)),
        )

    def admit(self) -> None:
        """As the gate does it."""
        if self.is_full:
            raise OverloadedError("full")

    async def ask(
        self, *names: str, interval: Interval = DAY, timeout_s: float = 5
    ) -> asyncio.Task[Any]:
        """Somebody's question, on its way."""
        plan = TotalsPlan(of(*names), frozenset({RECEIVED}), interval)
        task = asyncio.create_task(self.gathering.fetch(plan, timeout_s))
        await settle()
        return task


def so_many_at_once(queries: int, most_accounts: int) -> Settings:
    """So many store queries at once, and waiting for them as long as they take."""
    return Settings(
        store_queries_least=queries,
        store_queries_start=queries,
        store_queries_most=queries,
        store_gather_ms=60_000,
        store_gather_accounts=most_accounts,
    )


def rows(*names: str) -> set[TotalsRow]:
    return {TotalsRow(name, RECEIVED, 1, Decimal(NAMES.index(name) + 1)) for name in names}


async def given(*asking: Awaitable[StoreResult[TotalsRow]]) -> list[set[TotalsRow]]:
    return [set(result.rows) for result in await asyncio.gather(*asking)]


async def test_whoever_comes_while_one_is_asked_goes_with_the_others_and_gets_their_own_rows() -> (
    None
):
    world = World()
    first = await world.ask("alice")
    others = [await world.ask("bob"), await world.ask("carol", "dave"), await world.ask("nobody")]
    assert world.store.asked == [{"alice"}]
    await world.store.end(0)
    assert world.store.asked[1:] == [{"bob", "carol", "dave", "nobody"}]
    assert world.gathering.saved == 2  # queries, by three plans in one
    await world.store.end(1)
    assert world.gathering.saved == 0
    assert await given(first, *others) == [rows("alice"), rows("bob"), rows("carol", "dave"), set()]
    assert world.counts == {"alone": 1, "gathered": 3, "queries": 1}


async def test_on_an_idle_store_nobody_waits() -> None:
    world = World()
    for number, name in enumerate(NAMES):
        asking = await world.ask(name)
        await world.store.end(number)
        assert await given(asking) == [rows(name)]
    assert world.counts == {"alone": len(NAMES)}


async def test_while_the_store_has_room_nobody_waits_but_whoever_waits_is_joined() -> None:
    world = World()
    world.is_busy = False
    asking = [await world.ask(name) for name in ("alice", "bob")]
    assert world.store.asked == [{"alice"}, {"bob"}]
    world.is_busy = True
    asking.append(await world.ask("carol"))
    world.is_busy = False
    asking.append(await world.ask("dave"))
    assert len(world.store.gates) == 2
    await world.store.end(1)
    assert world.store.asked[2:] == [{"carol", "dave"}]
    asking.append(await world.ask("erin"))
    for number in (0, 2, 3):
        await world.store.end(number)
    assert await given(*asking) == [rows(name) for name in NAMES]
    assert world.gathering.saved == 0


async def test_who_waits_goes_after_a_few_milliseconds_though_the_store_has_not_answered() -> None:
    world = World(wait_s=0.001)
    asking = [await world.ask("alice"), await world.ask("bob")]
    async with asyncio.timeout(5):
        await world.store.second.wait()
    await world.store.end(1)
    assert await given(asking[1]) == [rows("bob")]
    assert not asking[0].done()
    await world.store.end(0)
    assert await given(asking[0]) == [rows("alice")]


async def test_what_is_under_way_is_not_joined() -> None:
    """Its rows may be older than who comes now."""
    world = World()
    asking = [await world.ask("alice"), await world.ask("bob")]
    await world.store.end(0)
    asking.append(await world.ask("bob"))
    assert world.store.asked == [{"alice"}, {"bob"}]
    await world.store.end(1)
    assert world.store.asked[2:] == [{"bob"}]
    await world.store.end(2)
    assert await given(*asking) == [rows("alice"), rows("bob"), rows("bob")]


async def test_only_plans_that_differ_in_nothing_but_accounts_go_together() -> None:
    world = World()
    asking = [await world.ask("alice"), await world.ask("bob", interval=Interval(0, 5_000))]
    both = TotalsPlan(of("carol"), frozenset(Direction), DAY)
    by_kind = TotalsPlan(of("dave"), frozenset({RECEIVED}), DAY, by_kind=True)
    network = TotalsPlan(NETWORK, frozenset({RECEIVED}), DAY)
    count = EntryCountPlan(of("erin"))
    unlike: tuple[QueryPlan[Any], ...] = (both, by_kind, network, count)
    asking += [asyncio.create_task(world.gathering.fetch(plan, 5)) for plan in unlike]
    await settle()
    assert len(world.store.gates) == 6
    for number in range(6):
        await world.store.end(number)
    await asyncio.gather(*asking)


async def test_a_group_that_is_full_goes_at_once_and_the_next_one_begins() -> None:
    world = World(most_accounts=3)
    asking = [await world.ask(*names) for names in (("alice",), ("bob",), ("carol", "dave"))]
    assert world.store.asked == [{"alice"}, {"bob", "carol", "dave"}]
    asking += [await world.ask(*names) for names in (("erin", "bob"), ("alice", "carol"))]
    assert world.store.asked[2:] == [{"erin", "bob"}]
    asking.append(await world.ask("alice", "carol", "dave"))  # as many as go together: alone
    assert world.store.asked[3:] == [{"alice", "carol", "dave"}]
    for number in range(5):
        await world.store.end(number)
    expected = ["alice", "bob", "carol dave", "erin bob", "alice carol", "alice carol dave"]
    assert await given(*asking) == [rows(*each.split()) for each in expected]


async def test_what_goes_together_is_asked_as_each_would_have_been() -> None:
    world = World()
    plans = [
        TotalsPlan(of(name), frozenset(Direction), DAY, by_kind=True)
        for name in ("alice", "bob", "carol")
    ]
    asking = [asyncio.create_task(world.gathering.fetch(plan, 5)) for plan in plans]
    await settle()
    await world.store.end(0)
    assert world.store.plans[1:] == [replace(plans[0], scope=of("bob", "carol"))]
    await world.store.end(1)
    for name, result in zip(("alice", "bob", "carol"), await asyncio.gather(*asking), strict=True):
        assert [row.account_id for row in result.rows] == [name]


async def test_whoever_comes_waits_as_long_as_anything_alike_is_under_way() -> None:
    world = World(most_accounts=3)
    world.is_busy = False
    asking = [await world.ask(name) for name in ("alice", "bob")]
    world.is_busy = True
    await world.store.end(0)
    asking += [await world.ask("carol", "dave"), await world.ask("erin")]  # full: under way
    assert world.store.asked[2:] == [{"carol", "dave", "erin"}]
    asking += [await world.ask(*names) for names in (("alice", "bob"), ("carol",))]
    assert world.store.asked[3:] == [{"alice", "bob", "carol"}]
    assert world.gathering.saved == 2
    await world.store.end(2)
    assert world.gathering.saved == 1
    asking.append(await world.ask("dave"))
    await world.store.end(1)
    assert world.store.asked[4:] == [{"dave"}]
    await world.store.end(3)
    asking.append(await world.ask("erin"))
    assert len(world.store.gates) == 5
    await world.store.end(4)
    await world.store.end(5)
    expected = ["alice", "bob", "carol dave", "erin", "alice bob", "carol", "dave", "erin"]
    assert await given(*asking) == [rows(*each.split()) for each in expected]
    assert world.gathering.saved == 0


async def test_turned_off_everyone_asks_alone() -> None:
    world = World(most_accounts=1)
    asking = [await world.ask(name) for name in NAMES]
    assert world.store.asked == [{name} for name in NAMES]
    for number in range(len(NAMES)):
        await world.store.end(number)
    assert await given(*asking) == [rows(name) for name in NAMES]


async def test_the_snapshot_of_several_accounts_is_nobodys() -> None:
    """Else a total that is older than a ranking could be taken for newer."""
    world = World()
    alone = await world.ask("alice")
    together = [await world.ask("bob"), await world.ask("carol")]
    await world.store.end(0)
    same = [await world.ask("dave"), await world.ask("dave")]
    await world.store.end(1)
    await world.store.end(2)
    snapshots = [(await each).snapshot for each in (alone, *together, *same)]
    held = len(world.store.entries)
    assert snapshots == [held, 0, 0, held, held]


async def test_who_leaves_takes_nobody_along_and_the_last_one_stops_the_query() -> None:
    world = World()
    first = await world.ask("alice")
    bob, carol = await world.ask("bob"), await world.ask("carol")
    await world.store.end(0)
    bob.cancel()
    await settle()
    assert not world.store.gates[1].cancelled()
    await world.store.end(1)
    assert await given(first, carol) == [rows("alice"), rows("carol")]
    assert bob.cancelled()

    first, bob = await world.ask("alice"), await world.ask("bob")
    await world.store.end(2)
    bob.cancel()
    await settle()
    assert world.store.gates[3].cancelled()
    # Nothing is left behind: the next one does not wait.
    dave = await world.ask("dave")
    await world.store.end(4)
    assert await given(first, dave) == [rows("alice"), rows("dave")]


async def test_who_leaves_before_the_group_goes_is_not_waited_for() -> None:
    world = World()
    first, bob = await world.ask("alice"), await world.ask("bob")
    bob.cancel()
    await settle()
    await world.store.end(0)
    assert world.store.asked == [{"alice"}]
    carol = await world.ask("carol")
    assert world.store.asked[1:] == [{"carol"}]
    await world.store.end(1)
    assert await given(first, carol) == [rows("alice"), rows("carol")]


async def test_the_first_one_may_leave_and_the_others_still_go() -> None:
    world = World()
    first, bob = await world.ask("alice"), await world.ask("bob")
    first.cancel()
    await settle()
    assert world.store.asked == [{"alice"}, {"bob"}]
    await world.store.end(1)
    assert await given(bob) == [rows("bob")]


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("out"),
        PartialAnswerError("half"),
        DeadlineExceededError("slow"),
        ValueError("a bug that one account's rows bring about"),
    ],
)
async def test_what_cannot_be_answered_together_is_asked_alone_and_for_a_while_so_is_all(
    error: Exception,
) -> None:
    """What is wrong with one account must not take the others with it."""
    world = World()
    asking = [await world.ask(name) for name in ("alice", "bob", "carol")]
    await world.store.end(0)
    await world.store.end(1, error)
    assert world.store.asked[2:] == [{"bob"}, {"carol"}]
    asking += [await world.ask("dave"), await world.ask("erin")]
    assert world.store.asked[4:] == [{"dave"}, {"erin"}]
    await world.store.end(3, StoreUnavailableError("carol's part is out"))
    for number in (2, 4, 5):
        await world.store.end(number)
    alice, bob, carol, dave, erin = asking
    assert await given(alice, bob, dave, erin) == [
        rows(x) for x in ("alice", "bob", "dave", "erin")
    ]
    with pytest.raises(StoreUnavailableError, match="carol"):
        await carol
    assert world.counts == {"alone": 3, "gathered": 2, "queries": 1, "again": 2}

    world.later_s += APART_S
    asking = [await world.ask(name) for name in ("alice", "bob", "carol")]
    await world.store.end(6)
    await world.store.end(7)
    assert await given(*asking) == [rows(x) for x in ("alice", "bob", "carol")]
    assert world.store.asked[7:] == [{"bob", "carol"}]


async def test_who_waits_while_a_query_for_several_fails_asks_alone_too() -> None:
    world = World()
    asking = [await world.ask(name) for name in ("alice", "bob", "carol")]
    await world.store.end(0)
    asking += [await world.ask(name) for name in ("dave", "erin")]
    await world.store.end(1, StoreUnavailableError("out"))
    assert sorted(map(sorted, world.store.asked[2:])) == [["bob"], ["carol"], ["dave"], ["erin"]]
    for number in range(2, 6):
        await world.store.end(number)
    assert await given(*asking) == [rows(name) for name in NAMES]
    assert world.gathering.saved == 0


async def test_where_the_store_has_enough_to_do_nobody_asks_again() -> None:
    world = World()
    asking = [await world.ask(name) for name in ("alice", "bob", "carol")]
    await world.store.end(0)
    world.is_full = True
    await world.store.end(1, StoreUnavailableError("out"))
    for each in asking[1:]:
        with pytest.raises(OverloadedError):
            await each
    assert len(world.store.gates) == 2


async def test_a_query_for_several_takes_a_part_of_the_time_so_that_there_is_time_to_ask_alone() -> (
    None
):
    world = World()
    first, bob, carol = [await world.ask(name, timeout_s=0.4) for name in ("alice", "bob", "carol")]
    await world.store.end(0)
    assert world.store.timeouts_s[1] <= 0.1
    async with asyncio.timeout(5):
        await world.store.fourth.wait()  # neither is answered together; both ask alone
    assert world.store.asked[2:] == [{"bob"}, {"carol"}]
    await world.store.end(2)
    await world.store.end(3, DeadlineExceededError("it was carol's"))
    assert await given(first, bob) == [rows("alice"), rows("bob")]
    with pytest.raises(DeadlineExceededError, match="carol"):
        await carol


async def test_a_query_of_ones_own_that_fails_is_not_asked_again() -> None:
    world = World()
    first, bob = await world.ask("alice"), await world.ask("bob")
    await world.store.end(0, StoreUnavailableError("out"))
    await world.store.end(1, StoreUnavailableError("out, too"))
    for asking, cause in ((first, "out"), (bob, "out, too")):
        with pytest.raises(StoreUnavailableError, match=cause):
            await asking
    assert len(world.store.gates) == 2


async def test_each_one_waits_for_as_long_as_it_may() -> None:
    world = World()
    first = await world.ask("alice")
    hasty, patient = await world.ask("bob", timeout_s=0.02), await world.ask("carol", timeout_s=9)
    await world.store.end(0)
    assert 2 < world.store.timeouts_s[1] <= 9 / 4
    with pytest.raises(DeadlineExceededError):
        await hasty
    await world.store.end(1)
    assert await given(first, patient) == [rows("alice"), rows("carol")]


async def test_the_same_account_of_several_callers_has_all_of_the_time_and_its_snapshot() -> None:
    world = World()
    first = await world.ask("alice")
    same = [await world.ask("bob"), await world.ask("bob")]
    await world.store.end(0)
    assert world.store.asked[1:] == [{"bob"}]
    assert world.store.timeouts_s[1] > 4
    await world.store.end(1, StoreUnavailableError("out"))
    assert (await first).rows
    for each in same:
        with pytest.raises(StoreUnavailableError):
            await each


async def test_operations_of_different_callers_share_a_query_of_the_gateway() -> None:
    gateway = Gateway(so_many_at_once(4, 16))
    for name in NAMES:  # the documents are known then, and only the store takes time
        await gateway.post(TOTALS.replace("alice", name))
    gateway.now_s += 100
    gateway.store.plans.clear()
    gateway.store.may_answer = asyncio.Event()
    asking = [asyncio.create_task(gateway.post(TOTALS.replace("alice", name))) for name in NAMES]
    await settle()
    gateway.store.may_answer.set()
    assert all(not answer.json().get("errors") for answer in await asyncio.gather(*asking))
    accounts = [
        set(plan.account_ids or ()) for plan in gateway.store.plans if isinstance(plan, TotalsPlan)
    ]
    assert accounts == [{NAMES[0]}, {NAMES[1]}, set(NAMES[2:])]
    assert await gateway.metric('gateway_gathering_total{of="queries"}') == 1


async def test_those_who_share_a_query_take_one_place_when_the_store_is_busy() -> None:
    for most_accounts, answered in ((1, 2), (16, len(NAMES))):
        gateway = Gateway(so_many_at_once(1, most_accounts))
        for name in NAMES:
            await gateway.post(TOTALS.replace("alice", name))
        gateway.now_s += 100
        gateway.store.may_answer = asyncio.Event()
        asking = []
        for name in NAMES:
            asking.append(asyncio.create_task(gateway.post(TOTALS.replace("alice", name))))
            await settle()
        gateway.store.may_answer.set()
        statuses = [answer.status_code for answer in await asyncio.gather(*asking)]
        assert statuses.count(200) == answered
        assert statuses.count(503) == len(NAMES) - answered
