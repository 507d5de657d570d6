"""The store on the real Pinot answers random plans as the reference does, as the embedded one must.

The entries lie in three days of 2025 that no other test touches, so that plans over all accounts
meet nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gateway.model import Direction, Entry
from gateway.pinot.store import PinotStore
from gateway.query_plan import QueryPlan
from gateway.settings import Settings
from tests import store_cases
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
