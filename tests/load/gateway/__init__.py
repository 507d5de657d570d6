"""`./dev bench gateway CASE`: the gateway under load, beside what else one could serve with."""

from __future__ import annotations

import importlib
import sys
from typing import Any

CASES = {
    "cached": "answers from the cache beside a constant answer and Strawberry",
    "service_level": "5,000 requests a second at 95 % hits for a minute: latency, errors, cores",
    "uncached": "the GraphQL layer alone beside Strawberry with its caches and Mercurius on Node",
    "end_to_end": "the running stack at four shares of hits, CPU by process",
    "sharing": "each layer that shares store queries switched off in turn, on the running stack",
    "statement": "CPU of one store statement, beside pinotdb on httpx",
    "overload": "2, 5 and 10 times what the store can do, with and without the limiter",
    "stampede": "10,000 clients ask for one key at once, cold and at its expiry",
}


def measure(arguments: list[str]) -> dict[str, Any]:
    """The figures of one case."""
    case = arguments[0].replace("-", "_") if arguments else ""
    if case not in CASES:
        print("usage: ./dev bench gateway CASE [options]     (… CASE --help)\n")
        for name, meaning in CASES.items():
            print(f"  {name.replace('_', '-'):<14} {meaning}")
        sys.exit(0 if not arguments or "-h" in arguments[0] else 2)
    figures: dict[str, Any] = importlib.import_module(f"tests.load.gateway.{case}").measure(
        arguments[1:]
    )
    return figures
