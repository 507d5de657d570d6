"""`./dev bench NAME`: each benchmark is a module here with a `measure(arguments)` that returns its figures."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time

from tests.load import results
from tests.load.child_servers import end_when_told

BENCHMARKS = {
    "stack": "starting the whole local stack, fresh and warm, and its memory under load",
    "state": "the memory of transaction ids at millions of keys: events a second, bytes a key",
    "audit": "corruptions of every kind planted and found, and what an event costs the audit",
    "job": "events a second through the Flink job, everything else running",
    "documents": "CPU of hostile documents, by class, beside stock Strawberry",
    "hostile": "hostile documents against a gateway, with good users' traffic beside them",
    "held": "for how long the largest answers of each kind hold the event loop",
    "existence": "whether time tells a stranger that an account exists",
    "cost": "time of each kind of question against an object's, for the schema's cost weights",
    "plans": "what each plan costs Pinot, for accounts of all sizes and windows of both kinds",
    "freshness": "from an event's sending to its being in a GraphQL answer, stage by stage",
    "progress": "a look of the progress tracker at many partitions and segments, by what a call takes",
    "pipeline": "the rate that the whole pipeline carries with freshness holding, and CPU by process",
    "gateway": "the gateway under load, side by side with others; has cases of its own",
    "sessions": "honest traffic: users, partners and operators by Zipf; operations a second and core",
    "live": "CPU and memory of subscribers, idle and active, beside clients that poll",
    "segments": "a question about one account on thousands of segments: how many Pinot asks, and what it costs",
    "startree": "the same questions with star-trees and without, over months of 51 million rows",
    "stores": "the same questions to Pinot, DuckDB, ClickHouse's engine, Postgres and Redis",
}
ALL = "each of these, one after the other, and one table of them; --quick: little of each"


def main(arguments: list[str]) -> int:
    """Run one benchmark; print its figures and write them to `.local/bench/NAME[-CASE].json`."""
    if not arguments or arguments[0] not in ("all", *BENCHMARKS):
        print("usage: ./dev bench NAME [options]     (./dev bench NAME --help)\n")
        for name, meaning in {"all": ALL, **BENCHMARKS}.items():
            print(f"  {name:<12} {meaning}")
        return 0 if arguments in ([], ["--help"], ["-h"]) else 2
    end_when_told()
    name = arguments[0]
    if name == "all":
        from tests.load import all as every

        return every.run(arguments[1:])
    began = time.time()
    figures = importlib.import_module(f"tests.load.{name}").measure(arguments[1:])
    figures = {
        "benchmark": name,
        "began_s": round(began),
        "took_s": round(time.time() - began, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **figures,
    }
    print(json.dumps(figures, indent=2))
    results.FOLDER.mkdir(parents=True, exist_ok=True)
    results.file_of(name, figures.get("case", "")).write_text(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
