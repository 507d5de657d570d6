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
from contextlib import contextmanager
from typing import Any

import aiohttp
import psutil

from local_stack.settings import CHECKOUT
from tests.hostile_documents import documents

GOOD = (
    '{ account(id: "acct-000001") { topCounterparties(window: {last: {count: 30, unit: DAY}}) '
    "{ rows { rank accountId transactionAmount } } } }"
)
HANG_S = 30.0


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run: good users alone, then beside the attack, on the embedded store."""
    parser = argparse.ArgumentParser(prog="./dev bench hostile", description=measure.__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--good-per-s", type=int, default=20)
    parser.add_argument("--attackers", type=int, default=2, help="connections that attack")
    parser.add_argument("--attacks-per-s", type=int, default=100, help="0: as fast as they can")
    options = parser.parse_args(arguments)
    with _gateway() as (url, process):
        return asyncio.run(_run(url, process, options))


async def _run(url: str, process: psutil.Process, options: argparse.Namespace) -> dict[str, Any]:
    statuses: Counter[int] = Counter()
    made = documents(options.seed, options.documents)
    # Budgets tell attackers from good users by their address.
    elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        aiohttp.ClientSession() as session,
        aiohttp.ClientSession(connector=elsewhere) as hostile,
    ):
        # The first thousands fill what is kept of documents, which is bounded.
        await _attack(hostile, url, documents(options.seed + 1, 2_000), Counter(), options)
        alone = await _good(session, url, options.good_per_s, until=_after(15))
        rss_before = process.memory_info().rss
        cpu_before, own_before = _cpu_s(process), time.process_time()
        began = time.monotonic()
        attack = asyncio.ensure_future(_attack(hostile, url, made, statuses, options))
        beside = await _good(session, url, options.good_per_s, until=attack.done)
        await attack
    took_s = time.monotonic() - began
    rss_after = process.memory_info().rss
    gateway_s, own_s = _cpu_s(process) - cpu_before, time.process_time() - own_before
    return {
        "documents": options.documents,
        "seed": options.seed,
        "attack_s": round(took_s, 1),
        "gateway_cores": round(gateway_s / took_s, 3),
        "generator_cores": round(own_s / took_s, 3),
        "gateway_cpu_ms_per_request": round(
            1000 * gateway_s / (options.documents + len(beside)), 3
        ),
        "statuses": {str(key): value for key, value in sorted(statuses.items())},
        "server_errors": sum(n for status, n in statuses.items() if status >= 500),
        "good_alone_ms": _figures(alone),
        "good_beside_ms": _figures(beside),
        "good_p99_ratio": round(_figures(beside)["p99"] / _figures(alone)["p99"], 2),
        "rss_before_mb": round(rss_before / 2**20, 1),
        "rss_growth_percent": round(100 * (rss_after - rss_before) / rss_before, 1),
    }


async def _attack(
    session: aiohttp.ClientSession,
    url: str,
    made: Iterable[tuple[str, str]],
    statuses: Counter[int],
    options: argparse.Namespace,
) -> None:
    queue = iter(made)
    pause_s = options.attackers / options.attacks_per_s if options.attacks_per_s else 0.0

    async def attacker() -> None:
        for _, text in queue:
            began = time.monotonic()
            statuses[await _post(session, url, text)] += 1
            await asyncio.sleep(max(0.0, pause_s - (time.monotonic() - began)))

    await asyncio.gather(*(attacker() for _ in range(options.attackers)))


async def _good(
    session: aiohttp.ClientSession, url: str, per_s: int, until: Callable[[], bool]
) -> list[float]:
    milliseconds = []
    while not until():
        began = time.monotonic()
        assert await _post(session, url, GOOD) == 200
        took_s = time.monotonic() - began
        milliseconds.append(took_s * 1000)
        await asyncio.sleep(max(0.0, 1 / per_s - took_s))
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
