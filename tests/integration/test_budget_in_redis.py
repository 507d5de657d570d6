"""Budgets that several gateways share, in a real Redis that comes and goes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from pathlib import Path

import pytest

from gateway.access.budget.balance import Balance, Rate
from gateway.access.budget.shared import SharedBudget, connect
from gateway.process import logs

pytestmark = pytest.mark.anyio
WITHIN_S = 10


class Redis:
    """A server of our own on a free loopback port, without a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        give_up_at = time.monotonic() + WITHIN_S
        while time.monotonic() < give_up_at:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise TimeoutError("redis-server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(WITHIN_S)
            self._process = None


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


async def charge(budget: SharedBudget, subject: str, cost: int) -> Balance:
    charged = budget.charge(subject, cost)
    return await charged if isinstance(charged, Awaitable) else charged


MakeGateway = Callable[[Rate], tuple[SharedBudget, Counter[str]]]


@pytest.fixture
async def gateway(redis: Redis) -> AsyncIterator[MakeGateway]:
    """Makes gateways' budgets; they are patient, so that a slow machine is not taken for a lost Redis."""
    opened: list[SharedBudget] = []

    def make(rate: Rate) -> tuple[SharedBudget, Counter[str]]:
        counted: Counter[str] = Counter()

        def count(result: str) -> None:
            counted[result] += 1

        client = connect(redis.url, WITHIN_S)
        opened.append(SharedBudget(rate, client, time.monotonic, count, WITHIN_S))
        return opened[-1], counted

    yield make
    for budget in opened:
        await budget.close()


async def test_two_gateways_together_grant_what_one_would(gateway: MakeGateway) -> None:
    rate = Rate(per_s=1, burst=1_000)
    gateways = [gateway(rate)[0] for _ in range(2)]
    granted, began = 0, time.monotonic()
    for number in range(300):
        balance = await charge(gateways[number % 2], "someone", 10)
        granted += balance.granted * 10
    flowed_in = time.monotonic() - began
    assert 980 <= granted <= 1_020 + flowed_in
    refused = await charge(gateways[0], "someone", 10)
    assert not refused.granted
    assert 1 <= refused.retry_after_s <= 10
    assert (await charge(gateways[1], "someone else", 10)).granted


async def test_charges_at_once_never_grant_more_than_there_is(gateway: MakeGateway) -> None:
    gateways = [gateway(Rate(per_s=100, burst=1_000))[0] for _ in range(2)]
    began = time.monotonic()
    balances: list[Balance] = []
    while len(balances) < 400:
        balances += await asyncio.gather(*(charge(gateways[n % 2], "crowd", 10) for n in range(48)))
    took_s = time.monotonic() - began
    granted = sum(10 for balance in balances if balance.granted)
    assert granted <= 1_000 + 100 * took_s + 10


async def test_a_crowd_of_callers_waits_for_a_connection_and_does_not_lose_redis(
    gateway: MakeGateway,
) -> None:
    budget, counted = gateway(Rate(per_s=1, burst=10))
    balances = await asyncio.gather(*(charge(budget, f"caller {n}", 10) for n in range(300)))
    assert all(balance.granted for balance in balances)
    assert counted == {"asked": 300}


async def test_most_charges_come_out_of_a_lease(gateway: MakeGateway) -> None:
    budget, counted = gateway(Rate(per_s=100_000, burst=1_000_000))
    for _ in range(200):
        assert (await charge(budget, "busy", 50)).granted
    assert counted["lease"] >= 190
    assert isinstance(budget.charge("busy", 1), Balance)


async def test_without_redis_each_gateway_counts_for_itself_and_says_so_once(
    redis: Redis, gateway: MakeGateway
) -> None:
    told = StringIO()
    logs.configure("info", told)
    rate = Rate(per_s=10, burst=100)
    budget, counted = gateway(rate)
    assert (await charge(budget, "someone", 10)).granted
    redis.stop()
    began = time.monotonic()
    balances = [await charge(budget, "someone", 10) for _ in range(30)]
    assert time.monotonic() - began < WITHIN_S, "they have waited for Redis"
    assert [each.granted for each in balances[:9]] == [True] * 9
    assert not balances[-1].granted
    assert told.getvalue().count("budget_redis_away") == 1
    assert counted["fallback"]
    redis.start()
    give_up_at = time.monotonic() + WITHIN_S
    while "budget_redis_back" not in told.getvalue():
        assert time.monotonic() < give_up_at
        await charge(budget, "someone", 1)
        await asyncio.sleep(0)
