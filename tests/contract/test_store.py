"""The embedded store answers random plans over random entries as the reference does."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.analytics.entries import key
from gateway.analytics.model import Direction, Entry, Interval, TransactionKind
from gateway.analytics.pipeline_plan import EntryCountPlan, ProgressPlan, ReasonRow, RejectedPlan
from gateway.analytics.query_plan import EntriesPlan, EntryKey, QueryPlan, TotalsPlan
from gateway.errors import StoreUnavailableError
from gateway.process.clock import Deadline
from gateway.store.duckdb.store import DuckdbStore
from tests import store_cases
from tests.patience import PATIENCE_S
from tests.reference import evaluate
from tests.scopes import NETWORK, of


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=store_cases.entry_lists(), plan=store_cases.plans())
def test_the_embedded_store_answers_as_the_reference_does(
    entries: list[Entry], plan: QueryPlan[Any]
) -> None:
    async def run() -> None:
        store = DuckdbStore()
        await store.open()
        store.load(entries)
        await store_cases.check(store, entries, plan)
        await store.close()

    asyncio.run(run())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=store_cases.entry_lists())
def test_pages_neither_skip_nor_repeat(entries: list[Entry]) -> None:
    async def run() -> None:
        store = DuckdbStore()
        await store.open()
        store.load(entries)
        interval = Interval(store_cases.START_MS, store_cases.START_MS + store_cases.SPAN_MS)
        for account_id in ("alice", "*"):
            seen: list[Entry] = []
            after: EntryKey | None = None
            for _ in itertools.count():
                plan = EntriesPlan(of(account_id), None, None, interval, after, 3)
                rows = (await store.fetch(plan, PATIENCE_S)).rows
                seen += rows
                if len(rows) < 3:
                    break
                last = rows[-1]
                after = key(last)
            assert len(seen) == len(set(seen))
            assert set(seen) == {each for each in entries if each.account_id == account_id}

    asyncio.run(run())


@pytest.mark.anyio
@pytest.mark.parametrize("first", [1, 2, 3])
async def test_a_transfer_and_a_reversal_of_one_id_and_time_stand_on_pages_of_their_own(
    first: int,
) -> None:
    other, named = "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000001"
    taken_back = store_cases.transfer("bob", "alice", other, Decimal(7), 500)
    entries = [
        *taken_back,
        *store_cases.transfer("bob", "alice", named, Decimal(5), 1_000),
        *store_cases.reversal(taken_back, named, 1_000),
    ]
    store = DuckdbStore()
    await store.open()
    store.load(entries)
    plan = EntriesPlan(of("alice"), None, None, Interval(0, 5_000), None, first)
    amounts: list[Decimal] = []
    while rows := (await store.fetch(plan, PATIENCE_S)).rows:
        assert list(rows) == evaluate(plan, entries)
        amounts += [each.amount for each in rows]
        plan = replace(plan, after=key(rows[-1]))
    assert amounts == [5, -7, 7]
    await store.close()


@pytest.mark.anyio
async def test_progress_entries_and_rejected_events_are_told() -> None:
    store = DuckdbStore(epoch_ms=lambda: 1_700_000_000_000)
    await store.open()
    store.load(store_cases.transfer("a", "b", "0" * 36, Decimal("1.5"), 1_600_000_000_000))
    store.load_rejected([("NOT_JSON", 10), ("NOT_JSON", 20), ("BAD", 20)])
    assert (await store.fetch(ProgressPlan(), PATIENCE_S)).rows[0].as_of_ms == 1_700_000_000_000
    assert (await store.fetch(EntryCountPlan(NETWORK), PATIENCE_S)).rows[0].count == 2
    assert (await store.fetch(RejectedPlan(NETWORK, None), PATIENCE_S)).rows == (
        ReasonRow("NOT_JSON", 2),
        ReasonRow("BAD", 1),
    )
    narrowed = await store.fetch(RejectedPlan(NETWORK, Interval(20, 30)), PATIENCE_S)
    assert narrowed.rows == (ReasonRow("BAD", 1), ReasonRow("NOT_JSON", 1))
    await store.close()


@pytest.mark.anyio
async def test_sample_data_is_the_same_each_time_and_balanced() -> None:
    stores = [DuckdbStore(2_000, epoch_ms=lambda: 1_760_000_000_000) for _ in range(2)]
    whole = Interval(0, 1_760_000_000_000)
    rows = []
    for store in stores:
        await store.open()
        plan = TotalsPlan(NETWORK, frozenset(Direction), whole)
        by_kind = TotalsPlan(NETWORK, frozenset({Direction.SENT}), whole, by_kind=True)
        kinds = (await store.fetch(by_kind, PATIENCE_S)).rows
        reversals = [row for row in kinds if row.kind is TransactionKind.REVERSAL]
        both = [*sorted((await store.fetch(plan, PATIENCE_S)).rows, key=repr)]
        rows.append(both + reversals)
        await store.close()
    assert rows[0] == rows[1]
    received, sent, taken_back = rows[0]
    assert received.transaction_count == sent.transaction_count == 2_000 + 20
    assert received.transaction_amount == sent.transaction_amount
    assert taken_back.transaction_count == 20
    assert -received.transaction_amount < taken_back.transaction_amount < 0


@pytest.mark.anyio
async def test_a_closed_store_says_that_it_cannot_answer() -> None:
    store = DuckdbStore()
    with pytest.raises(StoreUnavailableError):
        await store.fetch(EntryCountPlan(NETWORK), PATIENCE_S)


def test_a_deadline_counts_down() -> None:
    now_s = [10.0]
    deadline = Deadline.after(2.0, lambda: now_s[0])
    now_s[0] = 11.5
    assert deadline.remaining_s() == 0.5
