"""`./dev bench sessions`: honest traffic, and what an operation of it takes of gateway and Pinot together."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from local_stack.settings import StackSettings
from tests.load.gateway import answers, counts, zipf
from tests.load.gateway.counts import hits_between, store_queries_between
from tests.load.gateway.end_to_end import cpu_per_s, gateway_on, pinot_of, put_in
from tests.load.gateway.orders import Order
from tests.load.gateway.running import Server, cpu_of, running_stack, sent_by, serving
from tests.load.gateway.schedule import Phase
from tests.load.gateway.targets import Target, judged
from tests.load.sessions import meanwhile, payments
from tests.load.sessions.meanwhile import Looks
from tests.load.sessions.payments import Population, Received
from tests.load.sessions.people import Asked, Crowd, questions
from tests.load.sessions.sender import body
from tests.load.sessions.turns import together

CONTESTANTS: dict[str, dict[str, str]] = {
    "ours": {},
    "without rows": {"GATEWAY_ROWS_MAX_BYTES": "0"},
}
CONNECTIONS = 256
TARGET_PER_CORE = 600
IDLE_S = 8.0
COMPARED = 60
LOOKED_AT = 300
SAMPLE_ACCOUNTS = 2_000
"""In the embedded store's sample data, of `acct-` names."""


def measure(arguments: list[str]) -> dict[str, Any]:
    """Sessions of users, partners and operators; on the stack's Pinot (`./dev up --fresh --no-load`)."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.transfers, options.warm, options.seconds, options.turns = 40_000, 10.0, 12.0, 1
        options.exponents, options.think = options.exponents[1:2], 4.0
    with ExitStack() as stack:
        place = _embedded(options) if options.embedded else stack.enter_context(_on_pinot(options))
        rows = [
            row for exponent in options.exponents for row in _exponent(place, exponent, options)
        ]
    _show(rows)
    best = [row for row in rows if row["contestant"] == "ours"]
    targets = judged(
        Target(
            "operations a second and core",
            median(row["per_core"] for row in best),
            TARGET_PER_CORE,
        ),
        Target("p99 in ms", max(row["p99_ms"] for row in best), 100, at_least=False),
        Target("not answered", sum(row["not_answered"] for row in best), 0, at_least=False),
        Target("wrong answers", sum(row["looks"]["wrong"] for row in best), 0, at_least=False),
    )
    case = {"case": "embedded"} if options.embedded else {}
    return {**case, "options": vars(options), "rows": rows, "targets": targets}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench sessions", description=measure.__doc__)
    parser.add_argument("--quick", action="store_true", help="one exponent, few payments, a minute")
    parser.add_argument("--embedded", action="store_true", help="on the embedded store, alone")
    parser.add_argument("--rate", type=float, default=100, help="operations a second (%(default)s)")
    parser.add_argument("--exponents", type=float, nargs="+", default=[0.8, 1.0, 1.2])
    parser.add_argument("--accounts", type=int, default=zipf.ACCOUNTS)
    parser.add_argument("--think", type=float, default=12, help="s between questions, on average")
    parser.add_argument("--warm", type=float, default=45, help="s before each run (%(default)s)")
    parser.add_argument("--seconds", type=float, default=45, help="of each run (%(default)s)")
    parser.add_argument("--turns", type=int, default=2, help="of each contestant (%(default)s)")
    parser.add_argument("--transfers", type=int, default=600_000, help="sent first (%(default)s)")
    parser.add_argument("--events", type=float, default=100, help="a second, meanwhile")
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9 % 10**6)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    return parser


@dataclass(frozen=True)
class Place:
    """Where it is measured: what is asked there, what is known of it, and the parts' processes."""

    crowds: Mapping[float, Crowd]
    settings: StackSettings | None = None
    people: Population | None = None
    known: Mapping[str, Received] | None = None
    parts: Mapping[str, int] | None = None


def _crowds(options: argparse.Namespace) -> dict[float, Crowd]:
    accounts, prefix = options.accounts, "account"
    if options.embedded:
        accounts, prefix = SAMPLE_ACCOUNTS, "acct"
    # Each turn has a part of it to itself: others come, of whom some have come before.
    seconds = options.turns * (options.warm + options.seconds)
    return {
        each: Crowd(options.rate, seconds, accounts, each, options.think, options.seed, prefix)
        for each in options.exponents
    }


