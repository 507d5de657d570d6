"""What each plan costs Pinot: rows scanned and time, for accounts of all sizes and windows of both kinds.

The same answer is asked for in the ways that Pinot can give it (with and without the star-tree; in one
statement and by cohorts) and compared before anything is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import Producer

from gateway.access.caller import EVERYONE
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import DistinctPlan, QueryPlan, TopPlan, TotalsPlan
from gateway.store.pinot import sql
from gateway.store.pinot.broker_session import AiohttpSession
from gateway.store.pinot.client import PinotClient
from gateway.store.pinot.remembered import Remembered, RememberedRankings
from gateway.store.pinot.response import BrokerAnswer, whole
from gateway.store.pinot.rows import rows_of
from gateway.store.pinot.top import Ask, fetch_top
from local_stack.environment import from_environment
from local_stack.graphql import GraphQLError
from local_stack.graphql import ask as ask_gateway
from local_stack.settings import StackSettings

SIZES = {
    "small": (300, 40),
    "middle": (60_000, 20_000),
    "large": (600_000, 440_000),
    "million": (1_700_000, 1_150_000),
}
"""Transfers, and the counterparties they are drawn from: of the last two 348,000 and 888,000 appear."""
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
NO_STAR_TREE: dict[str, str | int] = {"useStarTree": "false"}
FULL_RANKING_THRESHOLD = 5_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One way to one answer."""

    rows: tuple[Any, ...]
    docs_scanned: int
    statements: int


Way = Callable[[], Awaitable[Cost]]


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of a running stack; start it with `./dev up --no-load`. Sends its events once."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    sizes = {name: SIZES[name] for name in options.sizes}
    return asyncio.run(_measure(settings, sizes, options.repeat))


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench plans", description=measure.__doc__)
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=["small", "middle", "large"], help="accounts"
    )
    parser.add_argument("--repeat", type=int, default=9)
    return parser


