"""Answers that are in the cache: ours beside a constant answer and Strawberry as it comes."""

from __future__ import annotations

import argparse
from typing import Any

from tests.load.gateway import contest
from tests.load.gateway.mix import LAST_30_DAYS
from tests.load.gateway.orders import Order
from tests.load.gateway.running import serving
from tests.load.gateway.servers import NAMES, command
from tests.load.gateway.targets import Target, judged

HOT_ACCOUNTS = 10
QUIET = {"GATEWAY_LOG_LEVEL": "warning"}
KEPT_LONG = {"GATEWAY_CACHE_LIVE_MS": "600000"}
"""Answers outlive the run: every request is a hit, as every request for a constant is."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """One worker each on uvicorn, uvloop and httptools; every connection kept busy."""
    options = parser().parse_args(arguments)
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
    contestants.append(serving("ours-hits", command("ours"), KEPT_LONG))
    figures = contest.run(contestants, order, options.turn, options.rounds)
    contest.show(figures)
    figures["ours_to_stock"] = contest.ratio(figures, "ours", "strawberry")
    figures["ours_to_constant"] = contest.ratio(figures, "ours", "constant")
    figures["hits_to_constant"] = contest.ratio(figures, "ours-hits", "constant")
    return {"case": "cached", **figures, "targets": _targets(figures)}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench gateway cached", description=measure.__doc__)
    parser.add_argument("--turn", type=float, default=5, help="seconds of each turn (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    return parser


def _targets(figures: dict[str, Any]) -> list[dict[str, Any]]:
    promised = [
        Target("requests/s to stock Strawberry's", figures["ours_to_stock"]["requests_per_s"], 50),
        Target("requests/s to a constant's", figures["ours_to_constant"]["requests_per_s"], 0.6),
        Target("a hit's CPU to a constant's", figures["hits_to_constant"]["cpu"], 0.6),
    ]
    return judged(*promised)
