"""A world of clients around two caches with one second level, and what must hold in it always."""

from __future__ import annotations

import asyncio
import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.analytics.field_class import FieldClass
from gateway.process.signing import Signer
from gateway.response_cache import key
from gateway.response_cache.ages import Ages, Lifetime
from gateway.response_cache.cache import Computed, ResponseCache, Served, Status
from gateway.response_cache.entry import OVERHEAD_BYTES
from gateway.response_cache.key import Key
from gateway.response_cache.second_level import Found, SecondLevel

LIFETIMES = Ages(
    pipeline=Lifetime(0.25, 0.0),
    live=Lifetime(0.5, 0.25),
    closed=Lifetime(2.0, 0.5),
    fixed=Lifetime(30.0, 0.0),
    rescue_s=8.0,
    budget_s=1.5,
)
CLASSES = tuple(FieldClass)
SLOWEST_S = 2.0
SHARED_SLOWEST_S = 0.3
SIGNER = Signer([b"simulation"], b"answer")
MAX_BYTES = 9 * (OVERHEAD_BYTES + 100)
CALLERS = ("alice", "bob", "carol")
QUESTIONS = ("top", "totals", "series", "flow")
TRUE_FOR_S = {"series": 1.25, "flow": 4.0}
"""How long after it is asked a question still means the same; the others always do."""


class NoCounts:
    """Counts nothing."""

    def lookup(self, result: str) -> None:
        pass

    def evicted(self, entries: int) -> None:
        pass


@dataclass
class SharedModel:
    """A Redis that is slow, down, forgetful, or gives the reply that another command left."""

    chance: Random
    kept: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    last: bytes | None = None
    ahead_s: float = 1e9

    async def get(self, key: str, most_bytes: int) -> Found:
        await self._trouble()
        value, until_s = self.kept.get(key, (b"", 0.0))
        if not value or now_s() > until_s:
            return Found(b"", self._clock_s())
        if self.last is not None and self.chance.random() < 0.1:
            value = self.last
        self.last = value
        return Found(value, self._clock_s())

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        await self._trouble()
        self.kept[key] = (value, now_s() + ttl)

    async def close(self) -> None:
        pass

    def _clock_s(self) -> float:
        return now_s() + self.ahead_s

    async def _trouble(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, SHARED_SLOWEST_S))
        if self.chance.random() < 0.1:
            raise RedisConnectionError


