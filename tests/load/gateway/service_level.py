"""The promise to hold: so many requests a second at a share of hits, with what it costs."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from tests.load.gateway import zipf
from tests.load.gateway.counts import hits_between, store_queries_between
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, measured, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.servers import command
from tests.load.gateway.targets import Target, judged

CONNECTIONS = 128
WARM_UP_S = 3.0
CALIBRATIONS = 3
CLOSE_ENOUGH = 0.005


def measure(arguments: list[str]) -> dict[str, Any]:
    """Open loop over all documents and 500,000 accounts; the store is a stub."""
    options = parser().parse_args(arguments)
    level = hold(options.rate, options.hit, options.seconds, options.ttl, options.store_ms)
    _show(level)
    targets = judged(
        Target("cores of the gateway", level["server_cores"], 1.0, at_least=False),
        Target("p99 in ms", level["ok"]["p99_ms"], 10, at_least=False),
        Target("failed and turned away", level["not_answered"], 0, at_least=False),
    )
    return {"case": "service-level", **level, "targets": targets}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway service-level", description=measure.__doc__
    )
    parser.add_argument("--rate", type=float, default=5_000, help="requests a second (%(default)s)")
    parser.add_argument("--hit", type=float, default=0.95, help="share in the cache (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (%(default)s)")
    parser.add_argument("--ttl", type=float, default=0.25, help="seconds a cached answer lives")
    parser.add_argument("--store-ms", type=float, default=8.0, help="a store query (%(default)s)")
    return parser


def _show(level: dict[str, Any]) -> None:
    print("| requests/s | hits | p50 / p99 / p99.9 | not answered | gateway, client cores |")
    print("|---|---|---|---|---|")
    ok = level["ok"]
    print(
        f"| {level['ok_per_s']:,.0f} | {level['hit_counted'] or 0:.1%} "
        f"| {ok['p50_ms']} / {ok['p99_ms']} / {ok['p999_ms']} ms | {level['not_answered']} "
        f"| {level['server_cores']}, {level['client_cores']} |"
    )


def hold(rate: float, hit: float, seconds: float, life_s: float, store_ms: float) -> dict[str, Any]:
    """Open loop on our gateway, its store a stub that takes `store_ms` a query."""
    with serving("ours", command("ours", "--store-ms", str(store_ms))) as server:
        order = Order(server.port, (Phase(rate, seconds),), CONNECTIONS)
        order = calibrated(server, order, hit, life_s)
        before = server.metrics()
        report = measured(server, order)
        after = server.metrics()
    phase = report["phases"][0]
    phase.pop("slices")
    return {
        "seconds": seconds,
        "accounts": order.accounts,
        "zipf_exponent": round(order.exponent, 3),
        "hit_wanted": hit,
        "hit_counted": hits_between(before, after),
        "store_queries_per_s": round(store_queries_between(before, after) / seconds, 1),
        "server_cores": report["server_cores"],
        "client_cores": report["client_cores"],
        "cpu_us_per_request": report["server_cpu_us_per_request"],
        "not_answered": phase["failed"] + phase.get("rejected", {"count": 0})["count"],
        **phase,
    }


def calibrated(server: Server, order: Order, hit: float, life_s: float) -> Order:
    """The order with the skew of accounts at which the server's cache answers the wanted share.

    Reckoned from how long an entry lives, then corrected by what a short run shows: entries that
    are made anew before they are asked for seem to live longer.
    """
    rate, shares = order.phases[0].rate, tuple(order.documents.values())
    for attempt in range(CALIBRATIONS):
        exponent = zipf.exponent_for(hit, order.accounts, rate, life_s, shares)
        order = replace(order, exponent=exponent)
        before = server.metrics()
        warm = min(WARM_UP_S, order.phases[0].seconds)
        send(replace(order, phases=(Phase(rate, warm),), seed=order.seed + 1 + attempt))
        counted = hits_between(before, server.metrics())
        if counted is None or abs(counted - hit) < CLOSE_ENOUGH:
            break
        life_s = zipf.life_for(counted, exponent, order.accounts, rate, shares)
    return order
