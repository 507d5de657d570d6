"""Stores with as many rows as a question may bring: answered at once, or as the broker's bytes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from gateway.access.caller import EVERYONE
from gateway.analytics.asking import StoreResult
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import GroupRow, QueryPlan, SlotsPlan, TopPlan, TotalsPlan
from gateway.analytics.spread_plan import AmountRow, AmountsPlan
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.store.overload.party import Party
from gateway.store.pinot.store import PinotStore
from gateway.wiring.stores import admitted, kept_rows
from tests.load.gateway.stub_store import AS_OF_MS, NOW_MS, StubStore, rows_of
from tests.unit.gateway.fakes import PROGRESS, FakeSession, broker_answer

ACCOUNT = "acct-000001"
HOUR_MS = 3_600_000
MONTH = Interval(NOW_MS - 30 * 24 * HOUR_MS, NOW_MS)
TO_PINOT: Mapping[str, QueryPlan[Any]] = {
    "broker: 10,000 ranks": TopPlan(
        EVERYONE.may_read([ACCOUNT]),
        Direction.RECEIVED,
        MONTH,
        RankBy.TRANSACTION_AMOUNT,
        10_000,
        ascending=True,
    ),
    "broker: 10,000 amounts": AmountsPlan(
        EVERYONE.may_read([ACCOUNT]), Direction.RECEIVED, MONTH, 20_000
    ),
    "broker: 10,000 slots": SlotsPlan(
        EVERYONE.may_read([ACCOUNT]),
        Direction.RECEIVED,
        Interval(NOW_MS - 10_000 * HOUR_MS, NOW_MS),
        HOUR_MS,
    ),
}
TOTALS = TotalsPlan(EVERYONE.may_read([ACCOUNT]), frozenset(Direction), MONTH)


class LargeStore(StubStore):
    """Accounts with as many counterparties and transfers as are looked at."""

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """Rows of the plan's shape."""
        match plan:
            case TopPlan(among=None):
                return StoreResult(_groups(plan.limit), AS_OF_MS, 1)
            case SlotsPlan(among=frozenset()):
                return StoreResult(_apart(plan), AS_OF_MS, 1)
            case AmountsPlan():
                return StoreResult(_amounts(10_000), AS_OF_MS, 1)
        return await super().fetch(plan, timeout_s)


class BrokersAnswers:
    """What a store on Pinot makes of the broker's largest answers, a million bytes and more."""

    def __init__(self, settings: Settings) -> None:
        session = FakeSession(_reply)
        self.store = PinotStore(settings, session)
        self._settings = settings

    async def fetched(self, plan: QueryPlan[Any]) -> None:
        """One plan's rows."""
        assert len((await self.store.fetch(plan, 5.0)).rows) >= 10_000

    async def remembered(self, plan: QueryPlan[Any]) -> None:
        """A plan's rows out of an account's, which are fetched for it."""
        counted = Metrics()
        store = admitted(self.store, self._settings, counted, time.monotonic)
        kept = kept_rows(self._settings, store, counted, lambda: NOW_MS, time.monotonic)
        assert kept is not None
        answer = await kept.answer(plan, 5.0, Party(["anybody"]))
        assert answer is not None
        assert answer.rows


def _reply(body: Mapping[str, str]) -> bytes:
    sql = body["sql"]
    if "pipeline_progress" in sql:
        return json.dumps(PROGRESS).encode()
    if "arrived_ms" in sql:
        return _account_rows(5_000)
    if "slot" in sql or "DATETRUNC" in sql or ("GROUP BY" in sql and "counterparty_id" not in sql):
        return _slots(10_000)
    if "counterparty_id" in sql:
        return _ranks(10_000)
    return _amounts_told(10_000)


def _bytes(rows: Sequence[list[Any]]) -> bytes:
    return json.dumps(broker_answer(list(rows))).encode()


@cache
def _account_rows(number: int) -> bytes:
    return _bytes(
        [
            [
                ACCOUNT,
                f"account-{n % 900:06d}",
                "SENT" if n % 3 else "RECEIVED",
                str(uuid.UUID(int=(n * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)),
                f"{n % 977}.{n % 89:02d}",
                NOW_MS - 400_000 * n,
                "TRANSFER",
                "",
                NOW_MS - 400_000 * n,
            ]
            for n in range(number)
        ]
    )


@cache
def _amounts_told(number: int) -> bytes:
    return _bytes([[str(each.amount)] for each in _amounts(number)])


@cache
def _slots(number: int) -> bytes:
    first = NOW_MS // HOUR_MS - number
    return _bytes([[(first + n) * HOUR_MS, n % 50, f"{n * 7}.25"] for n in range(number)])


@cache
def _ranks(number: int) -> bytes:
    return _bytes(
        [
            [each.account_id, each.transaction_count, str(each.transaction_amount)]
            for each in _groups(number)
        ]
    )


@cache
def _apart(plan: SlotsPlan) -> tuple[Any, ...]:
    return rows_of(plan)


@cache
def _groups(limit: int) -> tuple[GroupRow, ...]:
    return tuple(
        GroupRow(f"account-{rank:06d}", 20_000 - rank, Decimal(1_000_000_000 - 1_234 * rank) / 100)
        for rank in range(limit)
    )


@cache
def _amounts(number: int) -> tuple[AmountRow, ...]:
    return tuple(AmountRow(Decimal(500 + 37 * (n * 7919 % number)) / 100) for n in range(number))
