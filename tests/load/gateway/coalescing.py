"""Would questions about several accounts go together well: one store query for many, beside one each."""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

from gateway.caller import EVERYONE
from gateway.clock import system_epoch_ms
from gateway.model import Direction, Interval
from gateway.pinot.store import PinotStore
from gateway.query_plan import TotalsPlan
from gateway.settings import Settings
from tests.load.gateway import mix, zipf
from tests.load.gateway.latency import summary
from tests.load.gateway.running import cpu_of, running_stack
from tests.load.stores.payments import EXPONENT

WINDOW_MS = 30 * 86_400_000
SEED = 11
TIMEOUT_S = 30.0


def measure(arguments: list[str]) -> dict[str, Any]:
    """Totals of so many accounts a query on the stack's Pinot, askers always busy (`./dev up --no-load`)."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway coalescing", description=measure.__doc__
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--askers", type=int, nargs="+", default=[1, 16], help="queries at once")
    parser.add_argument("--seconds", type=float, default=4, help="of each row (%(default)s)")
    options = parser.parse_args(arguments)
    settings, run = running_stack()
    pids = {name: part.process.pid for name, part in run.parts.items() if name.startswith("pinot")}
    rows = asyncio.run(_rows(settings.pinot_broker_url, pids, options))
    _show(rows)
    return {"case": "coalescing", "rows": rows}


async def _rows(url: str, pids: Mapping[str, int], options: argparse.Namespace) -> list[Any]:
    store = PinotStore(Settings(pinot_broker_url=url))
    await store.open()
    try:
        return [
            await _row(store, pids, size, askers, options.seconds)
            for askers in options.askers
            for size in options.sizes
        ]
    finally:
        await store.close()


async def _row(
    store: PinotStore, pids: Mapping[str, int], size: int, askers: int, seconds: float
) -> dict[str, Any]:
    """One kind of query: how many accounts a second, how long a query, what CPU an account."""
    now_ms = system_epoch_ms()
    interval = Interval(now_ms - WINDOW_MS, now_ms)
    ranks = iter(zipf.ranks(random.Random(SEED), zipf.ACCOUNTS, EXPONENT, 1 << 18))
    taken: list[float] = []

    async def ask(ends_s: float) -> None:
        while time.monotonic() < ends_s:
            scope = EVERYONE.may_read(mix.account(next(ranks)) for _ in range(size))
            began_s = time.perf_counter()
            await store.fetch(
                TotalsPlan(scope, frozenset({Direction.RECEIVED}), interval), TIMEOUT_S
            )
            taken.append((time.perf_counter() - began_s) * 1000)

    async def load(for_s: float) -> None:
        await asyncio.gather(*(ask(time.monotonic() + for_s) for _ in range(askers)))

    await load(min(1.0, seconds))
    taken.clear()
    before = {name: cpu_of(pid) for name, pid in pids.items()}
    own_s, began_s = time.process_time(), time.monotonic()
    await load(seconds)
    accounts = size * len(taken)
    return {
        "askers": askers,
        "accounts_a_query": size,
        "accounts_per_s": round(accounts / (time.monotonic() - began_s), 1),
        "pinot_us_per_account": _us(sum(cpu_of(p) - before[n] for n, p in pids.items()), accounts),
        "gateway_us_per_account": _us(time.process_time() - own_s, accounts),
        **summary(taken),
    }


def _us(seconds: float, accounts: int) -> float:
    return round(seconds / max(1, accounts) * 1e6, 1)


def _show(rows: list[dict[str, Any]]) -> None:
    print("| at once | accounts a query | accounts/s | p50 / p99 of a query | Pinot, gateway CPU |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['askers']} | {row['accounts_a_query']} | {row['accounts_per_s']:,.0f} "
            f"| {row['p50_ms']} / {row['p99_ms']} ms "
            f"| {row['pinot_us_per_account']}, {row['gateway_us_per_account']} µs an account |"
        )
