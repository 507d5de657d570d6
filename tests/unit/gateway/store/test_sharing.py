"""What the fields of one operation share, and what they may not."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Direction, Interval, TransactionKind
from gateway.analytics.query_plan import DistinctPlan, QueryPlan, TotalsPlan, TotalsRow
from gateway.errors import CostLimitExceededError, DeadlineExceededError, StoreUnavailableError
from gateway.process.clock import Deadline
from gateway.store.sharing import OperationStore
from tests.scopes import NETWORK, of
from tests.store_cases import reversal, transfer
from tests.unit.gateway.fakes import ReferenceStore

pytestmark = pytest.mark.anyio

DAY = Interval(0, 86_400_000)
RECEIVED, SENT = Direction.RECEIVED, Direction.SENT
DATA = [
    *transfer("alice", "bob", "1", Decimal(5), 1_000),
    *transfer("bob", "x", "2", Decimal(1), 2),
]


def shared(store: ReferenceStore, max_queries: int = 9, timeout_s: float = 5) -> OperationStore:
    deadline = Deadline.after(timeout_s, time.monotonic)
    return OperationStore(store, deadline, max_queries)


def totals(*account_ids: str, direction: Direction = RECEIVED) -> TotalsPlan:
    return TotalsPlan(of(*account_ids), frozenset({direction}), DAY)


async def test_equal_plans_are_asked_once() -> None:
    store = ReferenceStore(DATA)
    operation = shared(store)
    plan = DistinctPlan(of("alice"), RECEIVED, DAY)
    results = await asyncio.gather(*(operation.fetch(plan) for _ in range(3)))
    assert results == [results[0]] * 3
    assert store.plans == [plan]


async def test_totals_of_one_step_are_one_query_and_everyone_gets_their_own_rows() -> None:
    store = ReferenceStore(DATA)
    operation = shared(store)
    alice, bob, sent = await asyncio.gather(
        operation.fetch(totals("alice")),
        operation.fetch(totals("bob")),
        operation.fetch(totals("bob", direction=SENT)),
    )
    assert store.plans == [TotalsPlan(of("alice", "bob"), frozenset({RECEIVED, SENT}), DAY)]
    assert alice.rows == (TotalsRow("alice", RECEIVED, 1, Decimal(5)),)
    assert bob.rows == (TotalsRow("bob", RECEIVED, 1, Decimal(1)),)
    assert sent.rows == (TotalsRow("bob", SENT, 1, Decimal(5)),)
    # A later question that the answer covers is not asked again.
    assert (await operation.fetch(totals("bob"))).rows == bob.rows
    assert len(store.plans) == 1


async def test_totals_with_one_counterparty_are_not_taken_for_totals_with_all() -> None:
    store = ReferenceStore(DATA)
    operation = shared(store)
    with_x = [replace(totals(each), counterparty_id="x") for each in ("alice", "bob")]
    everyone, alice, bob = await asyncio.gather(
        operation.fetch(totals("alice")), *(operation.fetch(each) for each in with_x)
    )
    assert everyone.rows == (TotalsRow("alice", RECEIVED, 1, Decimal(5)),)
    assert (alice.rows, bob.rows) == ((), (TotalsRow("bob", RECEIVED, 1, Decimal(1)),))
    assert set(store.plans) == {
        totals("alice"),
        replace(totals("alice", "bob"), counterparty_id="x"),
    }
    assert (await operation.fetch(with_x[0])).rows == ()
    assert len(store.plans) == 2


async def test_totals_by_kind_are_one_query_however_many_accounts_ask() -> None:
    original = transfer("alice", "bob", "1", Decimal(5), 1_000)
    store = ReferenceStore([*original, *reversal(original, "2", 2_000)])
    operation = shared(store)
    by_kind = [replace(totals(each), by_kind=True) for each in ("alice", "bob")]
    net, alice, bob = await asyncio.gather(
        operation.fetch(totals("alice")), *(operation.fetch(each) for each in by_kind)
    )
    assert net.rows == (TotalsRow("alice", RECEIVED, 2, Decimal(0)),)
    assert set(alice.rows) == {
        TotalsRow("alice", RECEIVED, 1, Decimal(5), TransactionKind.TRANSFER),
        TotalsRow("alice", RECEIVED, 1, Decimal(-5), TransactionKind.REVERSAL),
    }
    assert bob.rows == ()
    assert set(store.plans) == {totals("alice"), replace(totals("alice", "bob"), by_kind=True)}
    # Rows by kind are not taken for rows of both together.
    assert (await operation.fetch(totals("bob"))).rows == ()
    assert len(store.plans) == 3


async def test_an_answer_older_than_wanted_is_asked_again() -> None:
    store = ReferenceStore(list(DATA))
    operation = shared(store)
    await operation.fetch(totals("alice"))
    store.entries = [*DATA, *transfer("alice", "bob", "3", Decimal(2), 3_000)]
    assert (await operation.fetch(totals("alice"), not_before=4)).rows[0].transaction_count == 1
    assert (await operation.fetch(totals("alice"), not_before=6)).rows[0].transaction_count == 2
    assert len(store.plans) == 2


async def test_snapshots_of_other_accounts_do_not_compare() -> None:
    store = ReferenceStore(list(DATA))
    operation = shared(store)
    await operation.fetch(totals("alice", "bob"))
    await operation.fetch(totals("alice"), not_before=0)
    assert len(store.plans) == 2


async def test_the_network_and_an_account_are_different_questions() -> None:
    store = ReferenceStore(DATA)
    operation = shared(store)
    await operation.fetch(totals("alice"))
    network = await operation.fetch(TotalsPlan(NETWORK, frozenset({RECEIVED}), DAY))
    assert network.rows == (TotalsRow(None, RECEIVED, 2, Decimal(6)),)
    assert len(store.plans) == 2


async def test_an_operation_has_a_bound_of_queries() -> None:
    operation = shared(ReferenceStore(DATA), max_queries=1)
    await operation.fetch(totals("alice"))
    with pytest.raises(CostLimitExceededError, match="up to 1 store queries"):
        await operation.fetch(totals("bob"))
    with pytest.raises(CostLimitExceededError):
        await operation.fetch(DistinctPlan(of("alice"), RECEIVED, DAY))


async def test_a_failure_is_everyones_who_shares_it() -> None:
    operation = shared(ReferenceStore(error=StoreUnavailableError("down")))
    found = await asyncio.gather(
        operation.fetch(totals("alice")), operation.fetch(totals("bob")), return_exceptions=True
    )
    assert [type(each) for each in found] == [StoreUnavailableError] * 2


class Stalling(ReferenceStore):
    """A store that does not answer, and tells when it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> Any:
        self.asked.set()
        await asyncio.Event().wait()


