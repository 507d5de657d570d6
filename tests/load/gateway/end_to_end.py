"""The whole way on the running stack's Pinot: what it carries, and what each part takes a query."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

import psutil
from confluent_kafka import Producer

from local_stack.settings import GROUP_TRIM_THRESHOLD, StackSettings
from tests.load.gateway.counts import hits_between
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, cpu_of, running_stack, send, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.service_level import calibrated
from tests.load.stores.payments import EXPONENT, Transfer, make_transfers

SEED = 7
"""Always the same events: what an earlier run has sent already counts once."""

TARGET_PER_S = 5_000
OPEN_LOOP_SHARE = 0.6
EXPECTED_PER_S = {0.0: 300.0, 0.5: 500.0, 0.9: 1_500.0, 0.99: 4_000.0}
FILLED_WITHIN_S = 300


def measure(arguments: list[str]) -> dict[str, Any]:
    """A gateway of its own on the stack's Pinot (start it with `./dev up --no-load`)."""
    options = parser().parse_args(arguments)
    settings, run = running_stack()
    if options.transfers:
        with gateway_on(settings, cache=False) as server:
            fill(settings, server, options.transfers)
    parts = {name: part.process.pid for name, part in run.parts.items() if name != "gateway"}
    idle = cpu_per_s(parts, options.seconds)
    rows = [_ratio(settings, parts, idle, hit, options) for hit in options.hits]
    _show(rows)
    return {
        "case": "end-to-end",
        "transfers": options.transfers,
        "idle_cores": idle,
        "ratios": rows,
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench gateway end-to-end", description=measure.__doc__
    )
    parser.add_argument("--transfers", type=int, default=300_000, help="sent first (%(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="of each run (%(default)s)")
    parser.add_argument("--warm", type=float, default=5, help="seconds before each run")
    parser.add_argument("--hits", type=float, nargs="+", default=sorted(EXPECTED_PER_S))
    parser.add_argument("--connections", type=int, default=32)
    return parser


def fill(settings: StackSettings, server: Server, count: int) -> None:
    """Send transfers between the accounts that are asked about; returns when answers hold them."""
    put_in(settings, server, make_transfers(count, SEED, time.time_ns() // 1_000_000))


def put_in(settings: StackSettings, server: Server, transfers: Sequence[Transfer]) -> None:
    """Send transfers; returns when answers hold them."""
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_servers,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": len(transfers) + 1,
        }
    )
    for each in transfers:
        producer.produce("transactions", each.event(), timestamp=each.time_ms)
    producer.flush(120)
    sent_ms, give_up_s = time.time_ns() // 1_000_000, time.monotonic() + FILLED_WITHIN_S
    while _as_of_ms(server) < sent_ms:
        if time.monotonic() > give_up_s:
            raise TimeoutError("the events are not in the answers yet")
        time.sleep(0.5)


def _ratio(
    settings: StackSettings,
    parts: Mapping[str, int],
    idle: Mapping[str, float],
    hit: float,
    options: argparse.Namespace,
) -> dict[str, Any]:
    with gateway_on(settings, cache=hit > 0) as server:
        watched = {**parts, "gateway": server.pids[0]}
        order = Order(server.port, (), options.connections, exponent=EXPONENT, seed=SEED)
        send(replace(order, phases=(Phase(0, options.warm),)))
        rate = EXPECTED_PER_S.get(hit, 1_000.0)
        if hit:
            order = calibrated(server, replace(order, phases=(Phase(rate, 3),)), hit, 0.25)
        most = watched_run(server, watched, replace(order, phases=(Phase(0, options.seconds),)))
        rate = most["phase"]["ok_per_s"] * OPEN_LOOP_SHARE
        steady = watched_run(
            server, watched, replace(order, phases=(Phase(rate, options.seconds),), connections=256)
        )
    # Not of the run that asks for all it can: there, refusals take CPU as well.
    queries = steady["phase"]["ok"]["count"]
    cpu_us = {
        name: round(max(0.0, spent - idle.get(name, 0.0) * options.seconds) / queries * 1e6, 1)
        for name, spent in steady["cpu_s"].items()
    }
    return {
        "hit_wanted": hit,
        "hit_counted": steady["hit"],
        "zipf_exponent": round(order.exponent, 3),
        "queries_per_s": most["phase"]["ok_per_s"],
        "failed": most["phase"]["failed"] + steady["phase"]["failed"],
        "failures": most["phase"].get("failures", {}) | steady["phase"].get("failures", {}),
        "at_60_percent": {
            "rate": round(rate, 1),
            "p50_ms": steady["phase"]["ok"]["p50_ms"],
            "p99_ms": steady["phase"]["ok"]["p99_ms"],
        },
        "cpu_us_per_query": cpu_us,
        "refused_share": most["refused_share"],
        "client_cores": steady["client_cores"],
        "cores_for_5000_per_s": {
            **{name: round(each * TARGET_PER_S / 1e6, 2) for name, each in cpu_us.items()},
            "client": round(steady["client_cores"] * options.seconds / queries * TARGET_PER_S, 2),
        },
    }


def watched_run(server: Server, pids: Mapping[str, int], order: Order) -> dict[str, Any]:
    """A run with the CPU seconds of each part and the share of hits."""
    before, cpu_before = server.metrics(), {name: cpu_of(pid) for name, pid in pids.items()}
    report = send(order)
    cpu_s = {name: cpu_of(pid) - cpu_before[name] for name, pid in pids.items()}
    phase = report["phases"][0]
    refused = phase.get("rejected", {}).get("count", 0)
    return {
        "phase": phase,
        "refused_share": round(refused / max(1, refused + phase["ok"]["count"]), 4),
        "client_cores": report["client_cores"],
        "cpu_s": cpu_s,
        "hit": hits_between(before, server.metrics()),
    }


def cpu_per_s(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Cores that each part takes while nobody asks anything."""
    before = {name: cpu_of(pid) for name, pid in pids.items()}
    psutil.cpu_percent(interval=seconds)
    return {name: round((cpu_of(pid) - before[name]) / seconds, 4) for name, pid in pids.items()}


def gateway_on(
    settings: StackSettings,
    *,
    cache: bool,
    others: Mapping[str, str] | None = None,
    command: Sequence[str] = (sys.executable, "-P", "-m", "gateway"),
) -> AbstractContextManager[Server]:
    """A gateway for the benchmark alone, with the settings that the stack gives its own, and others."""
    environment = {
        "GATEWAY_AUTH": "off",
        "GATEWAY_PORT": "{port}",
        "GATEWAY_PINOT_BROKER_URL": settings.pinot_broker_url,
        "GATEWAY_PINOT_GROUP_TRIM_THRESHOLD": str(GROUP_TRIM_THRESHOLD),
        "GATEWAY_CACHE": str(cache).lower(),
        **(others or {}),
    }
    return serving("gateway", command, environment)


def _as_of_ms(server: Server) -> float:
    data = server.ask({"query": "{ pipeline { asOf } }"}).get("data")
    if not data:
        return 0.0
    return datetime.fromisoformat(data["pipeline"]["asOf"]).timestamp() * 1000


def _show(rows: list[dict[str, Any]]) -> None:
    print("CPU a query:")
    print("| hits | queries/s | p50 / p99 at 60 % of it | gateway | Pinot | others |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        cpu = row["cpu_us_per_query"]
        gateway, pinot = cpu["gateway"], pinot_of(cpu)
        rest = sum(cpu.values()) - gateway - pinot
        steady = row["at_60_percent"]
        print(
            f"| {row['hit_counted'] or 0:.1%} | {row['queries_per_s']:,.0f} "
            f"| {steady['p50_ms']} / {steady['p99_ms']} ms | {gateway:.0f} µs | {pinot:.0f} µs "
            f"| {rest:.0f} µs |"
        )
    print(f"Cores that {TARGET_PER_S:,} queries/s take:")
    print("| hits | gateway | Pinot | client |")
    print("|---|---|---|---|")
    for row in rows:
        cores = row["cores_for_5000_per_s"]
        print(
            f"| {row['hit_wanted']:.0%} | {cores['gateway']:.2f} | {pinot_of(cores):.2f} "
            f"| {cores['client']:.2f} |"
        )


def pinot_of(figures: Mapping[str, float]) -> float:
    """Broker, server and controller together."""
    return sum(value for name, value in figures.items() if name.startswith("pinot"))
