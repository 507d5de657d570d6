"""The store on the real Pinot answers random plans as the reference does, as the embedded one must.

The entries lie in three days of 2025 that no other test touches, so that plans over all accounts
meet nobody else's.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gateway.model import Direction, Entry, Interval, RankBy
from gateway.pinot.store import PinotStore
from gateway.query_plan import QueryPlan, TopPlan
from gateway.settings import Settings
from tests import scopes, store_cases
from tests.integration.ledger import Transfer
from tests.integration.running_stack import PORTS, RunningStack

PINOT = Settings(pinot_broker_url=f"http://127.0.0.1:{PORTS['STACK_PINOT_BROKER_PORT']}")


@pytest.fixture(scope="module")
def entries(stack: RunningStack) -> list[Entry]:
    made = store_cases.random_entries(7, 1_500)
    transfers = [
        Transfer(
            each.transaction_id,
            each.counterparty_id,
            each.account_id,
            f"{each.amount:f}",
            each.event_time_ms,
        )
        for each in made
        if each.direction is Direction.RECEIVED
    ]
    stack.ledger.add(transfers)
    stack.wait_complete(stack.send(each.record() for each in transfers))
    return made


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def store(runner: asyncio.Runner) -> Iterator[PinotStore]:
    opened = PinotStore(PINOT)
    runner.run(opened.open())
    yield opened
    runner.run(opened.close())


def test_pinot_answers_as_the_reference_does(
    store: PinotStore, runner: asyncio.Runner, entries: list[Entry]
) -> None:
    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plan=store_cases.plans())
    def check(plan: QueryPlan[Any]) -> None:
        runner.run(store_cases.check(store, entries, plan))

    check()


@pytest.fixture(scope="module")
def crowd(stack: RunningStack) -> list[Entry]:
    """One account that more accounts pay than one statement ranks, some of them in bulk."""
    transfers = [
        Transfer(
            str(uuid.UUID(int=0xC0 << 120 | number)),
            f"payer-{number % 9_000}",
            "crowd",
            f"{1 + number * 7919 % 100_003}.{number % 100:02d}",
            store_cases.START_MS + 30 * 24 * store_cases.HOUR_MS + number,
        )
        for number in range(14_000)
    ]
    stack.ledger.add(transfers)
    stack.wait_complete(stack.send(each.record() for each in transfers))
    return [
        Entry(
            each.to_account_id,
            each.from_account_id,
            Direction.RECEIVED,
            each.transaction_id,
            Decimal(each.amount),
            each.time_ms,
        )
        for each in transfers
    ]


@pytest.mark.parametrize("order_by", RankBy)
@pytest.mark.parametrize("limit", [1, 11, 101])
def test_a_ranking_of_thousands_by_cohorts_is_the_reference_s(
    store: PinotStore, runner: asyncio.Runner, crowd: list[Entry], order_by: RankBy, limit: int
) -> None:
    times = [each.event_time_ms for each in crowd]
    interval = Interval(min(times), max(times) + 1)
    plan = TopPlan(scopes.of("crowd"), Direction.RECEIVED, interval, order_by, limit)
    runner.run(store_cases.check(store, crowd, plan))
    assert store.rankings.base_for(plan) is not None
    runner.run(store_cases.check(store, crowd, plan))
