"""What the whole pipeline carries: producer, Kafka, job, Kafka, Pinot, GraphQL, with freshness holding.

A rate holds if 99 of 100 events are in an answer within the promise (30 s), if the delay does not grow (the
median of the last quarter at most 2 s above that of the first), if every event was sent when it was due, and if
nothing was left unseen. Before, the first rate is sent for two minutes that do not count: a stack that was just
started compiles its own code meanwhile, which takes the cores that the peak needs (`--warm-up 0`: none). `--search` goes up until one does not hold, then halves the step once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from local_stack.environment import from_environment
from tests.load.flow.trial import Trial, run
from tests.load.freshness import table

PROMISE_S = 30.0
MOST_GROWTH_S = 2.0
MOST_LATE_S = 1.0
STEP = 1.25
HIGHEST = 100_000
# Two looks at once every 40 ms, as for freshness, are a tenth of two cores, which the pipeline would lack.
LOOK_EVERY_S = 0.25


def measure(arguments: list[str]) -> dict[str, Any]:
    """Sustained rate on the running stack; start it with `./dev up --fresh --no-load`."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    if options.warm_up:
        text = f"warming up: {options.rate} events/s for {options.warm_up:g} s"
        print(text, file=sys.stderr, flush=True)
        run(settings, options.rate, options.warm_up, 20, LOOK_EVERY_S)

    def tried(rate: int) -> Trial:
        trial = run(settings, rate, options.seconds, 20, LOOK_EVERY_S)
        print(table(trial), file=sys.stderr)
        print(_cores(trial, failures(trial, options.promise_s)), file=sys.stderr, flush=True)
        return trial

    trials = (
        search(tried, options.rate, options.promise_s) if options.search else [tried(options.rate)]
    )
    holding = [trial.rate for trial in trials if not failures(trial, options.promise_s)]
    return {
        "promise_s": options.promise_s,
        "warm_up_s": options.warm_up,
        "sustained_events_per_s": max(holding, default=None),
        "runs": [
            {**trial.figures(), "fails": failures(trial, options.promise_s)} for trial in trials
        ],
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(
        prog="./dev bench pipeline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=int, default=12_000, help="events a second (%(default)s)")
    parser.add_argument("--search", action="store_true", help="from --rate up: the highest")
    parser.add_argument("--seconds", type=float, default=60, help="of each rate (%(default)s)")
    parser.add_argument("--promise-s", type=float, default=PROMISE_S, help="of 99 %% (%(default)s)")
    parser.add_argument(
        "--warm-up",
        type=float,
        default=120,
        metavar="SECONDS",
        help="of the rate before, which do not count; 0: none (%(default)s)",
    )
    return parser


def search(tried: Callable[[int], Trial], rate: int, promise_s: float) -> list[Trial]:
    """Trials upwards from `rate` (down from it, if that does not hold), then one between the last two."""
    trials = [tried(rate)]
    up = not failures(trials[0], promise_s)
    while 100 < trials[-1].rate < HIGHEST:
        following = round(trials[-1].rate * (STEP if up else 1 / STEP) / 100) * 100
        trials.append(tried(following))
        if bool(failures(trials[-1], promise_s)) is up:
            break
    between = round((trials[-1].rate + trials[-2].rate) / 200) * 100 if len(trials) > 1 else 0
    return [*trials, tried(between)] if between else trials


def failures(trial: Trial, promise_s: float) -> list[str]:
    """Why a rate does not hold; empty if it does."""
    p99 = trial.stages()["sent_to_graphql"]["p99"] if trial.ways else float("inf")
    reasons = {
        f"p99 {p99} s is over {promise_s:g} s": p99 > promise_s,
        f"the delay grew by {trial.growth_s} s": trial.growth_s > MOST_GROWTH_S,
        f"{trial.unseen} probes were not seen": trial.unseen > 0,
        "the producer was late": trial.sender["latest_late_s"] > MOST_LATE_S,
    }
    return [reason for reason, holds in reasons.items() if holds]


def _cores(trial: Trial, fails: list[str]) -> str:
    cores = ", ".join(f"{name} {share}" for name, share in trial.parts["cores"].items() if share)
    verdict = "holds" if not fails else "does not hold: " + "; ".join(fails)
    lag = trial.parts["audit_lag_s"] or {}
    return (
        f"  {verdict}; caught up {trial.caught_up_s} s after the last event; "
        f"{trial.parts['segments_finished']} segments finished; audit behind by at most {lag.get('max')} s\n"
        f"  cores: {cores}; producer {trial.sender['cpu_us_per_event']} µs an event"
    )
