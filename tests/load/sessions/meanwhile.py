"""What goes on beside the questions: payments arrive, and some answers are looked at: whose, how old, exact?"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
from confluent_kafka import Producer

from tests.load.gateway.latency import summary
from tests.load.gateway.running import Server
from tests.load.sessions.payments import Live, Population, Received
from tests.load.stores.payments import cents_of

LOOK_EVERY_S = 0.2
TICK_S = 0.02
QUESTION = """query ($id: ID!) { account(id: $id) { totals(window: {last: {count: 30, unit: DAY}}) {
  asOf exact window { start end } transactionCount transactionAmount
} } }"""


@contextmanager
def arriving(
    kafka: str, people: Population, known: Mapping[str, Received], rate: float
) -> Iterator[None]:
    """Payments between the population's accounts, so many a second, while the block runs."""
    # Others each time: a transaction that came before counts no second time.
    chance = random.Random(time.time_ns())
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 5, "compression.type": "lz4"})
    over = threading.Event()

    def run() -> None:
        due_s = time.monotonic()
        while rate and not over.wait(TICK_S):
            while due_s <= time.monotonic():
                due_s += 1 / rate
                _produce(producer, people, known, chance)
            producer.poll(0)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        producer.flush(30)


def _produce(
    producer: Producer, people: Population, known: Mapping[str, Received], chance: random.Random
) -> None:
    now_ms = time.time_ns() // 1_000_000
    each = people.transfer(chance, now_ms)
    live = Live(now_ms, each.cents, now_ms)
    if each.payee in known:
        known[each.payee].live.append(live)

    def there(_error: object, _message: object) -> None:
        live.there_ms = time.time_ns() // 1_000_000

    producer.produce("transactions", each.event(), timestamp=now_ms, on_delivery=there)


@dataclass(slots=True)
class Looks:
    """What was found of the answers that were looked at."""

    ages_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    inexact: int = 0
    refused: int = 0

    def report(self) -> dict[str, Any]:
        """The figures."""
        return {
            "looked_at": len(self.ages_ms),
            "wrong": len(self.wrong),
            "wrong_first": self.wrong[:3],
            "inexact": self.inexact,
            "refused": self.refused,
            "age": summary(self.ages_ms),
        }


@contextmanager
def looking(server: Server, known: Mapping[str, Received], seed: int) -> Iterator[Looks]:
    """Ask about one account after the other while the block runs, and compare with what was sent."""
    found, over = Looks(), threading.Event()
    accounts = sorted(known)

    def run() -> None:
        chance = random.Random(f"looks {seed}")
        with httpx.Client(trust_env=False, timeout=30) as client:
            while accounts and not over.wait(LOOK_EVERY_S):
                account = chance.choice(accounts)
                _look(client, server, account, known[account], found)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _look(
    client: httpx.Client, server: Server, account: str, known: Received, found: Looks
) -> None:
    url = f"http://127.0.0.1:{server.port}/graphql"
    answer = client.post(url, json={"query": QUESTION, "variables": {"id": account}}).json()
    answered_ms = time.time_ns() // 1_000_000
    if answer.get("errors"):
        found.refused += 1
        return
    totals = answer["data"]["account"]["totals"]
    start_ms, end_ms = (_ms(totals["window"][name]) for name in ("start", "end"))
    as_of_ms = _ms(totals["asOf"])
    told = totals["transactionCount"], cents_of(Decimal(totals["transactionAmount"]))
    least, most = known.bounds(start_ms, end_ms, as_of_ms, answered_ms)
    found.ages_ms.append(answered_ms - as_of_ms)
    found.inexact += not totals["exact"]
    if not all(low <= each <= high for low, each, high in zip(least, told, most, strict=True)):
        found.wrong.append(f"{account} as of {as_of_ms}: {told}, not {least} to {most}")


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
