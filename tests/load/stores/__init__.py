"""The same events and questions to several stores, side by side; also where ours is not the fastest."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

from local_stack.settings import CHECKOUT
from tests.load.child_servers import END_WITHIN_S, tied
from tests.load.stores import packages
from tests.load.stores.terms import ENGINES, Terms

LIMIT_S = 900


def measure(arguments: list[str]) -> dict[str, Any]:
    """Each store in turn; every answer is compared with plain Python before anything is timed."""
    options = parser().parse_args(arguments)
    terms = Terms(
        options.transfers,
        options.questions,
        options.seconds,
        options.threads,
        options.seed,
        time.time_ns() // 1_000_000 - 60_000,
    )
    figures = {name: _turn(name, terms) for name in options.stores}
    _show(figures)
    return {"terms": asdict(terms), "stores": figures}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench stores", description=measure.__doc__)
    parser.add_argument(
        "--transfers", type=int, default=300_000, help="two entries each (%(default)s)"
    )
    parser.add_argument("--questions", type=int, default=400, help="different ones (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of full load (%(default)s)")
    parser.add_argument("--threads", type=int, default=8, help="askers at full load (%(default)s)")
    parser.add_argument(
        "--seed",
        type=int,
        default=time.time_ns() // 10**9 % 10**6,
        help="another each run: the job drops what it has seen",
    )
    parser.add_argument("--stores", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    return parser


def _turn(name: str, terms: Terms) -> dict[str, Any]:
    """One store's figures, from a process of its own: in our environment only what needs the stack."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    program = sys.executable if name == "pinot" else packages.python()
    folder = CHECKOUT / ".local" / "bench" / f"store-{name}"
    given = {"name": name, "terms": asdict(terms), "folder": str(folder)}
    turn = subprocess.Popen(
        [program, "-P", "-m", "tests.load.stores.contest"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
    )
    try:
        told, complaint = turn.communicate(json.dumps(given), LIMIT_S)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {LIMIT_S} s"}
    finally:
        # It ends the server that it has started.
        turn.terminate()
        turn.wait(END_WITHIN_S + 10)
    if turn.returncode:
        return {"failed": complaint[-1500:]}
    figures: dict[str, Any] = json.loads(told)
    return figures


def _show(figures: dict[str, dict[str, Any]]) -> None:
    print(
        "| store | top-10 p50 / p99 | totals p50 / p99 | queries/s | memory | disk | visible after | exact |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, each in figures.items():
        if "queries_per_s" not in each:
            print(f"| {name} | {each.get('absent') or each.get('failed', '')[-200:]} |")
            continue
        top, totals, fresh = each["top"], each["totals"], each["freshness"]
        part = f", {each['cannot_answer']} not answerable" if each["cannot_answer"] else ""
        print(
            f"| {name} | {top['p50_ms']} / {top['p99_ms']} ms "
            f"| {totals['p50_ms']} / {totals['p99_ms']} ms | {each['queries_per_s']:,.0f} "
            f"| {each['memory_mb']} MB | {each['disk_mb']} MB "
            f"| p50 {fresh['p50_ms']} ms, max {fresh['max_ms']} ms | {each['exact']}{part} |"
        )
