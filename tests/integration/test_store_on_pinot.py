"""The store on the real Pinot answers random plans as the reference does, as the embedded one must.

The entries lie in three days of 2025 that no other test touches, so that plans over all accounts
meet nobody else's.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from opentelemetry import context as contexts
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from gateway.analytics.entries import key
from gateway.analytics.model import (
    Direction,
    Entry,
    Interval,
    RankBy,
    TransactionKind,
    TransactionSort,
)
from gateway.analytics.query_plan import EntriesPlan, Place, QueryPlan, TopPlan, TotalsPlan
from gateway.analytics.spread_plan import AmountsPlan, StepsPlan
from gateway.process import traces
from gateway.process.clock import system_epoch_ms
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.store.overload.party import Party
from gateway.store.overload.store import PartyStore
from gateway.store.pinot.store import PinotStore
from gateway.store.port import Answering
from gateway.store.rows.store import Bounds, KeptRows, RowsStore
from gateway.wiring.stores import admitted
from pinot_config.controller import HttpController
from tests import scopes, store_cases
from tests.integration.ledger import Reversal, Transfer
from tests.integration.running_stack import PORTS, RunningStack, wait_until
from tests.reference import evaluate

CONTROLLER = f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}"
PINOT = Settings(pinot_broker_url=f"http://127.0.0.1:{PORTS['STACK_PINOT_BROKER_PORT']}")

PARTITIONS = 4
CROWD_MS = store_cases.START_MS + 30 * 24 * store_cases.HOUR_MS
CROWD = Interval(CROWD_MS, CROWD_MS + 40_000)


def events_of(entries: list[Entry]) -> list[Transfer | Reversal]:
    """The events behind entries, in their order; a reversal comes after its transfer."""
    transfers: dict[str, Transfer] = {}
    events: list[Transfer | Reversal] = []
    for each in entries:
        if each.direction is Direction.SENT:
            continue
        id_, time_ms = each.transaction_id, each.event_time_ms
        if each.reverses is not None:
            events.append(Reversal(id_, transfers[each.reverses], time_ms))
            continue
        amount = f"{each.amount:f}"
        transfers[id_] = Transfer(id_, each.counterparty_id, each.account_id, amount, time_ms)
        events.append(transfers[id_])
    return events


def send(stack: RunningStack, entries: list[Entry]) -> None:
    """Send the events behind entries and wait until answers hold them."""
    events = events_of(entries)
    stack.ledger.add([each if isinstance(each, Transfer) else each.effect for each in events])
    stack.wait_complete(stack.send(each.record() for each in events))


@pytest.fixture(scope="module")
def entries(stack: RunningStack) -> list[Entry]:
    made = store_cases.random_entries(7, 1_500)
    send(stack, made)
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
    check_plans(store, runner, entries)
    # Once more from finished segments, whose star-trees answer.
    finished = committed_segments() + PARTITIONS
    HttpController(CONTROLLER).finish_segments("account_entries")
    wait_until(lambda: committed_segments() >= finished, 60, "no segment was finished")
    check_plans(store, runner, entries)


def test_a_statement_that_is_named_after_a_trace_is_answered_as_any_other(
    store: PinotStore, runner: asyncio.Runner, entries: list[Entry]
) -> None:
    accounts = sorted({each.account_id for each in entries})[:3]
    interval = Interval(store_cases.START_MS, store_cases.START_MS + store_cases.SPAN_MS)
    plan = TotalsPlan(scopes.of(*accounts), frozenset(Direction), interval)
    context = contextvars.copy_context()
    asked = NonRecordingSpan(SpanContext(0xA11CE, 0xB0B, is_remote=True))
    context.run(contexts.attach, set_span_in_context(asked))
    assert context.run(traces.correlation_id)
    runner.run(store_cases.check(store, entries, plan), context=context)


def test_kept_rows_answer_as_the_reference_does(
    stack: RunningStack, store: PinotStore, runner: asyncio.Runner, entries: list[Entry]
) -> None:
    counted: Counter[str] = Counter()

    async def made() -> RowsStore:
        behind = admitted(store, Settings(), Metrics(), time.monotonic)
        bounds = Bounds(10_000_000, 1_000, 3_000, 0.0)
        kept = KeptRows(
            behind, bounds, system_epoch_ms, time.monotonic, lambda source: counted.update([source])
        )
        return RowsStore(kept, PartyStore(behind, Party(["alice"])))

    rows = runner.run(made())
    check_plans(rows, runner, entries, 200)
    assert 0 < counted["load"] < counted["look"]
    # They come later with times of before, and to accounts whose rows are kept.
    more = store_cases.random_entries(8, 300)
    send(stack, more)
    entries += more
    counted.clear()
    check_plans(rows, runner, entries, 200)
    assert counted["load"] < counted["look"]
    finished = committed_segments() + PARTITIONS
    HttpController(CONTROLLER).finish_segments("account_entries")
    wait_until(lambda: committed_segments() >= finished, 60, "no segment was finished")
    check_plans(rows, runner, entries, 100)


def check_plans(
    store: Answering, runner: asyncio.Runner, entries: list[Entry], examples: int = 400
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plan=store_cases.plans())
    def check(plan: QueryPlan[Any]) -> None:
        runner.run(store_cases.check(store, entries, plan))

    check()


def committed_segments() -> int:
    """How many segments of entries are finished and served."""
    url = f"{CONTROLLER}/tables/account_entries_REALTIME/externalview"
    view = httpx.get(url, timeout=10, trust_env=False).json()["REALTIME"] or {}
    return sum("ONLINE" in states.values() for states in view.values())


@pytest.fixture(scope="module")
def crowd(stack: RunningStack) -> list[Entry]:
    """One account that more accounts pay than one statement ranks, some of them in bulk.

    Every seventh payment and all of the largest are reversed later.
    """
    made: list[Entry] = []
    for number in range(14_000):
        whole = 1 + number * 7919 % 100_003
        moved = store_cases.transfer(
            "crowd",
            f"payer-{number % 9_000}",
            str(uuid.UUID(int=0xC0 << 120 | number)),
            Decimal(f"{whole}.{number % 100:02d}"),
            CROWD_MS + number,
        )
        made += moved
        if number % 7 == 0 or whole > 99_900:
            taken_back = str(uuid.UUID(int=0xC1 << 120 | number))
            made += store_cases.reversal(moved, taken_back, CROWD_MS + 20_000 + number)
    send(stack, made)
    return [each for each in made if each.direction is Direction.RECEIVED]


@pytest.mark.parametrize("order_by", RankBy)
@pytest.mark.parametrize("limit", [1, 11, 101])
def test_a_ranking_of_thousands_by_cohorts_is_the_reference_s(
    store: PinotStore, runner: asyncio.Runner, crowd: list[Entry], order_by: RankBy, limit: int
) -> None:
    question = TopPlan(scopes.of("crowd"), Direction.RECEIVED, CROWD, order_by, limit)
    first = runner.run(store_cases.check(store, crowd, question))
    assert store.rankings.after(first.erasures).base_for(question) is not None
    runner.run(store_cases.check(store, crowd, question))
    # Of some only the reversal is in it, and whom that leaves below zero.
    later = Interval(CROWD_MS + 13_000, CROWD.end_ms)
    runner.run(store_cases.check(store, crowd, replace(question, interval=later)))


@pytest.mark.parametrize("order_by", RankBy)
@pytest.mark.parametrize("ascending", [False, True])
def test_pages_of_a_ranking_of_thousands_go_on_at_any_place(
    store: PinotStore,
    runner: asyncio.Runner,
    crowd: list[Entry],
    order_by: RankBy,
    ascending: bool,
) -> None:
    whole = TopPlan(
        *(scopes.of("crowd"), Direction.RECEIVED, CROWD, order_by, 9_000), ascending=ascending
    )
    ranked = evaluate(whole, crowd)
    assert len(ranked) == 9_000
    for rank in (1, 100, 1_000, 5_001, 8_990):
        row = ranked[rank - 1]
        for told in (rank, max(1, rank // 20)):
            after = Place(told, row.account_id, row.transaction_count, row.transaction_amount)
            page = replace(whole, after=after, limit=101)
            runner.run(store_cases.check(store, crowd, page))


def test_thousands_of_single_amounts_are_told_and_how_many_are_in_each_step(
    store: PinotStore, runner: asyncio.Runner, crowd: list[Entry]
) -> None:
    scope = scopes.of("crowd")
    for limit in (20_000, 14_000, 13_999):
        plan = AmountsPlan(scope, Direction.RECEIVED, CROWD, limit)
        assert len(evaluate(plan, crowd)) == (14_000 if limit >= 14_000 else 0)
        runner.run(store_cases.check(store, crowd, plan))
    runner.run(store_cases.check(store, crowd, StepsPlan(scope, Direction.RECEIVED, CROWD)))


def test_reversals_are_counted_apart_of_whole_accounts_and_of_everyone(
    store: PinotStore, runner: asyncio.Runner, crowd: list[Entry]
) -> None:
    hour = Interval(CROWD_MS, CROWD_MS + store_cases.HOUR_MS)
    ragged = Interval(hour.start_ms + 1, hour.end_ms + 2 * store_cases.HOUR_MS - 1)
    for interval in (hour, ragged):
        for scope in (scopes.of("crowd"), scopes.NETWORK):
            for by_kind in (False, True):
                plan = TotalsPlan(scope, frozenset({Direction.RECEIVED}), interval, by_kind)
                runner.run(store_cases.check(store, crowd, plan))


def test_a_page_goes_on_by_kind_after_all_else_is_equal(
    store: PinotStore, runner: asyncio.Runner, crowd: list[Entry]
) -> None:
    reversals = [each for each in crowd if each.reverses is not None]
    for entry in (crowd[0], reversals[0], reversals[-1]):
        for kind in TransactionKind:
            after = replace(key(entry), kind=kind)
            for order in TransactionSort:
                plan = EntriesPlan(
                    scopes.of(entry.account_id), None, None, CROWD, after, 3, order=order
                )
                runner.run(store_cases.check(store, crowd, plan))
