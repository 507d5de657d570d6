"""What the whole local stack takes to start, fresh and warm, and of memory while events flow."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local_stack import live, status
from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from tests.load import own_stack
from tests.load.gateway.targets import Target, judged

WARM_WITHIN_S = 45
MOST_MB = 3_500


def measure(arguments: list[str]) -> dict[str, Any]:
    """A stack of its own, twice: without earlier data and under load, then with it. Replaces the data of `./dev up`."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    own_stack.refuse_a_running_one(settings)
    traffic = ("--rate", str(options.rate))
    with _answering(settings, "--fresh", *traffic) as fresh_s:
        time.sleep(options.minutes * 60)
        memory_mb = status.report(settings)["memory_mb"]
    with _answering(settings, *traffic) as warm_s:
        pass
    print(f"up --fresh {fresh_s} s, up {warm_s} s, {memory_mb:,} MB")
    promised = [
        Target("warm to the first answer, s", warm_s, WARM_WITHIN_S, at_least=False),
        Target("memory in MB", memory_mb, MOST_MB, at_least=False),
    ]
    return {
        "rate": options.rate,
        "minutes": options.minutes,
        "fresh_s": fresh_s,
        "memory_mb": memory_mb,
        "warm_s": warm_s,
        "targets": judged(*promised),
    }


@contextmanager
def _answering(settings: StackSettings, *flags: str) -> Iterator[float]:
    """A stack, and the seconds from `./dev up` until it had given a first top 10."""
    began_s = time.monotonic()
    with own_stack.up(*flags):
        live.first_answer(settings, traffic=True)
        yield round(time.monotonic() - began_s, 1)


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench stack", description=measure.__doc__)
    parser.add_argument("--rate", type=int, default=500, help="events a second (%(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="of load (%(default)s)")
    return parser
