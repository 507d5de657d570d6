"""Answers that are in the cache: ours beside a constant answer and Strawberry as it comes."""

from __future__ import annotations

import argparse
from typing import Any

from tests.load.gateway import contest
from tests.load.gateway.mix import LAST_30_DAYS
from tests.load.gateway.orders import Order
from tests.load.gateway.running import serving
from tests.load.gateway.servers import NAMES, command
from tests.load.gateway.service_level import hold
from tests.load.gateway.targets import Target, judged

HOT_ACCOUNTS = 10
QUIET = {"GATEWAY_LOG_LEVEL": "warning"}


def measure(arguments: list[str]) -> dict[str, Any]:
    """One worker each on uvicorn, uvloop and httptools; every connection kept busy. Then the service level."""
    parser = argparse.ArgumentParser(prog="./dev bench gateway cached", description=measure.__doc__)
    parser.add_argument("--turn", type=float, default=5, help="seconds of each turn (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    parser.add_argument(
        "--rate", type=float, default=5_000, help="service level: requests a second"
    )
    parser.add_argument("--hit", type=float, default=0.95, help="service level: share in the cache")
    parser.add_argument("--seconds", type=float, default=60, help="service level: how long; 0: not")
    parser.add_argument("--ttl", type=float, default=0.25, help="seconds a cached answer lives")
    parser.add_argument("--store-ms", type=float, default=8.0, help="service level: a store query")
    options = parser.parse_args(arguments)
    order = Order(
        port=0,
        phases=(),
        connections=contest.CONNECTIONS,
        accounts=HOT_ACCOUNTS,
        documents={"top_senders": 1.0},
        window=LAST_30_DAYS,
    )
    contestants = [serving(name, command(name)) for name in NAMES]
    contestants.append(serving("ours-quiet", command("ours"), QUIET))
    figures = contest.run(contestants, order, options.turn, options.rounds)
    contest.show(figures)
    figures["ours_to_stock"] = contest.ratio(figures, "ours", "strawberry")
    figures["ours_to_constant"] = contest.ratio(figures, "ours", "constant")
    if options.seconds > 0:
        figures["service_level"] = hold(
            options.rate, options.hit, options.seconds, options.ttl, options.store_ms
        )
    return {"case": "cached", **figures, "targets": _targets(figures)}


def _targets(figures: dict[str, Any]) -> list[dict[str, Any]]:
    promised = [
        Target("requests/s to stock Strawberry's", figures["ours_to_stock"]["requests_per_s"], 50),
        Target("requests/s to a constant's", figures["ours_to_constant"]["requests_per_s"], 0.6),
    ]
    level = figures.get("service_level")
    if level:
        promised += [
            Target("cores of the gateway", level["server_cores"], 1.0, at_least=False),
            Target("p99 in ms", level["ok"]["p99_ms"], 10, at_least=False),
            Target("failed and turned away", level["not_answered"], 0, at_least=False),
        ]
    return judged(*promised)
