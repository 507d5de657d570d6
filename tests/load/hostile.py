"""Hostile documents against a gateway of its own, with good users' traffic beside them."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

import aiohttp
import psutil

from local_stack.settings import CHECKOUT
from tests.hostile_documents import documents

GOOD = (
    '{ account(id: "acct-000001") { topCounterparties(window: {last: {count: 30, unit: DAY}}) '
    "{ rows { rank accountId transactionAmount } } } }"
)
HANG_S = 30.0
ATTACKER, FIRST_USER = "127.0.0.2", 10


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run: good users alone, then beside the attack, on the embedded store."""
    options = parser().parse_args(arguments)
    with _gateway() as (url, process):
        return asyncio.run(_run(url, process, options))


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench hostile", description=measure.__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--good-users", type=int, default=4)
    parser.add_argument("--good-per-s", type=int, default=20, help="requests of each")
    parser.add_argument("--attackers", type=int, default=2, help="connections that attack")
    parser.add_argument("--attacks-per-s", type=int, default=100, help="0: as fast as they can")
    return parser


async def _run(url: str, process: psutil.Process, options: argparse.Namespace) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    # A process of its own: to make a document can take longer than a good user's answer.
    with get_context("spawn").Pool(1) as pool:

        def attacked(seed: int, count: int) -> asyncio.Future[Attacked]:
            ended: asyncio.Future[Attacked] = loop.create_future()
            pool.apply_async(
                attack,
                (url, seed, count, options),
                callback=lambda done: loop.call_soon_threadsafe(ended.set_result, done),
                error_callback=lambda error: loop.call_soon_threadsafe(ended.set_exception, error),
            )
            return ended

        async with AsyncExitStack() as stack:
            users = [
                await stack.enter_async_context(_session(f"127.0.0.{number}"))
                for number in range(FIRST_USER, FIRST_USER + options.good_users)
            ]
            # The first thousands fill what is kept of documents, which is bounded.
            await attacked(options.seed + 1, 2_000)
            alone = await _good(users, url, options.good_per_s, until=_after(15))
            rss_before = process.memory_info().rss
            cpu_before, own_before = _cpu_s(process), time.process_time()
            began = time.monotonic()
            under_way = attacked(options.seed, options.documents)
            beside = await _good(users, url, options.good_per_s, until=under_way.done)
            done = await under_way
    took_s = time.monotonic() - began
    rss_after = process.memory_info().rss
    gateway_s, own_s = _cpu_s(process) - cpu_before, time.process_time() - own_before
    return {
        "documents": options.documents,
        "seed": options.seed,
        "attack_s": round(took_s, 1),
        "gateway_cores": round(gateway_s / took_s, 3),
        "generator_cores": round((own_s + done.cpu_s) / took_s, 3),
        "gateway_cpu_ms_per_request": round(
            1000 * gateway_s / (options.documents + len(beside)), 3
        ),
        "statuses": {str(key): value for key, value in sorted(done.statuses.items())},
        "server_errors": sum(n for status, n in done.statuses.items() if status >= 500),
        "good_answers": {"alone": len(alone), "beside": len(beside)},
        "good_alone_ms": _figures(alone),
        "good_beside_ms": _figures(beside),
        "good_p99_ratio": round(_figures(beside)["p99"] / _figures(alone)["p99"], 2),
        "rss_before_mb": round(rss_before / 2**20, 1),
        "rss_growth_percent": round(100 * (rss_after - rss_before) / rss_before, 1),
    }


class Attacked(NamedTuple):
    """What hostile documents were answered, by HTTP status, and the CPU that sending them took."""

    statuses: Counter[int]
    cpu_s: float


def attack(url: str, seed: int, count: int, options: argparse.Namespace) -> Attacked:
    """Send hostile documents, and nothing else, from this process."""
    began_s = time.process_time()
    statuses = asyncio.run(_attack(url, documents(seed, count), options))
    return Attacked(statuses, time.process_time() - began_s)


async def _attack(
    url: str, made: Iterable[tuple[str, str]], options: argparse.Namespace
) -> Counter[int]:
    queue = iter(made)
    pause_s = options.attackers / options.attacks_per_s if options.attacks_per_s else 0.0
    statuses: Counter[int] = Counter()

    async def attacker(session: aiohttp.ClientSession) -> None:
        for _, text in queue:
            began = time.monotonic()
            statuses[await _post(session, url, text)] += 1
            await asyncio.sleep(max(0.0, pause_s - (time.monotonic() - began)))

    async with _session(ATTACKER) as session:
        await asyncio.gather(*(attacker(session) for _ in range(options.attackers)))
    return statuses


def _session(address: str) -> aiohttp.ClientSession:
    """A client at one of the loopback's addresses: budgets tell strangers apart by theirs."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0)))


async def _good(
    users: list[aiohttp.ClientSession], url: str, per_s: int, until: Callable[[], bool]
) -> list[float]:
    """Milliseconds of each answer; users ask in turns, each `per_s` times a second."""
    milliseconds = []

    async def asking(session: aiohttp.ClientSession, number: int) -> None:
        await asyncio.sleep(number / len(users) / per_s)
        while not until():
            began = time.monotonic()
            assert await _post(session, url, GOOD) == 200
            took_s = time.monotonic() - began
            milliseconds.append(took_s * 1000)
            await asyncio.sleep(max(0.0, 1 / per_s - took_s))

    await asyncio.gather(*(asking(session, number) for number, session in enumerate(users)))
    return milliseconds


async def _post(session: aiohttp.ClientSession, url: str, text: str) -> int:
    body = json.dumps({"query": text.encode("utf-8", "replace").decode()})
    timeout = aiohttp.ClientTimeout(total=HANG_S)
    headers = {"Content-Type": "application/json"}
    async with session.post(url, data=body, headers=headers, timeout=timeout) as response:
        await response.read()
        return response.status


@contextmanager
def _gateway() -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "GATEWAY_STORE": "duckdb",
        "GATEWAY_PORT": str(port),
        "GATEWAY_ANONYMOUS_BUDGET_PER_S": "2000",
        "GATEWAY_ANONYMOUS_BUDGET_BURST": "20000",
    }
    command = [sys.executable, "-m", "gateway"]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL) as it:
        try:
            give_up_at = time.monotonic() + HANG_S
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                if time.monotonic() > give_up_at:
                    raise TimeoutError("the gateway did not start")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/graphql", psutil.Process(it.pid)
        finally:
            it.terminate()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _figures(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }
