"""A world where some ask far more than their share: what the others must not notice of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from random import Random

from gateway.response_cache.flight import Flights
from gateway.store.overload.gate import Gate
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party
from gateway.store.overload.shedding import Shedding
from tests.simulation.cache_world import now_s

LONGEST_S = 0.1
"""A query takes this long at most."""
ENDS_S = 2.0


@dataclass
class FairWorld:
    """Hogs, and modest callers who ask one thing at a time, before a gate of fixed width."""

    seed: int
    answered: int = 0
    flights: Flights[None] = field(default_factory=Flights)
    sizes: dict[Hashable, int] = field(default_factory=dict)
    """Of what is in flight: how many queries."""

    async def run(self) -> int:
        """Live through it; how many operations of the modest were answered. Raises AssertionError."""
        self.chance = Random(self.seed)
        width = self.chance.randrange(1, 5)
        self.gate = Gate(AdaptiveLimit(width, width, width), now_s)
        self.shedding = Shedding(self.gate, LoopLag(now_s, 1.0), lambda _: None)
        # Each of so many has a share of one place at least.
        payers = self.chance.randrange(2, 2 * width + 1)
        hogs = self.chance.randrange(1, payers)
        self.rounds = math.ceil(payers / width)
        """Of queries: after so many whoever waits with nothing running has had a turn."""
        greedy = [asyncio.ensure_future(self._hog(f"hog {number}")) for number in range(hogs)]
        await asyncio.gather(*(self._modest(f"modest {n}") for n in range(payers - hogs)))
        for each in greedy:
            each.cancel()
        await asyncio.gather(*greedy, return_exceptions=True)
        assert (self.gate.running, self.gate.queued) == (0, 0), "a place was never given back"
        assert self.shedding.begun == 0, "an operation never ended"
        return self.answered

    async def _hog(self, payer: str) -> None:
        async def greedy(number: int) -> None:
            while True:
                await asyncio.sleep(self.chance.random() * LONGEST_S)
                key = payer, number, now_s()
                if self.shedding.refusal(key, payer) is None:
                    await self._ask(key, payer, self.chance.choice((1, 2, 40)))

        await asyncio.gather(*(greedy(number) for number in range(self.chance.randrange(1, 8))))

    async def _modest(self, payer: str) -> None:
        while now_s() < 1_000 + ENDS_S:
            await asyncio.sleep(self.chance.choice((0, 1, 5)) * LONGEST_S * self.chance.random())
            others = list(self.sizes)
            joins = bool(others) and self.chance.random() < 0.5
            key = self.chance.choice(others) if joins else (payer, now_s())
            assert self.shedding.refusal(key, payer) is None, "turned away for what others ask"
            queries = self.sizes[key] if joins else 1
            began_s = now_s()
            patience_s = self.chance.choice((0.01, 99, 99))
            try:
                async with asyncio.timeout(patience_s):
                    await self._ask(key, payer, queries)
            except TimeoutError:
                await asyncio.sleep(0.001)  # what was given up has ended
                continue
            allowed_s = (queries * self.rounds + 1 + (queries > 1)) * LONGEST_S
            assert now_s() - began_s <= allowed_s + 1e-6, "waited for more than his turns"
            self.answered += 1

    async def _ask(self, key: Hashable, payer: str, queries: int) -> None:
        with self.shedding.beginning(key, payer) as party:
            await self.flights.join(key, lambda: self._fly(key, party, queries))

    async def _fly(self, key: Hashable, party: Party, queries: int) -> None:
        self.sizes[key] = queries
        try:
            if queries > 1:  # it asks later than it has begun
                await asyncio.sleep(self.chance.choice((0, LONGEST_S)))
            async with asyncio.TaskGroup() as group:
                for _ in range(queries):
                    group.create_task(self.gate.run(party, None, self._query))
        finally:
            self.sizes.pop(key, None)

    async def _query(self) -> None:
        await asyncio.sleep(self.chance.choice((0.5, 1.0)) * LONGEST_S)
