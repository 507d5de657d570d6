"""Many clients, one key: cold all at once, and hot while its answer expires again and again."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from tests.load.gateway.counts import hits_between, store_queries_between
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, measured, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.servers import command

STORE_MS = 1_000.0
KEPT_LONG = {"GATEWAY_CACHE_LIVE_MS": "60000"}
"""Answers outlive the run, so that a second store query can only come of a second flight."""

EXPIRY_STORE_MS = 50.0


def measure(arguments: list[str]) -> dict[str, Any]:
    """Counts the store queries that 10,000 clients cause; then a hot key's latency across expiries."""
    options = parser().parse_args(arguments)
    flags = ("--store-ms", str(STORE_MS))
    with serving("ours", command("ours", *flags), KEPT_LONG) as server:
        cold = _cold(server, options.clients)
    with serving("ours", command("ours", "--store-ms", str(EXPIRY_STORE_MS))) as server:
        expiry = _expiry(server, options.rate, options.seconds)
    _show(cold, expiry)
    return {"case": "stampede", "cold": cold, "expiry": expiry}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway stampede", description=measure.__doc__
    )
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1_000, help="of the hot key (%(default)s/s)")
    parser.add_argument("--seconds", type=float, default=10, help="of the hot key (%(default)s)")
    return parser


def _show(cold: dict[str, Any], expiry: dict[str, Any]) -> None:
    print("| | answered | failed | store queries | p50 | p99 | max |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {cold['clients']:,} at once, cold | {cold['answered']:,} | {cold['failed']} "
        f"| {cold['store_queries']} | {cold['p50_ms']} ms | | {cold['max_ms']} ms |"
    )
    print(
        f"| hot key, {expiry['rate']:,.0f}/s | {expiry['hit_counted'] or 0:.1%} hits "
        f"| {expiry['failed']} | {expiry['store_queries_per_s']}/s | {expiry['p50_ms']} ms "
        f"| {expiry['p99_ms']} ms | {expiry['max_ms']} ms |"
    )


def _one_key(server: Server, *phases: Phase) -> Order:
    return Order(server.port, phases, 64, accounts=1, documents={"top_senders": 1.0})


def _cold(server: Server, clients: int) -> dict[str, Any]:
    """All at once, on a connection each, for a key that nobody has asked for."""
    order = replace(
        _one_key(server, Phase(1, 1)), burst=clients, connections=clients, grace_s=60, accounts=1
    )
    before = server.metrics()
    report = send(order)
    phase = report["phases"][0]
    return {
        "clients": clients,
        "answered": phase["ok"]["count"],
        "failed": phase["failed"],
        "failures": phase.get("failures", {}),
        "store_queries": store_queries_between(before, server.metrics()),
        "store_ms": STORE_MS,
        "p50_ms": phase["ok"]["p50_ms"],
        "max_ms": phase["ok"]["max_ms"],
    }


def _expiry(server: Server, rate: float, seconds: float) -> dict[str, Any]:
    """A hot key at a steady rate, its answer expiring several times a second."""
    order = _one_key(server, Phase(rate, seconds))
    send(replace(order, phases=(Phase(rate, 1),), seed=2))
    before = server.metrics()
    report = measured(server, order)
    after = server.metrics()
    ok = report["phases"][0]["ok"]
    return {
        "rate": rate,
        "failed": report["phases"][0]["failed"],
        "hit_counted": hits_between(before, after),
        "store_queries_per_s": round(store_queries_between(before, after) / seconds, 1),
        "store_ms": EXPIRY_STORE_MS,
        **{name: ok[name] for name in ("p50_ms", "p99_ms", "p999_ms", "max_ms")},
    }
