"""Totals of several operations in one store query, on and off in turn: queries/s, delays, CPU."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any

from local_stack.settings import StackSettings
from tests.load.gateway import mix
from tests.load.gateway.end_to_end import (
    OPEN_LOOP_SHARE,
    fill,
    gateway_on,
    pinot_of,
    watched_run,
)
from tests.load.gateway.orders import Order
from tests.load.gateway.running import running_stack
from tests.load.gateway.schedule import Phase
from tests.load.stores.payments import EXPONENT

SEED = 13
DOCUMENTS = {"totals": {"account_totals": 1.0}, "mix": dict(mix.MIX)}
"""What is asked: account totals only, or everything that a front end asks."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Misses only, on the stack's Pinot (`./dev up --no-load`), with and without gathering."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway gathering", description=measure.__doc__
    )
    parser.add_argument("--transfers", type=int, default=300_000, help="sent first (%(default)s)")
    parser.add_argument("--seconds", type=float, default=6, help="of each run (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind, in turn (%(default)s)")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--accounts", type=int, default=16, help="of a query (%(default)s)")
    parser.add_argument("--wait-ms", type=int, default=5, help="for others (%(default)s)")
    options = parser.parse_args(arguments)
    settings, run = running_stack()
    if options.transfers:
        with gateway_on(settings, cache=False) as server:
            fill(settings, server, options.transfers)
    pinot = {name: part.process.pid for name, part in run.parts.items() if "pinot" in name}
    rows = [
        {"asked": asked, **_compared(settings, pinot, documents, options)}
        for asked, documents in DOCUMENTS.items()
    ]
    _show(rows)
    return {"case": "gathering", "accounts": options.accounts, "rows": rows}


def _compared(
    settings: StackSettings,
    pinot: Mapping[str, int],
    documents: dict[str, float],
    options: argparse.Namespace,
) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
    rate = 0.0
    for _ in range(options.rounds):
        for kind, runs in found.items():
            accounts = options.accounts if kind == "on" else 1
            runs.append(_run(settings, pinot, documents, accounts, rate, options))
            # Delays are compared at one rate, which the slower kind carries.
            rate = rate or runs[0]["queries_per_s"] * OPEN_LOOP_SHARE
    return {kind: _middle(runs) for kind, runs in found.items()}


def _run(
    settings: StackSettings,
    pinot: Mapping[str, int],
    documents: dict[str, float],
    accounts: int,
    rate: float,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Closed loop for what it carries; open loop at the common rate for delays and CPU."""
    others = {
        "GATEWAY_STORE_GATHER_ACCOUNTS": str(accounts),
        "GATEWAY_STORE_GATHER_MS": str(options.wait_ms),
    }
    with gateway_on(settings, cache=False, others=others) as server:
        watched = {**pinot, "gateway": server.pids[0]}
        order = Order(
            server.port, (), options.connections, SEED, exponent=EXPONENT, documents=documents
        )
        watched_run(server, watched, replace(order, phases=(Phase(0, 2.0),)))
        most = watched_run(server, watched, replace(order, phases=(Phase(0, options.seconds),)))
        rate = rate or most["phase"]["ok_per_s"] * OPEN_LOOP_SHARE
        steady_order = replace(order, phases=(Phase(rate, options.seconds),), connections=256)
        steady = watched_run(server, watched, steady_order)
    queries = steady["phase"]["ok"]["count"]
    return {
        "queries_per_s": most["phase"]["ok_per_s"],
        "refused_share": most["refused_share"],
        "gateway_us": round(steady["cpu_s"]["gateway"] / queries * 1e6, 1),
        "pinot_us": round(pinot_of(steady["cpu_s"]) / queries * 1e6, 1),
        "rate": round(rate, 1),
        "p50_ms": steady["phase"]["ok"]["p50_ms"],
        "p99_ms": steady["phase"]["ok"]["p99_ms"],
        "failed": most["phase"]["failed"] + steady["phase"]["failed"],
    }


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: round(median(run[name] for run in runs), 2) for name in runs[0]}


def _show(rows: list[dict[str, Any]]) -> None:
    print("| asked | gathering | queries/s | refused | p50 / p99 at the same rate | CPU |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        for kind in ("off", "on"):
            found = row[kind]
            print(
                f"| {row['asked']} | {kind} | {found['queries_per_s']:,.0f} | {found['refused_share']:.0%} "
                f"| {found['p50_ms']} / {found['p99_ms']} ms at {found['rate']:,.0f}/s "
                f"| gateway {found['gateway_us']:,.0f}, Pinot {found['pinot_us']:,.0f} µs a query |"
            )