async def _measure(
    settings: StackSettings, sizes: dict[str, tuple[int, int]], repeat: int
) -> dict[str, Any]:
    client = PinotClient(settings.pinot_broker_url, AiohttpSession(4))
    now_ms = int(time.time() * 1000)
    hours = Interval((now_ms - 31 * DAY_MS) // HOUR_MS * HOUR_MS, now_ms // HOUR_MS * HOUR_MS)
    windows = {"aligned": hours, "ragged": Interval(hours.start_ms + 1, hours.end_ms - 1)}
    figures: list[dict[str, Any]] = []
    try:
        for size, (transfers, counterparties) in sizes.items():
            account = f"plans-{size}"
            await _fill(client, settings, account, transfers, counterparties, hours)
            for window, interval in windows.items():
                for question, ways in _questions(client, account, interval).items():
                    figure = {"account": size, "window": window, "question": question}
                    figures.append(figure | await _side_by_side(ways, repeat))
                    print("  ", figures[-1], flush=True)
    finally:
        await client.close()
    return {"plans": figures}


async def _side_by_side(ways: dict[str, Way], repeat: int) -> dict[str, Any]:
    for way in ways.values():
        await way()
    costs = {name: await way() for name, way in ways.items()}
    answers = {cost.rows for cost in costs.values()}
    if len(answers) != 1:
        raise AssertionError(f"the ways differ: {answers}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            seconds[name].append(time.perf_counter() - began)
    return {
        name: {
            "p50_ms": round(statistics.median(seconds[name]) * 1000, 1),
            "min_ms": round(min(seconds[name]) * 1000, 1),
            "docs_scanned": cost.docs_scanned,
            "statements": cost.statements,
        }
        for name, cost in costs.items()
    }


def _questions(client: PinotClient, account: str, interval: Interval) -> dict[str, dict[str, Way]]:
    received, scope = Direction.RECEIVED, EVERYONE.may_read((account,))
    totals = TotalsPlan(scope, frozenset({received}), interval)
    return {
        "totals": {
            "star-tree": lambda: _one(client, totals, {}),
            "raw rows": lambda: _one(client, totals, NO_STAR_TREE),
        },
        **{
            f"top 10 {order_by.value.removeprefix('TRANSACTION_').lower()}": _ways_to_rank(
                client, TopPlan(scope, received, interval, order_by, 11)
            )
            for order_by in RankBy
        },
        "counterparties": {
            "distinct": lambda: _one(client, DistinctPlan(scope, received, interval), {})
        },
    }


def _ways_to_rank(client: PinotClient, plan: TopPlan) -> dict[str, Way]:
    memory = RememberedRankings().after(0)
    return {
        "as served": lambda: _top(client, plan, memory),
        "as served the first time": lambda: _top(client, plan, RememberedRankings().after(0)),
        "one statement": lambda: _one(client, plan, {}),
    }


async def _one(client: PinotClient, plan: QueryPlan[Any], options: dict[str, str | int]) -> Cost:
    answer = await client.run(sql.statement(plan), 60, options)
    return Cost(rows_of(plan, answer.rows), answer.docs_scanned, 1)


async def _top(client: PinotClient, plan: TopPlan, memory: Remembered) -> Cost:
    asked: list[BrokerAnswer] = []

    async def ask(statement: str, options: dict[str, str | int]) -> BrokerAnswer:
        asked.append(await client.run(statement, 60, options))
        return asked[-1]

    checked: Ask = ask
    found = await fetch_top(plan, checked, FULL_RANKING_THRESHOLD, memory, int(time.time() * 1000))
    if found.inexact is not None:
        raise AssertionError(found.inexact)
    return Cost(found.rows, sum(each.docs_scanned for each in asked), len(asked))


async def _fill(
    client: PinotClient,
    settings: StackSettings,
    account: str,
    transfers: int,
    counterparties: int,
    within: Interval,
) -> None:
    """Send an account's transfers, unless an earlier run has."""
    known = await client.run(sql.probe(account), 60)
    if known.rows and whole(known.rows[0][0]) >= transfers:
        return
    print(f"   sending {transfers} transfers to {account} ...", flush=True)
    producer = Producer(
        {"bootstrap.servers": settings.kafka_servers, "linger.ms": 50, "compression.type": "lz4"}
    )
    for value, time_ms in _transfers(account, transfers, counterparties, within):
        while True:
            try:
                producer.produce("transactions", value, timestamp=time_ms)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(120):
        raise TimeoutError("Kafka did not take all events in 120 s")
    await _wait_until_answered(settings, time.time(), limit_s=900)


def _transfers(
    account: str, count: int, counterparties: int, within: Interval
) -> Iterator[tuple[bytes, int]]:
    """Uniform amounts and counterparties: the hardest case, where no few stand out."""
    chance = random.Random(account)
    for number in range(count):
        sender = f"{account}-{chance.randrange(counterparties):07d}"
        amount = f"{chance.randrange(1, 10**6)}.{chance.randrange(100):02d}"
        transaction_id = uuid.UUID(int=chance.getrandbits(128))
        value = (
            f'{{"from_account_id":"{sender}","to_account_id":"{account}",'
            f'"transaction_id":"{transaction_id}","amount":"{amount}"}}'
        )
        time_ms = within.start_ms + 2 + (within.end_ms - within.start_ms - 4) * number // count
        yield value.encode(), time_ms


async def _wait_until_answered(settings: StackSettings, instant_s: float, limit_s: float) -> None:
    """Wait until everything sent before an instant is in the answers."""
    while time.time() < instant_s + limit_s:
        try:
            data = await asyncio.to_thread(
                ask_gateway, settings.gateway_url, "{ pipeline { asOf } }"
            )
            if datetime.fromisoformat(data["pipeline"]["asOf"]).timestamp() >= instant_s:
                return
        except GraphQLError:
            pass
        await asyncio.sleep(1)
    raise TimeoutError(f"answers do not hold what was sent after {limit_s} s")
