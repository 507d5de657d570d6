"""A world of operations whose totals are gathered, on a store of parts that break, and what must hold in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from gateway.errors import DeadlineExceededError, StoreUnavailableError
from gateway.gathering import APART_S, Gathering
from gateway.model import Direction, Interval
from gateway.query_plan import QueryPlan, TotalsPlan, TotalsRow
from gateway.store import StoreResult
from tests.scopes import of
from tests.simulation.cache_world import now_s

MOST_ACCOUNTS, LARGEST_PLAN = 4, 3
BUSY_FROM = 2
WAIT_S, TIMEOUT_S = 0.02, 1.5
SOON_S = 1e-6
PARTS = 3
WEATHER = ("up", "slow", "slow", "partly", "down", "hanging", "one hangs")
WINDOWS = (Interval(0, 1_000), Interval(0, 2_000))
HUNG = "hung"
"""An account that is never answered for in some weather."""


@dataclass
class PartedStore:
    """Answers with what the clock says at the start of a query; may be up, slow, hanging, down or partly down."""

    chance: Random
    sample_data: bool = False
    weather: str = "up"
    changed_s: dict[str, float] = field(default_factory=dict)
    alike: Counter[Interval] = field(default_factory=Counter)
    begun_s: dict[str, float] = field(default_factory=dict)
    asked_s: dict[str, float] = field(default_factory=dict)
    asked_by: dict[str, int] = field(default_factory=dict)
    busy_until_s: float = float("-inf")
    failed_s: float = float("-inf")
    faults: list[str] = field(default_factory=list)
    """What was wrong with a question; an error would be taken for the store's own."""
    ended_s: dict[Interval, float] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Whether plans may wait for others."""
        return self.alike.total() >= BUSY_FROM

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def turn(self, weather: str) -> None:
        """A change of the weather; until when each lasted is remembered."""
        self.changed_s[self.weather] = now_s()
        self.weather = weather

    def was(self, weather: str, since_s: float) -> bool:
        """Whether there has been such weather since then."""
        return self.weather == weather or self.changed_s.get(weather, -1) >= since_s

    def note(self, accounts: Sequence[str], operation: int) -> None:
        """Who asks about what now."""
        self.asked_s |= dict.fromkeys(accounts, now_s())
        self.asked_by |= dict.fromkeys(accounts, operation)

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        assert timeout_s > 0
        assert isinstance(plan, TotalsPlan)
        assert plan.account_ids is not None
        several = len({self.asked_by[each] for each in plan.account_ids if own(each)}) > 1
        apart = now_s() < self.failed_s + APART_S - SOON_S and now_s() > self.failed_s + SOON_S
        self._must(not (several and apart), "asked together though that has just failed")
        self._check_wait(plan.account_ids, plan.interval)
        began_s = now_s()
        self.alike[plan.interval] += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._take(plan.account_ids)
        except TimeoutError as error:
            self.failed_s = now_s() if several else self.failed_s
            raise DeadlineExceededError("too slow") from error
        except StoreUnavailableError:
            self.failed_s = now_s() if several else self.failed_s
            raise
        finally:
            if self.is_busy:
                self.busy_until_s = now_s()
            self.alike[plan.interval] -= 1
            self.ended_s[plan.interval] = now_s()
        rows = tuple(_row(each, began_s) for each in plan.account_ids)
        return StoreResult(rows, 0, len(plan.account_ids))

    def _must(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(f"{fault} at {now_s():.6f}")

    def _check_wait(self, accounts: frozenset[str], window: Interval) -> None:
        self._must(len(accounts) <= MOST_ACCOUNTS, "more together than allowed")
        new = [each for each in accounts if own(each) and each not in self.begun_s]
        waited_s = [now_s() - self.asked_s[each] for each in new]
        self.begun_s |= dict.fromkeys(accounts, now_s())
        if not new or max(waited_s) < SOON_S:
            return
        self._must(max(waited_s) <= WAIT_S + SOON_S, "kept waiting for others")
        if len(new) == len(accounts):
            since_s = min(self.asked_s[each] for each in new)
            was_busy = self.is_busy or self.busy_until_s >= since_s
            self._must(was_busy, "waited though there was room")
        just_ended = now_s() - self.ended_s.get(window, 0.0) < SOON_S
        self._must(just_ended or self.alike[window] > 0, "waited for nothing")

    async def _take(self, accounts: frozenset[str]) -> None:
        if self.weather == "hanging" or (self.weather == "one hangs" and HUNG in accounts):
            await asyncio.Event().wait()
        await asyncio.sleep(self.chance.randrange(40 if self.weather == "slow" else 5) / 100)
        if self.weather == "down":
            raise StoreUnavailableError("down")
        if self.weather == "partly" and any(part_of(each) == 0 for each in accounts):
            raise StoreUnavailableError("a part is down")


@dataclass
class GatheringWorld:
    """Operations that come in bursts, ask for totals, and some leave."""

    seed: int
    answered: int = 0

    async def run(self) -> int:
        """Live through it; how many plans were answered. Raises AssertionError if something broke."""
        chance = Random(self.seed)
        store = PartedStore(chance)
        gathering = Gathering(
            store, lambda: store.is_busy, lambda: None, MOST_ACCOUNTS, WAIT_S, now_s, lambda _: None
        )
        weather = asyncio.ensure_future(self._weather(chance, store))
        serial = iter(range(1 << 30))
        await asyncio.gather(
            *(self._operation(chance, gathering, store, serial) for _ in range(50))
        )
        weather.cancel()
        for _ in range(4):
            await asyncio.sleep(0)
        assert not store.faults, store.faults[0]
        assert gathering.saved == 0, "somebody is counted who has left"
        assert store.alike.total() == 0, "the store is asked for nobody"
        return self.answered

    async def _weather(self, chance: Random, store: PartedStore) -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            store.turn(chance.choice(WEATHER))

    async def _operation(
        self, chance: Random, gathering: Gathering, store: PartedStore, serial: Iterator[int]
    ) -> None:
        for _ in range(chance.randrange(2, 12)):
            await asyncio.sleep(chance.choice((0, 0, 1, 2, 60)) * chance.randrange(2) / 100)
            part, operation = chance.randrange(PARTS), next(serial)
            accounts = {f"{part}-{next(serial)}" for _ in range(chance.randrange(1, LARGEST_PLAN))}
            if chance.random() < 0.3:
                accounts.add(chance.choice((HUNG, f"{part}-all", f"{part}-all")))
            window = chance.choice(WINDOWS)
            plan = TotalsPlan(of(*accounts), frozenset({Direction.RECEIVED}), window)
            began_s = now_s()
            store.note([each for each in accounts if own(each)], operation)
            try:
                result = await self._fetch(chance, gathering, plan)
            except DeadlineExceededError:
                mine = store.was("one hangs", began_s) and HUNG in accounts
                assert mine or store.was("hanging", began_s), "an answer was not waited for"
            except StoreUnavailableError:
                mine = store.was("partly", began_s) and part == 0
                assert mine or store.was("down", began_s), "failed with another's part"
            else:
                self._check(result, plan, began_s)
            assert gathering.saved >= 0, "more queries than plans"
            assert now_s() - began_s <= TIMEOUT_S + SOON_S, "kept waiting past its deadline"

    async def _fetch(
        self, chance: Random, gathering: Gathering, plan: TotalsPlan
    ) -> StoreResult[TotalsRow] | None:
        asking = asyncio.create_task(gathering.fetch(plan, TIMEOUT_S))
        await asyncio.wait({asking}, timeout=chance.choice((0, 0.01, 0.05, 9, 9, 9)))
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})
        return None if asking.cancelled() else asking.result()

    def _check(
        self, result: StoreResult[TotalsRow] | None, plan: TotalsPlan, began_s: float
    ) -> None:
        if result is None:
            return
        self.answered += 1
        assert plan.account_ids is not None
        found = {row.account_id for row in result.rows}
        assert found == plan.account_ids, "somebody else's rows, or too few"
        oldest_s = min(row.transaction_count for row in result.rows) / 1e6
        assert oldest_s >= began_s - SOON_S, "rows of before the question"
        assert result.snapshot in (0, len(plan.account_ids)), "somebody else's snapshot"


def own(account_id: str) -> bool:
    """Whether nobody else ever asks about an account."""
    return account_id != HUNG and not account_id.endswith("-all")


def part_of(account_id: str) -> int:
    """The part of the store that holds an account."""
    return PARTS - 1 if account_id == HUNG else int(account_id.partition("-")[0])


def _row(account_id: str, at_s: float) -> TotalsRow:
    return TotalsRow(account_id, Direction.RECEIVED, round(at_s * 1e6), Decimal(1))
