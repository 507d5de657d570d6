"""The promise to hold: so many requests a second at a share of hits, with what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.load.gateway import zipf
from tests.load.gateway.counts import hits_between, store_queries_between
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, measured, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.servers import command

CONNECTIONS = 128
WARM_UP_S = 3.0
CALIBRATIONS = 3
CLOSE_ENOUGH = 0.005


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