def _embedded(options: argparse.Namespace) -> Place:
    return Place(_crowds(options))


@contextmanager
def _on_pinot(options: argparse.Namespace) -> Iterator[Place]:
    settings, run = running_stack()
    crowds = {
        # A name of its own each run: what an earlier one has sent is not among its payments.
        exponent: replace(crowd, prefix=f"s{options.seed}")
        for exponent, crowd in _crowds(options).items()
    }
    asked = {rank for crowd in crowds.values() for each in questions(crowd) for rank in each.ranks}
    people = payments.population(next(iter(crowds.values())), asked)
    history = people.history(options.transfers, options.seed, time.time_ns() // 1_000_000)
    names = [people.crowd.account(rank) for rank in people.ranks]
    chosen = random.Random(options.seed).sample(names, min(LOOKED_AT, len(names)))
    known = payments.received_by(history, chosen)
    print(f"{len(names)} accounts, {2 * len(history) / len(names):.0f} entries each on average")
    with gateway_on(settings, cache=False) as server:
        put_in(settings, server, history)
    parts = {name: part.process.pid for name, part in run.parts.items() if name != "gateway"}
    yield Place(crowds, settings, people, known, parts)


def _exponent(
    place: Place, exponent: float, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    crowd = place.crowds[exponent]
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(_serving(place, CONTESTANTS[name]))
            for name in options.contestants
        }
        # Each embedded store has sample data up to its own start.
        compared = 0 if place.settings is None else _compare(list(servers.values()), crowd)
        turns: dict[str, list[dict[str, Any]]] = {name: [] for name in servers}
        for number in range(options.turns):
            # There and back: whoever has the fresher stack in one turn has the older in the next.
            for name in list(servers) if number % 2 == 0 else reversed(servers):
                from_s = number * (options.warm + options.seconds)
                turns[name].append(_run(place, servers[name], crowd, options, from_s))
                print(name, exponent, turns[name][-1], file=sys.stderr, flush=True)
        for name, rows in turns.items():
            told = {"contestant": name, "exponent": exponent, "compared": compared}
            yield {**told, **together(rows), "turns": rows}


def _serving(place: Place, others: Mapping[str, str]) -> Any:
    if place.settings is not None:
        return gateway_on(place.settings, cache=True, others=others)
    environment = {"GATEWAY_AUTH": "off", "GATEWAY_PORT": "{port}", "GATEWAY_STORE": "duckdb"}
    return serving("gateway", [sys.executable, "-P", "-m", "gateway"], {**environment, **others})


def _compare(servers: Sequence[Server], crowd: Crowd) -> int:
    """Ask all for the same with windows that are over; raises `DifferentAnswersError`."""
    first, *others = servers
    chosen = [each for each in questions(crowd) if "window" in each.variables][:COMPARED]
    for each in chosen:
        asked = body(of_the_past(each, time.time()))
        expected = first.ask(asked)
        if expected.get("errors"):
            raise answers.DifferentAnswersError(f"{first.name} cannot answer: {expected}")
        for other in others:
            where = answers.difference(undated(expected["data"]), undated(other.ask(asked)["data"]))
            if where:
                raise answers.DifferentAnswersError(f"{each}: {where}")
    return len(chosen) * len(others)


def of_the_past(asked: Asked, now_s: float) -> Asked:
    """The same question about a window that is over, in which nothing more arrives."""
    today_s = now_s // 86_400 * 86_400
    start, end = (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(today_s - days * 86_400 + 4_321))
        for days in (30, 2)
    )
    between = {"between": {"start": start, "end": end}}
    return replace(asked, variables={**asked.variables, "window": between})


def undated(value: Any) -> Any:
    """An answer without its `asOf`, which is each server's own, and without cursors, which are signed."""
    if isinstance(value, dict):
        return {
            name: undated(each)
            for name, each in value.items()
            if name != "asOf" and not name.lower().endswith("cursor")
        }
    return [undated(each) for each in value] if isinstance(value, list) else value


