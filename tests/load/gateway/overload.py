"""More than the store can do: how much is still answered, how fast the rest is turned away, and what comes after."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, measured, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.servers import command

PLACES = 4
"""Queries that the stub store works on at a time."""

LIMITER_OFF = dict.fromkeys(
    (f"GATEWAY_STORE_QUERIES_{bound}" for bound in ("LEAST", "START", "MOST")), "100000"
) | {"GATEWAY_SHED_LATE_MS": "0"}
"""A limit that is never reached, and no look at how late requests are seen."""

CONNECTIONS = 4_000
CALM_SHARE, CALM_S, AFTER_S = 0.5, 4.0, 12.0
RECOVERED = 2.0
"""Recovered is who answers within so many times the calm p99 again, for good."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Calm at half the capacity, then a factor of it, then calm again; every request is a miss."""
    options = parser().parse_args(arguments)
    flags = ("--store-ms", str(options.store_ms), "--places", str(PLACES))
    rows: list[dict[str, Any]] = []
    with serving("ours", command("ours", *flags)) as server:
        capacity = _capacity(server)
    for limiter in (True, False):
        for factor in options.factors:
            # A server of its own each: what one overload leaves behind is not the next one's.
            with serving("ours", command("ours", *flags), {} if limiter else LIMITER_OFF) as server:
                row = _overload(server, capacity, factor, options.seconds)
            rows.append({"limiter": limiter, **row})
    _show(rows)
    return {
        "case": "overload",
        "store_capacity_per_s": PLACES * 1000 / options.store_ms,
        "runs": rows,
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway overload", description=measure.__doc__
    )
    parser.add_argument("--factors", type=float, nargs="+", default=[2, 5, 10])
    parser.add_argument("--seconds", type=float, default=10, help="of overload (%(default)s)")
    parser.add_argument(
        "--store-ms", type=float, default=20, help="a query; four at a time (%(default)s)"
    )
    return parser


def _order(server: Server, *phases: Phase) -> Order:
    """Every account alike, so that hardly any key comes twice."""
    return Order(
        server.port, phases, CONNECTIONS, exponent=0.0, documents={"top_senders": 1.0}, grace_s=15
    )


def _capacity(server: Server) -> float:
    """Requests a second with as many connections as the store has places, all busy."""
    order = replace(_order(server, Phase(0, 3)), connections=2 * PLACES)
    send(replace(order, phases=(Phase(0, 1),)))
    return float(send(order)["phases"][0]["ok_per_s"])


def _overload(server: Server, capacity: float, factor: float, seconds: float) -> dict[str, Any]:
    calm = capacity * CALM_SHARE
    phases = (Phase(calm, CALM_S), Phase(capacity * factor, seconds), Phase(calm, AFTER_S))
    report = measured(server, _order(server, *phases))
    before, during, after = report["phases"]
    rejected = during.get("rejected", {})
    return {
        "factor": factor,
        "capacity_per_s": round(capacity, 1),
        "goodput_ratio": round(during["ok_per_s"] / capacity, 3),
        "calm_p99_ms": before["ok"]["p99_ms"],
        "admitted_p50_ms": during["ok"]["p50_ms"],
        "admitted_p99_ms": during["ok"]["p99_ms"],
        "rejected_share": round(rejected.get("count", 0) / (capacity * factor * seconds), 3),
        "reject_p50_ms": rejected.get("p50_ms"),
        "reject_p99_ms": rejected.get("p99_ms"),
        "failed": sum(phase["failed"] for phase in report["phases"]),
        "failures": [kind for phase in report["phases"] for kind in phase.get("failures", ())][:3],
        "recovery_s": recovery_s(before["ok"]["p99_ms"], after, CALM_S + seconds),
        "sent_late_p99_ms": during["sent_late"]["p99_ms"],
        "server_cores": report["server_cores"],
        "client_cores": report["client_cores"],
    }


def recovery_s(calm_p99_ms: float, after: dict[str, Any], ended_s: float) -> float | None:
    """Seconds after the overload's end from which every slice is as fast as before; `None`: never."""
    bound_ms = RECOVERED * calm_p99_ms
    slow = [part["at_s"] for part in after["slices"] if part["p99_ms"] > bound_ms]
    if not after["slices"] or (slow and slow[-1] == after["slices"][-1]["at_s"]):
        return None
    following: list[float] = [
        part["at_s"] for part in after["slices"] if not slow or part["at_s"] > slow[-1]
    ]
    return round(max(0.0, following[0] - ended_s), 2)


def _show(rows: list[dict[str, Any]]) -> None:
    print(
        "| limiter | load | goodput | p99 admitted (calm) | refused, within (p99) | failed | recovery |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {'on' if row['limiter'] else 'off'} | {row['factor']:g} × "
            f"| {row['goodput_ratio']:.2f} × capacity | {row['admitted_p99_ms']} "
            f"({row['calm_p99_ms']}) ms | {row['rejected_share']:.0%}, {row['reject_p99_ms']} ms "
            f"| {row['failed']} | {row['recovery_s']} s |"
        )
