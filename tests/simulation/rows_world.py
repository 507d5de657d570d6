"""A world of replicas that lag, restart and date rows by clocks of their own, and callers before the memory of rows."""

from __future__ import annotations

import asyncio
import uuid
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

from gateway.analytics import money
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Direction, Entry, Interval, RankBy, TransactionKind
from gateway.analytics.query_plan import EntriesPlan, QueryPlan, TopPlan, TotalsPlan
from gateway.errors import StoreError, StoreUnavailableError
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party
from gateway.store.overload.store import AdmittedStore, PartyStore
from gateway.store.rows.asked import AccountRows, Row, RowsPlan, id_bytes
from gateway.store.rows.held import SKEW_MS
from gateway.store.rows.store import Bounds, KeptRows, RowsStore
from tests.reference import evaluate
from tests.scopes import of
from tests.simulation.cache_world import now_s

ACCOUNTS = ("alice", "bob", "carol", "dave")
BOUNDS = Bounds(max_bytes=60_000, max_rows=60, days=30, fresh_s=0.25, budget_s=6.0)
DAY_MS = 86_400_000
MIDNIGHT_MS = 20_000 * DAY_MS
TIMEOUT_S = 2.0
MOST_AT_ONCE = 12
"""Store queries of all callers, two accounts' loads each."""

SEGMENT = 40
"""Rows of a segment: a replica that starts again has lost what is after the last whole one."""


def epoch_ms() -> int:
    return MIDNIGHT_MS + round(now_s() * 1_000)


@dataclass
class Replica:
    """Reads the log in order, and says when it took each row in, by a clock that is off."""

    off_ms: int
    stamps: list[int] = field(default_factory=list)

    @property
    def position(self) -> int:
        return len(self.stamps)

    def read(self, end: int, most: int) -> None:
        upto = min(end, self.position + most)
        self.stamps += [epoch_ms() + self.off_ms] * (upto - self.position)

    def restart(self) -> None:
        del self.stamps[self.position // SEGMENT * SEGMENT :]


@dataclass
class Pipeline:
    """The log, its replicas, and the proofs: before `as_of_ms` so many rows were there."""

    chance: Random
    sample_data: bool = False
    log: list[Entry] = field(default_factory=list)
    appended_ms: list[int] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)
    proofs: list[tuple[float, int, int]] = field(default_factory=list)
    """When published, as of when, and how many rows."""
    down: bool = False

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        _, as_of_ms, rows = self.proofs[-1]
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        if self.down:
            raise StoreUnavailableError("down")
        replica = self.chance.choice(self.replicas)
        if replica.position < rows:
            raise StoreUnavailableError("it has not caught up")
        position = replica.position
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        if not isinstance(plan, RowsPlan):
            found = evaluate(plan, self.log[:position])
            return StoreResult(tuple(found), as_of_ms, position)
        stamps = replica.stamps[:position]
        if len(stamps) < position:
            raise StoreUnavailableError("it restarted meanwhile")
        told = [
            (entry.account_id, _row(entry, stamp))
            for entry, stamp in zip(self.log[:position], stamps, strict=True)
            if entry.account_id in plan.account_ids
            and entry.event_time_ms >= plan.start_ms
            and (plan.arrived_since_ms is None or stamp >= plan.arrived_since_ms)
        ]
        self.chance.shuffle(told)
        cut = len(told) >= plan.limit
        accounts = tuple(
            AccountRows(
                each, tuple(row for of_, row in told[: plan.limit] if of_ == each), position, cut
            )
            for each in plan.account_ids
        )
        return StoreResult(accounts, as_of_ms)

    def of(self, account_id: str, least: int) -> Iterator[list[Entry]]:
        """An account's entries at every moment from when the log had so many rows on."""
        found = [each for each in self.log[:least] if each.account_id == account_id]
        yield found
        for each in self.log[least:]:
            if each.account_id == account_id:
                found = [*found, each]
                yield found

    async def live(self) -> None:
        """Rows arrive, replicas read and restart, and what all have read is proven."""
        while True:
            await asyncio.sleep(self.chance.choice((0.05, 0.2, 0.7)))
            for _ in range(self.chance.choice((0, 0, 0, 0, 1))):
                self._append()
            end, at_ms = len(self.log), epoch_ms()
            for replica in self.replicas:
                replica.read(end, self.chance.choice((0, 1, 3, 100)))
                if self.chance.random() < 0.01:
                    replica.restart()
            if all(each.position >= end for each in self.replicas):
                self.proofs.append((now_s(), at_ms, end))
            self.down = self.chance.random() < 0.05

    def _append(self) -> None:
        now_ms, account = epoch_ms(), self.chance.choice(ACCOUNTS)
        late_ms = self.chance.choice((0, 0, 0, 5_000, 3_600_000, 20 * DAY_MS))
        entry = Entry(
            account,
            self.chance.choice(ACCOUNTS),
            self.chance.choice(tuple(Direction)),
            str(uuid.UUID(int=self.chance.getrandbits(128))),
            Decimal(self.chance.randrange(1, 10**9)) / 100,
            now_ms - late_ms,
        )
        if self.log and self.chance.random() < 0.1:
            entry = replace(
                entry,
                amount=-entry.amount,
                kind=TransactionKind.REVERSAL,
                reverses=self.chance.choice(self.log).transaction_id,
            )
        self.log.append(entry)
        self.appended_ms.append(now_ms)


