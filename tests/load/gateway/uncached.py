"""Answers that nobody keeps, the store a stub that answers at once: what a GraphQL layer itself costs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.load.gateway import contest, mix
from tests.load.gateway.mercurius import available, mercurius
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, serving
from tests.load.gateway.servers import command
from tests.load.gateway.targets import Target, judged
from tests.load.results import FOLDER

NO_CACHE = {"GATEWAY_CACHE": "false"}
QUIET = {"GATEWAY_LOG_LEVEL": "warning"}


def measure(arguments: list[str]) -> dict[str, Any]:
    """One process each, every connection kept busy, the mix of all documents over 500,000 accounts."""
    options = parser().parse_args(arguments)
    order = Order(
        port=0,
        phases=(),
        connections=contest.CONNECTIONS,
        documents={options.document: 1.0} if options.document else dict(mix.MIX),
        window=mix.FIXED_WINDOW,
    )
    with ExitStack() as stack:
        flags = ("--fixed-clock",)
        ours = stack.enter_context(serving("ours", command("ours", *flags), NO_CACHE))
        contestants = [
            _entered(ours),
            serving("ours-quiet", command("ours", *flags), NO_CACHE | QUIET),
            serving("strawberry-cached", command("strawberry-cached", *flags)),
        ]
        if available():
            data = FOLDER / "mercurius-data.json"
            contestants.append(mercurius(ours, mix.FIXED_WINDOW, data))
        figures = contest.run(contestants, order, options.turn, options.rounds)
    contest.show(figures)
    figures["ours_to_strawberry_cached"] = contest.ratio(figures, "ours", "strawberry-cached")
    found = figures["ours_to_strawberry_cached"]["requests_per_s"]
    promised = [Target("requests/s to Strawberry's with its caches", found, 3)]
    if available():
        figures["ours_to_mercurius"] = contest.ratio(figures, "ours", "mercurius")
        found = figures["ours_to_mercurius"]["requests_per_s"]
        promised.append(Target("requests/s to Mercurius' with graphql-jit", found, 0.7))
    return {
        "case": "uncached",
        "document": options.document or "mix",
        **figures,
        "targets": judged(*promised),
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway uncached", description=measure.__doc__
    )
    parser.add_argument("--turn", type=float, default=5, help="seconds of each turn (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    parser.add_argument(
        "--document", choices=sorted(mix.MIX), help="this document alone instead of the mix"
    )
    return parser


@contextmanager
def _entered(server: Server) -> Iterator[Server]:
    yield server
