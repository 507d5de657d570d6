"""From an event's sending to its being in a GraphQL answer, stage by stage, while others flow at a steady rate.

Probes are sent at their own times into every kafka partition, so that the pause while Pinot finishes a segment
is met by as many of them as by other events. Stages: committed in `account-entries`; counted by Pinot; counted
by an answer of the gateway, its cache included; and `sent_to_as_of`: an answer vouches that nothing sent before
is missing. All look every 40 ms, which is in the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from local_stack.environment import from_environment
from tests.load.flow.segments import segments_of
from tests.load.flow.trial import Trial, run


def measure(arguments: list[str]) -> dict[str, Any]:
    """Freshness on the running stack; start it with `./dev up --fresh --no-load`."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    runs = []
    with segments_of(settings, options.segment_rows, pauseless=options.pauseless):
        for rate in options.rate or [2_000]:
            trial = run(settings, rate, options.seconds, options.probes)
            print(table(trial), file=sys.stderr, flush=True)
            runs.append(trial.figures())
    return {"options": vars(options), "segment_rows": options.segment_rows, "runs": runs}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench freshness",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rate", type=int, action="append", help="events a second; again for more (2000)"
    )
    parser.add_argument("--seconds", type=float, default=90, help="of each rate (%(default)s)")
    parser.add_argument("--probes", type=float, default=20, help="a second (%(default)s)")
    parser.add_argument(
        "--segment-rows", type=int, help="finish segments at so many rows meanwhile (as configured)"
    )
    parser.add_argument(
        "--pauseless",
        action="store_true",
        help="with the overlay of that name; Pinot 1.4 or later (./dev up --pinot-home)",
    )
    return parser


def table(trial: Trial) -> str:
    """The stages of one run, for people."""
    rows = [
        f"{trial.rate} events/s for {trial.seconds:.0f} s, {len(trial.ways)} probes, in seconds:"
    ]
    rows.append(f"  {'':<18}" + "".join(f"{name:>9}" for name in ("p50", "p90", "p99", "max")))
    for stage, found in trial.stages().items():
        cells = "".join(f"{value:9.3f}" for value in found.values())
        rows.append(f"  {stage.replace('_', ' '):<18}{cells}")
    return "\n".join(rows)