def _row(entry: Entry, stamp: int) -> Row:
    back = entry.reverses
    return Row(
        entry.counterparty_id,
        entry.direction is Direction.SENT,
        id_bytes(entry.transaction_id) or b"",
        money.to_units(entry.amount),
        entry.event_time_ms,
        entry.kind is TransactionKind.REVERSAL,
        b"" if back is None else id_bytes(back) or b"",
        stamp,
    )


@dataclass
class RowsWorld:
    """Callers that ask about a few accounts, leave and come back minutes later."""

    seed: int
    answered: int = 0

    async def run(self) -> int:
        """Live through it; how many answers were given. Raises AssertionError if something broke."""
        self.chance = Random(self.seed)
        skew_ms = SKEW_MS * 9 // 10
        pipeline = Pipeline(self.chance)
        pipeline.replicas = [Replica(self.chance.randint(-skew_ms, skew_ms)) for _ in range(2)]
        pipeline.proofs.append((now_s(), epoch_ms(), 0))
        places = self.chance.choice((1, 1, 2, 20))
        gate = Gate(AdaptiveLimit(places, places, places), now_s)
        behind = AdmittedStore(pipeline, gate, Breaker(1_000, 0.5, now_s), now_s)
        self.sources: list[str] = []
        bounds = replace(BOUNDS, max_rows=self.chance.choice((15, 60, 60)))
        kept = KeptRows(behind, bounds, epoch_ms, now_s, self.sources.append)
        living = asyncio.ensure_future(pipeline.live())
        await asyncio.gather(*(self._caller(pipeline, kept, behind) for _ in range(6)))
        living.cancel()
        await asyncio.sleep(TIMEOUT_S)
        assert not kept._making, "what nobody waits for goes on"
        assert (gate.running, gate.queued) == (0, 0), "a store query never ended"
        return self.answered

    async def _caller(self, pipeline: Pipeline, kept: KeptRows, behind: AdmittedStore) -> None:
        chance = self.chance
        for _ in range(chance.randrange(5, 20)):
            # Often at the same instants, so that some have to wait before the store.
            pause_s = chance.choice((0, 0.02, 0.3, 5, 40, 130))
            await asyncio.sleep(pause_s * chance.choice((1, 1, chance.random())))
            plan = self._plan()
            store = RowsStore(kept, PartyStore(behind, Party([chance.choice(ACCOUNTS)])))
            began_s = now_s()
            asking = asyncio.ensure_future(store.fetch(plan, TIMEOUT_S))
            done, _ = await asyncio.wait({asking}, timeout=chance.choice((0.05, 0.3, 60)))
            if not done:
                asking.cancel()
                await asyncio.wait({asking})
                continue
            assert not asking.cancelled(), "one that left took another's answer away"
            assert now_s() - began_s <= TIMEOUT_S + 1e-6, "kept waiting past its deadline"
            assert kept.bytes <= BOUNDS.max_bytes, "more kept than allowed"
            try:
                result = asking.result()
            except StoreError:
                continue
            self.answered += 1
            # Who comes while a look is under way waits for that one.
            with_room_s = BOUNDS.fresh_s + TIMEOUT_S
            had_room = behind.gate.limit > MOST_AT_ONCE
            assert result.age_s <= (with_room_s if had_room else BOUNDS.budget_s), "too old"
            _check(pipeline, plan, result, began_s)

    def _plan(self) -> QueryPlan[Any]:
        chance, now_ms = self.chance, epoch_ms()
        accounts = chance.sample(ACCOUNTS, chance.choice((1, 1, 1, 2, 3)))
        start_ms = now_ms - chance.choice(
            (10_000, 7_200_000, 25 * DAY_MS, 25 * DAY_MS, 40 * DAY_MS)
        )
        interval = Interval(start_ms, now_ms + chance.choice((-3_000, 0, 60_000)))
        direction = chance.choice(tuple(Direction))
        match chance.randrange(3):
            case 0:
                scope = of(accounts[0])
                return TopPlan(scope, direction, interval, chance.choice(tuple(RankBy)), 3)
            case 1:
                return EntriesPlan(of(accounts[0]), None, None, interval, None, 5)
            case _:
                return TotalsPlan(of(*accounts), frozenset({direction}), interval)


def _check(
    pipeline: Pipeline, plan: QueryPlan[Any], result: StoreResult[Any], began_s: float
) -> None:
    """The answer is one of some moment between its `asOf` and now, for each account; and not an old one."""
    oldest_s = began_s - max(BOUNDS.fresh_s, result.age_s) - TIMEOUT_S
    proven = [as_of for at_s, as_of, _ in pipeline.proofs if at_s <= oldest_s]
    assert not proven or result.as_of_ms >= proven[-1], "too old"
    assert any(as_of == result.as_of_ms for _, as_of, _ in pipeline.proofs), "never proven"
    least = bisect_left(pipeline.appended_ms, result.as_of_ms)
    if not isinstance(plan, TotalsPlan):
        (account_id,) = _accounts(plan)
        told = list(result.rows)
        assert any(evaluate(plan, each) == told for each in pipeline.of(account_id, least)), "wrong"
        return
    for account_id in plan.account_ids or ():
        alone = replace(plan, scope=of(account_id))
        totals = {_said(each) for each in result.rows if each.account_id == account_id}
        assert any(
            {_said(each) for each in evaluate(alone, entries)} == totals
            for entries in pipeline.of(account_id, least)
        ), "wrong totals"


def _accounts(plan: QueryPlan[Any]) -> frozenset[str]:
    assert isinstance(plan, TopPlan | EntriesPlan)
    return plan.scope.account_ids or frozenset()


def _said(row: Any) -> tuple[Any, ...]:
    return row.direction, row.transaction_count, row.transaction_amount
