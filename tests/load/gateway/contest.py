"""Contestants side by side in one run: equal answers first, then each at its limit, in turns."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any

from tests.load.gateway import answers
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, measured, send
from tests.load.gateway.schedule import Phase

WARM_UP_S = 1.0
CONNECTIONS = 32


def run(
    contestants: Sequence[AbstractContextManager[Server]],
    order: Order,
    seconds: float,
    rounds: int,
) -> dict[str, Any]:
    """Figures by contestant: the medians of `rounds` turns, so that a disturbance hits none alone."""
    with ExitStack() as stack:
        servers = [stack.enter_context(each) for each in contestants]
        compared = answers.check_equal(servers, order.documents, order.window)
        turns: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
        for number in range(rounds):
            for server in servers:
                mine = replace(
                    order, port=server.port, phases=(Phase(0, seconds),), seed=order.seed + number
                )
                send(replace(mine, phases=(Phase(0, WARM_UP_S),)))
                turns[server.name].append(measured(server, mine))
                print(
                    f"{server.name}: {turns[server.name][-1]['phases'][0]['ok_per_s']}/s",
                    file=sys.stderr,
                )
    return {
        "answers_compared": compared,
        "contestants": {name: _medians(reports) for name, reports in turns.items()},
    }


def show(figures: dict[str, Any]) -> None:
    """Print the contestants as a Markdown table."""
    print("| | requests/s | CPU a request | p50 / p99 | server, client cores | failed |")
    print("|---|---|---|---|---|---|")
    for name, each in figures["contestants"].items():
        print(
            f"| {name} | {each['requests_per_s']:,.0f} | {each['cpu_us_per_request']:,.0f} µs "
            f"| {each['p50_ms']} / {each['p99_ms']} ms "
            f"| {each['server_cores']}, {each['client_cores']} | {each['failed']} |"
        )


def ratio(figures: dict[str, Any], one: str, other: str) -> dict[str, float]:
    """How many times more requests `one` serves than `other`: a second, and a second of its CPU."""
    a, b = figures["contestants"][one], figures["contestants"][other]
    return {
        "requests_per_s": round(a["requests_per_s"] / b["requests_per_s"], 2),
        "cpu": round(b["cpu_us_per_request"] / a["cpu_us_per_request"], 2),
    }


def _medians(reports: list[dict[str, Any]]) -> dict[str, Any]:
    def median(values: list[float]) -> float:
        return round(statistics.median(values), 2)

    phases = [report["phases"][0] for report in reports]
    return {
        "requests_per_s": median([phase["ok_per_s"] for phase in phases]),
        "cpu_us_per_request": median([report["server_cpu_us_per_request"] for report in reports]),
        "server_cores": median([report["server_cores"] for report in reports]),
        "client_cores": median([report["client_cores"] for report in reports]),
        "p50_ms": median([phase["ok"]["p50_ms"] for phase in phases]),
        "p99_ms": median([phase["ok"]["p99_ms"] for phase in phases]),
        "failed": sum(phase["failed"] for phase in phases),
        "failures": [kind for phase in phases for kind in phase.get("failures", ())][:3],
        "body_bytes": phases[0]["body_bytes"],
    }