@dataclass
class CacheWorld:
    """Clients that ask, leave and come back, while the store is slow, down, or up again."""

    seed: int
    key_of: Callable[[str, str], Key] = lambda caller, question: (
        (caller, None, True),
        key.digest(question, None, {}),
    )
    making: dict[tuple[str, str], set[asyncio.Task[Any]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    served: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.skew_s = self.chance.choice((0.0, 0.0, self.chance.uniform(-3, 3)))
        self.down = False

    async def run(self) -> int:
        """Live through it; how many answers were served. Raises AssertionError if something broke."""
        shared = SharedModel(self.chance)
        caches = [self._cache(shared, skew_s) for skew_s in (0.0, self.skew_s)]
        weather = asyncio.ensure_future(self._weather())
        clients = [self._client(self.chance.choice(caches)) for _ in range(8)]
        await asyncio.gather(*clients)
        weather.cancel()
        await asyncio.sleep(SLOWEST_S * 2)
        for cache in caches:
            assert cache.flights == 0, "a flight never landed"
            await cache.close()
        return self.served

    def _cache(self, shared: SharedModel, skew_s: float) -> ResponseCache[str]:
        def epoch_s() -> float:
            return now_s() + 1e9 + skew_s

        second = SecondLevel(shared, SIGNER, now_s, epoch_s, lambda _: None)
        return ResponseCache(MAX_BYTES, LIFETIMES, now_s, epoch_s, NoCounts(), second)

    async def _weather(self) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0.5, 5))
            self.down = not self.down

    async def _client(self, cache: ResponseCache[str]) -> None:
        for _ in range(self.chance.randrange(5, 25)):
            await asyncio.sleep(self.chance.choice((0, 0.01, 0.3, 2)) * self.chance.random())
            caller, question = self.chance.choice(CALLERS), self.chance.choice(QUESTIONS)
            pressed = self.chance.random() < 0.3
            asking = asyncio.ensure_future(self._ask(cache, caller, question, pressed))
            patience_s = self.chance.choice((0.05, 1, 60))
            began_s = now_s()
            done, _ = await asyncio.wait({asking}, timeout=patience_s)
            if not done:
                asking.cancel()
                await asyncio.wait({asking})
                assert asking.cancelled(), "a client that left was answered"
            else:
                assert not asking.cancelled(), "one that left took another's answer away"
                self._check(cache, caller, question, asking.result(), pressed)
            assert now_s() - began_s <= SLOWEST_S + 2 * SHARED_SLOWEST_S, "kept waiting"

    async def _ask(
        self, cache: ResponseCache[str], caller: str, question: str, pressed: bool
    ) -> Served[str]:
        made_for = (caller, question)

        async def compute() -> Computed[str]:
            me = asyncio.current_task()
            assert me is not None
            # The two processes do not know of each other's flights; each has one a key.
            others = [
                task
                for task in self.making[made_for]
                if not task.cancelling() and task.get_name() == str(id(cache))
            ]
            assert not others, "two flights of one key"
            me.set_name(str(id(cache)))
            self.making[made_for].add(me)
            try:
                return await self._make(caller, question)
            finally:
                self.making[made_for].discard(me)

        asked = self.key_of(caller, question)
        ready = cache.fresh(asked)
        if ready is not None:
            return Served(Status.HIT, ready, None)
        return await cache.answer(asked, compute, pressed=pressed)

    async def _make(self, caller: str, question: str) -> Computed[str]:
        began_s = now_s()
        await asyncio.sleep(self.chance.uniform(0, SLOWEST_S))
        if self.down or self.chance.random() < 0.1:
            return Computed(f"error for {caller}", store_failed=True)
        field_class = CLASSES[QUESTIONS.index(question) % len(CLASSES)]
        body = {"caller": caller, "question": question, "began": began_s, "landed": now_s()}
        true_for_s = TRUE_FOR_S.get(question, math.inf)
        content = json.dumps(body).encode()
        return Computed("ok", content, field_class, caller.encode(), true_for_s=true_for_s)

    def _check(
        self,
        cache: ResponseCache[str],
        caller: str,
        question: str,
        served: Served[str],
        pressed: bool,
    ) -> None:
        self.served += 1
        assert cache.kept.bytes <= MAX_BYTES, "more kept than allowed"
        assert cache.kept.bytes >= len(cache.kept) * OVERHEAD_BYTES, "the account is wrong"
        if served.entry is None:
            assert served.told == f"error for {caller}", "neither an answer nor its own error"
            return
        body = json.loads(served.entry.body)
        assert "caller" in body, "an error was kept"
        assert (body["caller"], body["question"]) == (caller, question), "another's answer"
        field_class = CLASSES[QUESTIONS.index(question) % len(CLASSES)]
        lifetime, now = LIFETIMES.of(field_class), now_s()
        since_landed_s, age_s = now - body["landed"], now - body["began"]
        allowed = {
            Status.HIT: lifetime.fresh_s,
            Status.SHARED: lifetime.fresh_s,
            Status.STALE: lifetime.fresh_s + lifetime.stale_s,
            Status.RESCUED: float("inf"),
        }
        slack_s = 1e-6
        if served.status is Status.STALE and pressed and age_s <= LIFETIMES.budget_s + slack_s:
            assert field_class is not FieldClass.PIPELINE or since_landed_s <= 0.25 + slack_s, (
                "state"
            )
            allowed[Status.STALE] = math.inf
        assert since_landed_s <= allowed.get(served.status, 0.0) + slack_s, "too old"
        if served.status is Status.RESCUED:
            limit_s = max(LIFETIMES.rescue_s, lifetime.fresh_s + lifetime.stale_s + SLOWEST_S)
            assert age_s <= limit_s + slack_s, "too old even for an outage"
        if served.status not in (Status.MISS, Status.COALESCED):
            assert age_s <= TRUE_FOR_S.get(question, math.inf) + slack_s, "no longer true"
        # Whatever two machines' clocks say, a shared answer is told no younger than it is.
        wrong_s = served.entry.age_s(now) - age_s
        assert -1 - slack_s <= wrong_s <= SHARED_SLOWEST_S + slack_s, "a wrong age is told"


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
