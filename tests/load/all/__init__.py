"""`./dev bench all`: every benchmark, one after the other, and one table of what they measured."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from itertools import groupby

from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from tests.load import own_stack
from tests.load.all.one import measured
from tests.load.all.quiet import look
from tests.load.all.runs import RUNS, Place, Run
from tests.load.all.table import Row, markdown
from tests.load.results import FOLDER


def run(arguments: Sequence[str]) -> int:
    """Every benchmark as a process of its own; those that need a stack on one that is started for them.

    Replaces the data of `./dev up`. The exit code is 1 where one failed, 2 where a stack runs already.
    """
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    own_stack.refuse_a_running_one(settings)
    chosen = [each for each in RUNS if not options.only or each.name in options.only]
    began_s, rows = time.time(), list[Row]()
    with closing(_rows(chosen, settings, quick=options.quick)) as coming:
        for row in coming:
            rows.append(row)
            # Each time, so that an end before the last leaves what there is.
            _write(rows, began_s, quick=options.quick)
    print(markdown(rows))
    took_min = (time.time() - began_s) / 60
    print(f"{len(rows)} in {took_min:.0f} min; also in {FOLDER / 'all.md'}", file=sys.stderr)
    return 1 if any(row.failed for row in rows) else 0


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench all", description=run.__doc__)
    parser.add_argument("--quick", action="store_true", help="little of each")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=[each.name for each in RUNS],
        help=f"some of {', '.join(each.name for each in RUNS)}",
    )
    return parser


def sittings(runs: Sequence[Run], *, quick: bool) -> list[tuple[Place, list[Run]]]:
    """Which benchmarks share a stack, or need none, in their order."""

    def sitting(of: Run) -> tuple[Place, str]:
        if of.place is Place.FRESH:
            return (Place.STACK, "") if quick else (Place.STACK, of.name)
        return of.place, ""

    return [(place, list(some)) for (place, _), some in groupby(runs, key=sitting)]


def _rows(runs: Sequence[Run], settings: StackSettings, *, quick: bool) -> Generator[Row]:
    number = 0
    for place, some in sittings(runs, quick=quick):
        with ExitStack() as ends:
            why = _started(place, ends)
            for each in some:
                number += 1
                _tell(f"[{number}/{len(runs)}] {each.command(quick=quick)} …")
                row = measured(each, partial(look, settings), quick=quick, hindered=why)
                _tell(f"    {row.took_s:.0f} s: {row.failed or row.measured}")
                yield row


def _started(place: Place, ends: ExitStack) -> str:
    """Start the stack that is needed, if any, to be ended with the others; why it did not start."""
    if place is Place.ALONE:
        return ""
    _tell(f"./dev up {' '.join(place.flags)} …")
    try:
        ends.enter_context(own_stack.up(*place.flags))
    except own_stack.NotUpError as problem:
        return f"{problem}\nthe stack did not start"
    return ""


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(rows: Sequence[Row], began_s: float, *, quick: bool) -> None:
    record = {
        "began_s": round(began_s),
        "took_s": round(time.time() - began_s, 1),
        "cores": os.cpu_count(),
        "quick": quick,
        "rows": [
            {"name": row.run.name, "what": row.run.what, "quiet": row.quiet}
            | {name: each for name, each in asdict(row).items() if name != "run"}
            for row in rows
        ],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "all.json").write_text(json.dumps(record, indent=2))
    (FOLDER / "all.md").write_text(markdown(rows))
