"""What each layer that shares or spares store queries gains: one switched off at a time, beside all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from statistics import median
from typing import Any

from local_stack.settings import StackSettings
from tests.load.gateway.counts import store_queries_between
from tests.load.gateway.end_to_end import cpu_per_s, fill, gateway_on, pinot_of, watched_run
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, running_stack, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.service_level import calibrated
from tests.load.stores.payments import EXPONENT

SEED = 17
CASES = {
    "misses": ("nothing", "operation", "rows", "rankings", "cohorts"),
    "hits": ("nothing", "flights", "operation", "rows", "rankings", "cohorts"),
    "stub-misses": ("nothing", "operation"),
    "stub-hits": ("nothing", "flights"),
}
"""What is switched off, on Pinot and on a stub that takes `STUB_MS` a query; without a cache and with one."""

STUB_MS = "20"
FEW = 8
"""Connections that are always busy where there is no cache: so few that none is refused."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """All documents, mixed, to gateways that are asked in turn on the stack's Pinot (`./dev up --no-load`)."""
    options = parser().parse_args(arguments)
    settings, run = running_stack()
    if options.transfers:
        with gateway_on(settings, cache=False) as server:
            fill(settings, server, options.transfers)
    pinot = {name: part.process.pid for name, part in run.parts.items() if "pinot" in name}
    found = {case: _case(settings, pinot, case, options) for case in options.cases}
    return {"case": "sharing", "without": found}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway sharing", description=measure.__doc__
    )
    parser.add_argument("--transfers", type=int, default=300_000, help="sent first (%(default)s)")
    parser.add_argument("--seconds", type=float, default=6, help="of each run (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind, in turn (%(default)s)")
    parser.add_argument("--hits", type=float, default=0.9, help="where there is a cache")
    parser.add_argument("--rate", type=float, default=300, help="where there is a cache")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    return parser


def _case(
    settings: StackSettings, pinot: Mapping[str, int], case: str, options: argparse.Namespace
) -> dict[str, Any]:
    with ExitStack() as stack:
        running = [stack.enter_context(_without(settings, case, layer)) for layer in CASES[case]]
        order = Order(0, (Phase(0, options.seconds),), FEW, SEED, exponent=EXPONENT)
        if case.endswith("hits"):
            phases, port = (Phase(options.rate, options.seconds),), running[0].port
            order = replace(order, phases=phases, connections=128, port=port)
            order = calibrated(running[0], order, options.hits, 0.25)
        turns = _turns(running, {} if case.startswith("stub") else pinot, order, options)
    found = {layer: _middle(runs) for layer, runs in zip(CASES[case], turns, strict=True)}
    _show(case, found)
    return found


def _without(settings: StackSettings, case: str, layer: str) -> AbstractContextManager[Server]:
    words = [sys.executable, "-P", "-m", "tests.load.gateway.without", layer]
    cache = case.endswith("hits")
    if case.startswith("stub"):
        words = [*words, "ours", "--store-ms", STUB_MS, "{port}"]
        return serving(f"without-{layer}", words, {"GATEWAY_CACHE": str(cache).lower()})
    return gateway_on(settings, cache=cache, command=words)


def _turns(
    running: Sequence[Server], pinot: Mapping[str, int], order: Order, options: argparse.Namespace
) -> list[list[dict[str, Any]]]:
    for server in running:
        send(replace(order, port=server.port))
    turns: list[list[dict[str, Any]]] = [[] for _ in running]
    for number in range(options.rounds):
        idle = cpu_per_s(pinot, options.seconds / 2)
        for server, runs in zip(running, turns, strict=True):
            asked = replace(order, port=server.port, seed=SEED + 1 + number)
            runs.append(_run(server, pinot, idle, asked, options.seconds))
            print(server.port, runs[-1], file=sys.stderr, flush=True)
    return turns


def _run(
    server: Server,
    pinot: Mapping[str, int],
    idle: Mapping[str, float],
    order: Order,
    seconds: float,
) -> dict[str, Any]:
    before = server.metrics()
    found = watched_run(server, {**pinot, "gateway": server.pids[0]}, order)
    ok, cpu_s = found["phase"]["ok"], found["cpu_s"]
    pinot_s = pinot_of(cpu_s) - seconds * pinot_of(idle)
    return {
        "queries_per_s": found["phase"]["ok_per_s"],
        "gateway_us": round(cpu_s["gateway"] / ok["count"] * 1e6, 1),
        "pinot_us": round(max(0.0, pinot_s) / ok["count"] * 1e6, 1),
        "store_queries": store_queries_between(before, server.metrics()) / ok["count"],
        "p50_ms": ok["p50_ms"],
        "p99_ms": ok["p99_ms"],
        "hit": found["hit"] or 0.0,
        "not_answered": found["refused_share"],
    }


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: round(median(run[name] for run in runs), 3) for name in runs[0]}


def _show(case: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    print(
        f"\n{case}:\n| without | queries/s | p50 / p99 | CPU a query: gateway, Pinot | store queries |"
    )
    print("|---|---|---|---|---|")
    for layer, row in found.items():
        print(
            f"| {layer} | {row['queries_per_s']:,.0f} | {row['p50_ms']} / {row['p99_ms']} ms "
            f"| {row['gateway_us']:,.0f}, {row['pinot_us']:,.0f} µs | {row['store_queries']} |"
        )