async def test_the_deadline_is_kept_and_closing_stops_what_is_left() -> None:
    operation = shared(Stalling(), timeout_s=0.02)
    with pytest.raises(DeadlineExceededError):
        await operation.fetch(totals("alice"))
    with pytest.raises(DeadlineExceededError):
        await operation.fetch(totals("bob"))
    store = Stalling()
    left = shared(store)
    waiting = asyncio.ensure_future(left.fetch(totals("alice")))
    await store.asked.wait()
    await left.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_field_that_is_given_up_leaves_the_others_their_answer() -> None:
    operation = shared(ReferenceStore(DATA))
    given_up = asyncio.ensure_future(operation.fetch(totals("alice")))
    waiting = asyncio.ensure_future(operation.fetch(totals("bob")))
    given_up.get_loop().call_soon(given_up.cancel)
    assert (await waiting).rows == (TotalsRow("bob", RECEIVED, 1, Decimal(1)),)
    assert given_up.cancelled()


async def test_what_fields_make_of_one_object_is_made_once_and_each_object_has_its_own() -> None:
    operation = shared(ReferenceStore(DATA))
    made: list[str] = []

    async def make(name: str) -> str:
        made.append(name)
        await asyncio.sleep(0)
        return name

    one, two = replace(totals("alice")), replace(totals("alice"))
    assert one == two
    given_up = asyncio.ensure_future(operation.once(one, lambda: make("one")))
    others = [asyncio.ensure_future(operation.once(one, lambda: make("one"))) for _ in range(2)]
    given_up.get_loop().call_soon(given_up.cancel)
    assert await asyncio.gather(*others, operation.once(two, lambda: make("two"))) == [
        "one",
        "one",
        "two",
    ]
    assert await operation.once(one, lambda: make("again")) == "one"
    assert made == ["one", "two"]


async def test_what_is_still_being_made_ends_with_the_operation() -> None:
    store = Stalling()
    operation = shared(store)
    about = object()
    waiting = asyncio.ensure_future(operation.once(about, lambda: operation.fetch(totals("alice"))))
    await store.asked.wait()
    await operation.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_set_without_what_is_between_its_own_shares_with_nobody_but_itself() -> None:
    store = ReferenceStore([*DATA, *transfer("alice", "carol", "3", Decimal(7), 3_000)])
    operation = shared(store)
    outside = replace(totals("alice", "bob"), outside=True)
    sent = replace(outside, directions=frozenset({SENT}))
    both, own, other, alice = await asyncio.gather(
        operation.fetch(outside),
        operation.fetch(sent),
        operation.fetch(replace(totals("alice", "carol"), outside=True)),
        operation.fetch(totals("alice")),
    )
    assert {row.transaction_amount for row in both.rows} == {Decimal(7), Decimal(1)}
    assert own.rows == ()
    assert [row.transaction_amount for row in other.rows] == [Decimal(5)]
    assert [row.transaction_amount for row in alice.rows] == [Decimal(12)]
    assert len(store.plans) == 3
    # What is known of the set answers for it, and not for one of it.
    await operation.fetch(outside)
    assert len(store.plans) == 3
    one = await operation.fetch(replace(totals("alice"), outside=True))
    assert [row.transaction_amount for row in one.rows] == [Decimal(12)]
    assert len(store.plans) == 4