def _run(
    place: Place, server: Server, crowd: Crowd, options: argparse.Namespace, from_s: float
) -> dict[str, Any]:
    pids = {**(place.parts or {}), "gateway": server.pids[0]}
    known = place.known or {}
    settings, people = place.settings, place.people
    live: Any = nullcontext()
    if settings is not None and people is not None:
        live = meanwhile.arriving(settings.kafka_servers, people, known, options.events)
    order = Order(server.port, (Phase(options.rate, options.warm),), CONNECTIONS)
    with live, meanwhile.looking(server, known, options.seed) as looks:
        _send(order, crowd, from_s)
        # Pinot reads what arrives whoever asks: that is not the questions' work.
        idle = cpu_per_s(place.parts or {}, IDLE_S)
        looks.ages_ms.clear()
        before, cpu = server.metrics(), {name: cpu_of(pid) for name, pid in pids.items()}
        began_s = time.monotonic()
        measured = replace(order, phases=(Phase(options.rate, options.seconds),))
        report = _send(measured, crowd, from_s + options.warm)
        took_s = time.monotonic() - began_s
        spent = {name: cpu_of(pid) - cpu[name] for name, pid in pids.items()}
        after = server.metrics()
    return _figures(report, spent, idle, took_s, (before, after), looks)


def _send(order: Order, crowd: Crowd, from_s: float) -> dict[str, Any]:
    given = {"order": asdict(order), "crowd": asdict(crowd), "from_s": from_s}
    return sent_by(("-m", "tests.load.sessions.sender"), order, given)


def _figures(
    report: dict[str, Any],
    spent: Mapping[str, float],
    idle: Mapping[str, float],
    took_s: float,
    metrics: tuple[str, str],
    looks: Looks,
) -> dict[str, Any]:
    (phase,) = report["phases"]
    ok = phase["ok"]
    gateway_s = spent["gateway"]
    pinot_s = max(0.0, pinot_of(spent) - took_s * pinot_of(idle))
    return {
        "ok": ok["count"],
        "ok_per_s": phase["ok_per_s"],
        "per_core": round(ok["count"] / (gateway_s + pinot_s), 1),
        "gateway_ms": round(gateway_s / ok["count"] * 1000, 3),
        "pinot_ms": round(pinot_s / ok["count"] * 1000, 3),
        "p50_ms": ok["p50_ms"],
        "p99_ms": ok["p99_ms"],
        "refused": phase.get("rejected", {"count": 0})["count"],
        "failed": phase["failed"],
        "failures": phase.get("failures", {}),
        "not_answered": phase["failed"] + phase.get("rejected", {"count": 0})["count"],
        "hits": hits_between(*metrics),
        "refused_because": {
            label: round(count)
            for (name, label), count in _grown(metrics).items()
            if name == "gateway_shed_total" and count
        },
        "rows": {
            label.partition('"')[2].rstrip('"'): round(count / ok["count"], 3)
            for (name, label), count in _grown(metrics).items()
            if name == "gateway_rows_answers_total" and count
        },
        "plans": round(store_queries_between(*metrics) / ok["count"], 2),
        "sent_late_p99_ms": phase["sent_late"]["p99_ms"],
        "looks": looks.report(),
    }


def _grown(metrics: tuple[str, str]) -> Counter[tuple[str, str]]:
    """What a gateway counted between two looks at its metrics."""
    before, after = metrics
    grown = counts.parse(after)
    grown.subtract(counts.parse(before))
    return grown


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    print(
        "| Zipf | | operations/s and core | CPU an operation: gateway, Pinot | p50 / p99 | refused | hits "
        "| plans | age of answers p50 / p99 | wrong of looked at |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        looks = row["looks"]
        print(
            f"| {row['exponent']} | {row['contestant']} | {row['per_core']:,.0f} "
            f"| {row['gateway_ms']}, {row['pinot_ms']} ms | {row['p50_ms']} / {row['p99_ms']} ms "
            f"| {row['not_answered']} | {row['hits'] or 0:.1%} | {row['plans']} "
            f"| {looks['age']['p50_ms'] or 0:,.0f} / {looks['age']['p99_ms'] or 0:,.0f} ms "
            f"| {looks['wrong']} of {looks['looked_at']} |"
        )
