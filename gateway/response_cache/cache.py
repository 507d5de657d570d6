"""The cache itself: a ready answer while it is fresh, else one flight that makes it anew.

Between fresh and its hard limit an answer is served stale while it is made anew; while the store
cannot answer, an answer younger than the limit for outages stands in. What failed, what is partial
and what could not be proven exact is given to those who waited for it, and never kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from gateway.analytics.field_class import FieldClass
from gateway.process.bounded_store import BoundedStore
from gateway.process.clock import EpochS, Monotonic
from gateway.response_cache import ages as ages_module
from gateway.response_cache import entry as entries
from gateway.response_cache.ages import Ages
from gateway.response_cache.entry import Entry
from gateway.response_cache.flight import Flights
from gateway.response_cache.key import Key, shared_name
from gateway.response_cache.second_level import SecondLevel

Told = TypeVar("Told")


RENEWALS_IF_PRESSED = 4


class Status(Enum):
    """How an answer came about."""

    HIT = "hit"
    STALE = "stale"
    RESCUED = "rescued"
    MISS = "miss"
    COALESCED = "coalesced"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Computed(Generic[Told]):
    """What a flight made.

    `told`: for those who waited. `body`: what may be kept, if it may. `group`: answers of one group
    expire together. `store_failed`: an older answer may stand in; `turned_away`: because too much is
    asked of the store, so that it must be within the budget. `true_for_s`: how long after it was
    asked for the question still means the same, as "yesterday" does up to midnight. `age_s`: how long
    before that the oldest of what it is made of was asked for.
    """

    told: Told
    body: bytes | None = None
    field_class: FieldClass = FieldClass.LIVE
    group: bytes = b""
    store_failed: bool = False
    turned_away: bool = False
    true_for_s: float = math.inf
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Served(Generic[Told]):
    """An answer to send: a kept one (`entry`), or one just made (`told`), or both."""

    status: Status
    entry: Entry | None
    told: Told | None


class Counts(Protocol):
    """What the cache counts."""

    def lookup(self, result: str) -> None:
        """One answer was served, and how."""
        ...

    def evicted(self, entries: int) -> None:
        """Answers made room for others."""
        ...


Compute = Callable[[], Coroutine[Any, Any, Computed[Told]]]


@dataclass(frozen=True, slots=True)
class _Landed(Generic[Told]):
    """What came out of a flight: an entry, and what was made if it did not come from elsewhere.

    `true_until_s`: whoever asks later asks something else.
    """

    entry: Entry | None
    computed: Computed[Told] | None
    true_until_s: float = math.inf


class ResponseCache(Generic[Told]):
    """Answers by key; `Told` is what a computation says besides."""

    def __init__(
        self,
        max_bytes: int,
        ages: Ages,
        monotonic: Monotonic,
        epoch_s: EpochS,
        counts: Counts,
        second: SecondLevel | None = None,
        generation: bytes = b"",
    ) -> None:
        self._kept: BoundedStore[Entry] = BoundedStore(max_bytes, counts.evicted)
        self._flights: Flights[_Landed[Told]] = Flights()
        self._ages = ages
        self._monotonic = monotonic
        self._epoch_s = epoch_s
        self._counts = counts
        self._second = second
        self._generation = generation

    @property
    def kept(self) -> BoundedStore[Entry]:
        """What is kept in this process."""
        return self._kept

    @property
    def flights(self) -> int:
        """How many answers are being made."""
        return len(self._flights)

    def fresh(self, key: Key, since_s: float | None = None) -> Entry | None:
        """The answer that may be served as it is; any that was asked for at `since_s` or later may.

        But for what nothing stands in for: the pipeline's state, and a period that has turned.
        """
        entry = self._kept.get(key)
        if entry is None:
            return None
        recent = since_s is not None and entry.born_s >= since_s
        if self._monotonic() < (entry.rescue_until_s if recent else entry.fresh_until_s):
            self._counts.lookup("hit")
            return entry
        return None

    def is_being_made(self, key: Key) -> bool:
        """Whether to ask for the answer is to wait for a flight that has begun."""
        return key in self._flights

    def instead(self, key: Key, told: Told) -> Served[Told]:
        """The answer where none may be made now: one within the budget, or what is told."""
        entry = self._kept.get(key)
        if entry is None or self._monotonic() >= self._in_budget_until_s(entry):
            return self._served(Status.MISS, None, told)
        return self._served(Status.STALE, entry, None)

    async def answer(
        self, key: Key, compute: Compute[Told], *, pressed: bool = False
    ) -> Served[Told]:
        """The answer: kept, stale, or made by one flight for all who ask meanwhile.

        `pressed`: more is asked of the store than it can answer at once. Then what is within the budget
        is served, and few at a time are made anew; who is asked for most often is the likeliest of them.
        """
        entry = self._kept.get(key)
        now_s = self._monotonic()
        if entry is not None and now_s < self._served_until_s(entry, pressed=pressed):
            if now_s < entry.fresh_until_s:
                return self._served(Status.HIT, entry, None)
            if not pressed or self._flights.renewals < RENEWALS_IF_PRESSED:
                self._flights.refresh(key, lambda: self._land(key, compute))
            return self._served(Status.STALE, entry, None)
        landed, leads = await self._flights.join(key, lambda: self._land(key, compute))
        while landed.true_until_s <= now_s and not leads:
            landed, leads = await self._flights.join(key, lambda: self._land(key, compute))
        if landed.computed is None:
            return self._served(Status.SHARED, landed.entry, None)
        if landed.computed.store_failed:
            if landed.computed.turned_away:
                return self.instead(key, landed.computed.told)
            older = self._kept.get(key)
            if older is not None and self._monotonic() < older.rescue_until_s:
                return self._served(Status.RESCUED, older, landed.computed.told)
        status = Status.MISS if leads else Status.COALESCED
        return self._served(status, landed.entry, landed.computed.told)

    def _served_until_s(self, entry: Entry, *, pressed: bool) -> float:
        return self._in_budget_until_s(entry) if pressed else entry.stale_until_s

    def _in_budget_until_s(self, entry: Entry) -> float:
        """Never past what may stand in at all, which nothing may of the pipeline's state."""
        until_s = max(entry.stale_until_s, entry.born_s + self._ages.budget_s)
        return min(until_s, entry.rescue_until_s)

    async def close(self) -> None:
        """Stop making answers, and leave the second level."""
        await self._flights.close()
        if self._second is not None:
            await self._second.close()

    def _served(self, status: Status, entry: Entry | None, told: Told | None) -> Served[Told]:
        self._counts.lookup(status.value)
        return Served(status, entry, told)

    async def _land(self, key: Key, compute: Compute[Told]) -> _Landed[Told]:
        if self._second is not None:
            shared = await self._second.get(shared_name(self._generation, key))
            if shared is not None and self._adopt(key, shared):
                return _Landed(shared, None)
        born_s, born_epoch_s = self._monotonic(), self._epoch_s()
        computed = await compute()
        age_s = computed.age_s
        entry = self._entry(computed, born_s - age_s, born_epoch_s - age_s)
        if entry is not None and self._monotonic() < entry.rescue_until_s:
            self._kept.put(key, entry, entry.size)
            if self._second is not None:
                self._second.put(shared_name(self._generation, key), entry)
        return _Landed(entry, computed, born_s + computed.true_for_s)

    def _adopt(self, key: Key, shared: Entry) -> bool:
        """Keep what another process made, if it is newer; whether it is fresh."""
        mine, now_s = self._kept.get(key), self._monotonic()
        if now_s < shared.rescue_until_s and (mine is None or mine.born_s < shared.born_s):
            self._kept.put(key, shared, shared.size)
        return now_s < shared.fresh_until_s

    def _entry(self, computed: Computed[Told], born_s: float, born_epoch_s: float) -> Entry | None:
        if computed.body is None:
            return None
        lifetime = self._ages.of(computed.field_class)
        phase = ages_module.phase_of(computed.group)
        return entries.make(
            computed.body,
            born_s,
            ages_module.fresh_for_s(lifetime.fresh_s, phase, born_epoch_s),
            lifetime.stale_s,
            self._ages.rescue_of(computed.field_class),
            math.ceil(lifetime.fresh_s),
            computed.true_for_s + computed.age_s,
        )
