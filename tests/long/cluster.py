"""A stack of several of each part under load: what is sent, what both gateways answer meanwhile, and how it is judged."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import httpx

from local_stack import run_file, secure
from local_stack.environment import from_environment
from local_stack.run_file import PartRun
from local_stack.settings import StackSettings
from stream_jobs.topics import clients
from tests.integration.ledger import Transfer, transfers
from tests.integration.running_stack import (
    PORTS,
    RunningStack,
    now_ms,
    parse_ms,
    to_rfc3339,
    wait_until,
)

DAY_MS = 86_400_000
BATCH = 100
EVERY_S = 0.25
RECEIVERS = 8
# A question about all asks the partition of each on its own as well.
ASK_EVERY_S = 0.4
OF_ALL = 0.25
# Beside the stacks of the other tests.
OWN_PORTS = {name: port - 6_000 for name, port in PORTS.items()}
OWN_PORTS["STACK_KAFKA_MTLS_PORT"] = 23_094
OWN_PORTS["STACK_AUDIT_PORT"] = 22_050
ONE = """query One($id: ID!, $window: WindowInput!) {
  account(id: $id) { totals(window: $window) { asOf exact transactionCount transactionAmount } } }"""
ALL = """query All($ids: [ID!]!, $window: WindowInput!) {
  accounts(ids: $ids) { totals(window: $window) { asOf exact transactionCount transactionAmount } } }"""
Sums = tuple[int, Fraction]
NOTHING: Sums = (0, Fraction(0))


class Cluster(RunningStack):
    """A stack that was started with `--cluster`."""

    @property
    def local(self) -> StackSettings:
        return from_environment(self.environment)

    @property
    def kafka(self) -> str:
        return self.local.kafka_servers

    @property
    def gateways(self) -> list[str]:
        return [each.gateway_url for each in self.local.instances("gateway")]

    @property
    def gateway(self) -> str:
        return self.gateways[0]

    def part(self, name: str) -> PartRun:
        """What the supervisor has written down of a part."""
        run = run_file.read(self.local.run_file)
        assert run is not None, "the stack is gone"
        return run.parts[name]

    def wait_restarted(self, part: str, restarts: int) -> None:
        """Wait until the part runs in a later life than its `restarts`-th."""
        wait_until(
            lambda: (now := self.part(part)).restarts > restarts and now.state == "running",
            600,
            f"{part} is not running again",
        )


def in_all(times: list[tuple[int, Counter[str], dict[str, Fraction]]], at: int) -> int:
    """How many of the cumulated batches had been acknowledged by an instant."""
    return sum(1 for acknowledged, *_ in times if acknowledged <= at)


@dataclass
class Flow:
    """Some hundreds of events a second, each fifth batch with some of the one before once more.

    `sums` has for each number of batches what they make, by receiver and for all; `acknowledged_ms` when they were.
    """

    kafka: str
    name: str
    access: Mapping[str, str] = field(default_factory=dict)
    sums: list[dict[str, Sums]] = field(default_factory=lambda: [{}])
    acknowledged_ms: list[int] = field(default_factory=lambda: [0])
    begun: int = 0
    sent: list[Transfer] = field(default_factory=list)

    @property
    def receivers(self) -> list[str]:
        return [f"{self.name}-{number}" for number in range(RECEIVERS)]

    def produce(self, stop: threading.Event) -> None:
        config = {
            "enable.idempotence": True,
            "linger.ms": 5,
            "delivery.timeout.ms": 600_000,
            "log_level": 0,
            # Partitions that are added are written to soon.
            "topic.metadata.refresh.interval.ms": 2_000,
        }
        producer = clients.producer(self.kafka, config, self.access)
        chance = random.Random(self.name)
        before: list[Transfer] = []
        while not stop.is_set():
            batch = self._fresh(chance)
            self.sums.append(self._and(batch))
            self.begun += 1
            again = before[:10] if self.begun % 5 == 0 else []
            for each in (*batch, *again):
                record = each.record()
                producer.produce("transactions", record.value, timestamp=record.time_ms)
            assert producer.flush(600) == 0
            self.acknowledged_ms.append(now_ms())
            self.sent += batch
            before = batch
            stop.wait(EVERY_S)

    def _fresh(self, chance: random.Random) -> list[Transfer]:
        senders = [f"{self.name}-from-{number}" for number in range(200)]
        made = transfers(chance.randrange(2**62), BATCH, senders, 0, 1)
        return [
            Transfer(
                each.transaction_id,
                each.from_account_id,
                chance.choice(self.receivers),
                each.amount,
                now_ms(),
            )
            for each in made
        ]

    def _and(self, batch: list[Transfer]) -> dict[str, Sums]:
        sums = dict(self.sums[-1])
        for each in batch:
            for key in (each.to_account_id, ""):
                count, amount = sums.get(key, NOTHING)
                sums[key] = (count + 1, amount + Fraction(each.amount))
        return sums

    def bounds(self, key: str, as_of_ms: int) -> tuple[Sums, Sums]:
        """The least and the most that an answer may hold: all acknowledged before its asOf, nothing not begun."""
        whole = max(n for n, at in enumerate(list(self.acknowledged_ms)) if at <= as_of_ms)
        return self.sums[whole].get(key, NOTHING), self.sums[self.begun].get(key, NOTHING)


@dataclass
class Asking:
    """One gateway asked all the while; `wrong` is what may never be."""

    url: str
    flow: Flow
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    as_of_ms: dict[str, int] = field(default_factory=dict)
    answered_s: float = 0.0
    longest_gap_s: float = 0.0

    def ask(self, stop: threading.Event) -> None:
        chance = random.Random(self.url)
        while not stop.is_set():
            self.once("" if chance.random() < OF_ALL else chance.choice(self.flow.receivers))
            stop.wait(ASK_EVERY_S)

    def once(self, key: str) -> None:
        """One question, of an account or (``) of all, and what it says judged."""
        bounds = {"start": to_rfc3339(now_ms() - DAY_MS), "end": to_rfc3339(now_ms() + DAY_MS)}
        body = {
            "query": ONE if key else ALL,
            "variables": {
                "window": {"between": bounds},
                **({"id": key} if key else {"ids": self.flow.receivers}),
            },
        }
        try:
            said = httpx.post(f"{self.url}/graphql", json=body, timeout=30, trust_env=False).json()
        except (httpx.HTTPError, ValueError) as error:
            self.refused[type(error).__name__] += 1
            return
        if said.get("errors"):
            self._refusal(said["errors"])
            return
        data = said["data"]
        accounts = [data["account"]] if key else data["accounts"]
        self.judge(key, [each["totals"] for each in accounts])

    def _refusal(self, errors: list[dict[str, Any]]) -> None:
        for error in errors:
            code = error["extensions"]["code"]
            self.refused[code] += 1
            if code not in ("BACKEND_UNAVAILABLE", "DEADLINE_EXCEEDED"):
                self.wrong.append(code)

    def judge(self, key: str, parts: list[dict[str, Any]]) -> None:
        """An answer holds at least all that was acknowledged before its asOf, and no more than was begun."""
        as_of = min(parse_ms(each["asOf"]) for each in parts)
        told: Sums = (
            sum(int(each["transactionCount"]) for each in parts),
            sum((Fraction(each["transactionAmount"]) for each in parts), Fraction(0)),
        )
        least, most = self.flow.bounds(key, as_of)
        if not (least[0] <= told[0] <= most[0] and least[1] <= told[1] <= most[1]):
            self.wrong.append(
                f"{self.url} {key or 'all'}: {told} at {as_of} although {least} to {most}"
            )
        if as_of < self.as_of_ms.get(key, 0):
            self.wrong.append(
                f"{self.url} {key or 'all'}: asOf goes back by {self.as_of_ms[key] - as_of} ms"
            )
        self.as_of_ms[key] = max(as_of, self.as_of_ms.get(key, 0))
        self.answers[key] += 1
        now = time.monotonic()
        if self.answered_s:
            self.longest_gap_s = max(self.longest_gap_s, now - self.answered_s)
        self.answered_s = now

    def forget_gap(self) -> None:
        self.longest_gap_s, self.answered_s = 0.0, time.monotonic()


@dataclass
class Load:
    """The flow and those who ask, and what a fault did to them."""

    flow: Flow
    asking: list[Asking]

    @property
    def wrong(self) -> list[str]:
        return [line for each in self.asking for line in each.wrong]

    def fresh_to_ms(self) -> int:
        """What every gateway has answered of everything."""
        return min(each.as_of_ms.get("", 0) for each in self.asking)

    def under(self, what: str, fault: Callable[[], object], limit_s: float = 600) -> str:
        """Do a fault and wait until every gateway answers with what came after it began; a line of the table."""
        began_ms, began_s = now_ms(), time.monotonic()
        before = sum(sum(each.refused.values()) for each in self.asking)
        for each in self.asking:
            each.forget_gap()
        fault()
        done_ms, done_s = now_ms(), time.monotonic()
        wait_until(
            lambda: self.fresh_to_ms() > done_ms or self.wrong, limit_s, f"{what}: not fresh again"
        )
        assert not self.wrong, self.wrong[:5]
        refused = sum(sum(each.refused.values()) for each in self.asking) - before
        gaps = " ".join(f"{each.longest_gap_s:.1f}" for each in self.asking)
        line = f"| {what} | {done_s - began_s:.0f} s | {time.monotonic() - done_s:.1f} s | {gaps} s | {refused} |"
        print(line, flush=True)
        assert began_ms < done_ms
        return line


@contextmanager
def load(stack: Cluster, name: str) -> Iterator[Load]:
    """Events and questions while the block runs."""
    flow = Flow(stack.kafka, name, secure.kafka_environment(stack.local, "producer"))
    running = Load(flow, [Asking(url, flow) for url in stack.gateways])
    stop = threading.Event()
    threads = [
        threading.Thread(target=target, args=(stop,))
        for target in (flow.produce, *(each.ask for each in running.asking))
    ]
    for thread in threads:
        thread.start()
    try:
        wait_until(
            lambda: (
                running.fresh_to_ms()
                > flow.acknowledged_ms[min(5, len(flow.acknowledged_ms) - 1)]
                > 0
            ),
            180,
            "nothing flows",
        )
        yield running
    finally:
        stop.set()
        for thread in threads:
            thread.join()
