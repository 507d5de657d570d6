"""Whether time tells a stranger which accounts exist: a forbidden account that exists beside one that does not."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from gateway.app import create_app
from gateway.process import logs
from gateway.store.duckdb.store import DuckdbStore
from tests.identity_provider import Trust, token

QUERY = (
    "query ($id: ID!) { account(id: $id) {"
    " topCounterparties(window: {last: {count: 30, unit: DAY}}) { rows { accountId } } } }"
)
KEPT = 0.8
"""Of each kind's times the fastest part is compared: the rest tells of the machine, not of the gateway."""

SEEN = 4.5
"""Welch's t beyond which a difference is called seen, as is usual for leaks of time (dudect)."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of one run in this process, on the embedded store; own accounts show what would be seen."""
    options = parser().parse_args(arguments)
    with TemporaryDirectory() as folder:
        took = asyncio.run(_ask(Path(folder), options.requests, random.Random(options.seed)))
    figures = {name: _figures(times) for name, times in took.items()}
    t = welch_t(_kept(took["forbidden, exists"]), _kept(took["forbidden, does not exist"]))
    control = welch_t(_kept(took["forbidden, exists"]), _kept(took["own"]))
    return {
        "requests": options.requests,
        "microseconds": figures,
        "existence_t": round(t, 2),
        "existence_seen": abs(t) > SEEN,
        "own_account_t": round(control, 2),
        "own_account_seen": abs(control) > SEEN,
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench existence", description=measure.__doc__)
    parser.add_argument("--requests", type=int, default=5_000, help="of each kind")
    parser.add_argument("--seed", type=int, default=7)
    return parser


async def _ask(folder: Path, requests: int, chance: random.Random) -> dict[str, list[float]]:
    store = DuckdbStore(20_000)
    trust = Trust(folder)
    settings = trust.settings(budget_per_s=0, cache=False)
    app = create_app(settings, store, trust.clock.epoch_ms, trust.clock.monotonic)
    await store.open()
    logs.configure("error")
    headers = {"authorization": f"Bearer {token(accounts=['acct-000001'])}"}
    ids = {
        # Equal in length, and each kind asks for many accounts.
        "forbidden, exists": [f"acct-{number:06d}" for number in range(2, 200)],
        "forbidden, does not exist": [f"acct-{number:06d}" for number in range(900_002, 900_200)],
        "own": ["acct-000001"],
    }
    took: dict[str, list[float]] = {name: [] for name in ids}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for turn in range(requests + 20):
            for name in chance.sample(sorted(ids), len(ids)):
                body = {"query": QUERY, "variables": {"id": chance.choice(ids[name])}}
                began = time.perf_counter()
                answer = await client.post("/graphql", json=body, headers=headers)
                if turn >= 20:
                    took[name].append((time.perf_counter() - began) * 1e6)
                assert ("errors" in answer.json()) is (name != "own"), answer.text
    await store.close()
    return took


def welch_t(one: list[float], other: list[float]) -> float:
    """Welch's t of two samples: the difference of their means in units of its own uncertainty."""
    spread = sum(statistics.variance(each) / len(each) for each in (one, other))
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)


def _kept(microseconds: list[float]) -> list[float]:
    return list(itertools.islice(sorted(microseconds), int(KEPT * len(microseconds))))


def _figures(microseconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(microseconds), 1),
        "mean_of_fastest": round(statistics.fmean(_kept(microseconds)), 1),
    }
