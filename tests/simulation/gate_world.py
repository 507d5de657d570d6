"""A world of callers before a gate, a breaker and a store that breaks, and what must hold in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import EntryCountPlan
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import DeadlineExceededError, OverloadedError, StoreError, StoreUnavailableError
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party
from gateway.store.overload.shedding import Shedding
from gateway.store.overload.store import AdmittedStore, PartyStore
from tests.scopes import NETWORK
from tests.simulation.cache_world import now_s

LEAST, MOST, START = 1, 6, 3
FAILURES, REST_S = 4, 0.5
TIMEOUT_S = 1.0
LATE_S = 0.02
PAYERS = ("alice", "bob", "carol")


@dataclass
class ModelStore:
    """A store with weather: up, slow, hanging or down."""

    chance: Random
    sample_data: bool = False
    weather: str = "up"
    running: int = 0
    most: int = 0
    failures: int = 0
    called_s: list[float] = field(default_factory=list)
    asking: set[asyncio.Task[Any]] = field(default_factory=set)
    leaving: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        assert timeout_s > 0
        if self.failures >= FAILURES:
            since_s = [now_s() - at_s for at_s in self.called_s[-1:]]
            assert all(each > REST_S - 1e-6 for each in since_s), "an open breaker let it through"
        self.called_s.append(now_s())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._take()
        except StoreUnavailableError:
            self.failures += 1
            self.called_s.append(now_s())
            raise
        finally:
            self.running -= 1
            if self.chance.random() < 0.2:
                leaving = asyncio.ensure_future(self._somebody_leaves())
                self.leaving.add(leaving)
                leaving.add_done_callback(self.leaving.discard)
        self.failures = 0
        return StoreResult((), 0)

    async def _somebody_leaves(self) -> None:
        """Some steps after a call has ended: it may just be the turn of who leaves."""
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        waiting = sorted(self.asking, key=lambda task: int(task.get_name()))
        if waiting:
            self.chance.choice(waiting).cancel()

    async def _take(self) -> None:
        if self.weather == "hanging":
            await asyncio.Event().wait()
        # On a grid, so that things happen at the same instant.
        await asyncio.sleep(self.chance.randrange(40 if self.weather == "slow" else 5) / 100)
        if self.weather == "down":
            raise StoreUnavailableError("down")


@dataclass
class GateWorld:
    """Callers that come in bursts, wait, and leave."""

    seed: int
    answered: int = 0
    calls: int = 0
    refusals: list[str] = field(default_factory=list)
    begun: Counter[Any] = field(default_factory=Counter)
    waiting: Counter[tuple[Any, str]] = field(default_factory=Counter)
    """By key and payer."""

    async def run(self) -> int:
        """Live through it; how many calls were answered. Raises AssertionError if something broke."""
        chance = Random(self.seed)
        store = ModelStore(chance)
        gate = Gate(AdaptiveLimit(LEAST, MOST, START), now_s)
        admitted = AdmittedStore(store, gate, Breaker(FAILURES, REST_S, now_s), now_s)
        weather = asyncio.ensure_future(self._weather(chance, store))
        lag = LoopLag(now_s, LATE_S)
        shedding = Shedding(gate, lag, self.refusals.append)
        lag.start()
        callers = (self._caller(chance, admitted, store, shedding) for _ in range(30))
        await asyncio.gather(*callers)
        lag.stop()
        weather.cancel()
        assert shedding.begun == 0, "an operation never ended"
        assert (gate.running, gate.queued) == (0, 0), "a place was never given back"
        await self._recovers(admitted, store)
        return self.answered

    async def _weather(self, chance: Random, store: ModelStore) -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.2, 2))
            store.weather = chance.choice(("up", "up", "slow", "down", "hanging"))

    async def _begin(
        self, chance: Random, admitted: AdmittedStore, store: ModelStore, shedding: Shedding
    ) -> None:
        key, payer = chance.choice((object(), "a", "b")), chance.choice(PAYERS)
        shared, refusals = key in self.begun, len(self.refusals)
        refusal = shedding.refusal(key, payer)
        assert refusal is None or not shared, "who only joins was turned away"
        if refusal is not None:
            assert len(self.refusals) == refusals + 1, "a refusal was not counted"
            raise refusal
        # The limit may have shrunk since the others began.
        is_over = not shared and len(self.begun) >= admitted.gate.room
        holders = {each for _, each in self.waiting} | {payer}
        own = {of for of, each in self.waiting if each == payer}
        share = admitted.gate.room // len(holders)
        assert not is_over or len(own) < share, "more begun than can wait"
        self.begun[key] += 1
        self.waiting[key, payer] += 1
        try:
            with shedding.beginning(key, payer) as party:
                PartyStore(admitted, party).admit(EntryCountPlan(NETWORK))
                patience_s = chance.choice((0.01, 0.03, 0.3, 9))
                self.answered += await self._fetch(admitted, store, party, patience_s)
        finally:
            self.begun[key] -= 1
            self.waiting[key, payer] -= 1
            self.begun += Counter()  # forgets what is at zero
            self.waiting += Counter()

    async def _caller(
        self, chance: Random, admitted: AdmittedStore, store: ModelStore, shedding: Shedding
    ) -> None:
        for _ in range(chance.randrange(2, 12)):
            await asyncio.sleep(chance.choice((0, 0, 1, 5, 100)) * chance.randrange(2) / 100)
            began_s = now_s()
            try:
                await self._begin(chance, admitted, store, shedding)
            except OverloadedError:
                assert now_s() == began_s, "a refusal took time"
            except (StoreError, TimeoutError):
                pass
            assert now_s() - began_s <= TIMEOUT_S + 1e-6, "kept waiting past its deadline"
            assert admitted.gate.running >= store.running, "the gate lost count"
            assert store.most <= MOST, "more at once than ever allowed"
            assert LEAST <= admitted.gate.limit <= MOST, "the limit left its bounds"
            idle = admitted.gate.queued and admitted.gate.running < admitted.gate.limit
            assert not idle, "somebody waits though there is room"

    async def _fetch(
        self, admitted: AdmittedStore, store: ModelStore, party: Party, patience_s: float
    ) -> bool:
        self.calls += 1
        asking = asyncio.create_task(
            admitted.fetch(EntryCountPlan(NETWORK), TIMEOUT_S, party), name=str(self.calls)
        )
        store.asking.add(asking)
        try:
            await asyncio.wait({asking}, timeout=patience_s)
        finally:
            store.asking.discard(asking)
            if not asking.done():
                asking.cancel()
                await asyncio.wait({asking})
        if asking.cancelled():
            return False
        asking.result()
        return True

    async def _recovers(self, admitted: AdmittedStore, store: ModelStore) -> None:
        """Once the store is well, so are the answers, after a rest at most."""
        store.weather = "up"
        await asyncio.sleep(REST_S + 0.1)
        for _ in range(3):
            try:
                await admitted.fetch(EntryCountPlan(NETWORK), TIMEOUT_S)
            except (StoreUnavailableError, DeadlineExceededError) as error:
                raise AssertionError("a healthy store is not asked") from error
