"""A store that answers at once, or after a fixed time, with rows as a busy account has them."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Direction, Entry, Interval
from gateway.analytics.pipeline_model import AuditReport
from gateway.analytics.pipeline_plan import (
    AuditPlan,
    EntryCountPlan,
    ProgressPlan,
    ProgressRow,
    ReasonRow,
    RejectedPlan,
)
from gateway.analytics.query_plan import (
    CountRow,
    DistinctPlan,
    DistinctRow,
    EntriesPlan,
    GroupRow,
    MatchesPlan,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from gateway.analytics.spread_plan import AmountRow, AmountsPlan, StepRow, StepsPlan

NOW_MS = 1_763_800_000_000
"""The clock of servers whose answers are compared."""

AS_OF_MS = NOW_MS - 900
TRANSACTIONS = 412
AMOUNT = Decimal("8351204.37")
COUNTERPARTIES = 137


@dataclass
class StubStore:
    """Equal rows for every account; `latency_s` is how long each answer takes.

    `places`: how many queries it works on at a time, 0 for no limit; the others wait in line, as at
    a store that is at its capacity.
    """

    latency_s: float = 0.0
    places: int = 0
    sample_data: bool = field(default=False, init=False)

    async def open(self) -> None:
        """Make the places."""
        self._working = asyncio.Semaphore(self.places) if self.places else None

    async def close(self) -> None:
        """Nothing to close."""

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """Rows of the plan's shape."""
        if self._working is not None:
            async with self._working:
                await asyncio.sleep(self.latency_s)
        elif self.latency_s:
            await asyncio.sleep(self.latency_s)
        return StoreResult(rows_of(plan), AS_OF_MS, 1)


def rows_of(plan: QueryPlan[Any]) -> tuple[Any, ...]:
    """The rows of a plan."""
    if isinstance(plan, AmountsPlan):
        return tuple(AmountRow(Decimal(500 + 37 * n) / 100) for n in range(TRANSACTIONS))
    if isinstance(plan, StepsPlan):
        return tuple(StepRow(step, 2) for step in range(150, 150 + TRANSACTIONS // 2))
    return _measures(plan)


def _measures(plan: QueryPlan[Any]) -> tuple[Any, ...]:
    match plan:
        case TopPlan():
            return _groups(plan.limit)
        case TotalsPlan():
            return tuple(
                TotalsRow(account_id, direction, TRANSACTIONS, AMOUNT)
                for account_id in plan.account_ids or (None,)
                for direction in plan.directions
            )
        case DistinctPlan():
            return (DistinctRow(COUNTERPARTIES),)
        case SlotsPlan():
            return _among(plan.among, _slots(plan.interval, plan.slot_ms))
        case EntriesPlan():
            return _entries(plan.account_id, plan.interval.end_ms, plan.limit)
        case EntryCountPlan() | MatchesPlan():
            return (CountRow(2_400_000),)
        case RejectedPlan():
            return (ReasonRow("NOT_JSON", 311), ReasonRow("AMOUNT_NOT_POSITIVE", 42))
        case ProgressPlan():
            return (ProgressRow(AS_OF_MS),)
        case AuditPlan():
            return (AuditReport(AS_OF_MS, AS_OF_MS, AS_OF_MS, 86_000, 0, 3, ()),)
    raise TypeError(f"no rows for {type(plan).__name__}")


@cache
def _groups(limit: int) -> tuple[GroupRow, ...]:
    return tuple(
        GroupRow(f"account-{100 + rank:06d}", 60 - rank, Decimal(1_000_000 - 1_234 * rank) / 100)
        for rank in range(min(limit, COUNTERPARTIES))
    )


@lru_cache(maxsize=8)  # a window that ends now is another one all the time
def _slots(interval: Interval, slot_ms: int) -> tuple[SlotRow, ...]:
    first, last = interval.start_ms // slot_ms, (interval.end_ms - 1) // slot_ms
    return tuple(
        SlotRow(slot * slot_ms, 3 + slot % 7, Decimal(10_000 + slot % 9_973) / 100)
        for slot in range(first, last + 1)
    )


def _among(
    counterparties: frozenset[str] | None, slots: tuple[SlotRow, ...]
) -> tuple[SlotRow, ...]:
    """As many of each, if any are told apart."""
    if counterparties is None:
        return slots
    return tuple(
        replace(slot, counterparty_id=each) for slot in slots for each in sorted(counterparties)
    )


@cache
def _transaction_id(number: int) -> str:
    return str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128))


def _entries(account_id: str, end_ms: int, limit: int) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            account_id,
            f"account-{200 + number:06d}",
            Direction.RECEIVED if number % 3 else Direction.SENT,
            _transaction_id(number),
            Decimal(25_000 + 37 * number) / 100,
            end_ms - 60_000 * (number + 1),
        )
        for number in range(limit)
    )
