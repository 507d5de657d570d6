"""`./dev simulate`: the cache and the gate through thousands of schedules, or through one again."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.simulation import virtual_loop
from tests.simulation.cache_world import CacheWorld
from tests.simulation.fair_world import FairWorld
from tests.simulation.gate_world import GateWorld
from tests.simulation.rows_world import RowsWorld

WORLDS = {"cache": CacheWorld, "gate": GateWorld, "fair": FairWorld, "rows": RowsWorld}


def main(arguments: list[str]) -> int:
    """Exit code 1 if a schedule broke something; its seed is printed."""
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="schedules of each world")
    parser.add_argument("--from", type=int, default=None, dest="first", help="the first seed")
    parser.add_argument("--replay", type=int, default=None, metavar="SEED")
    parser.add_argument("--world", choices=WORLDS, default=None)
    options = parser.parse_args(arguments)
    worlds = [options.world] if options.world else list(WORLDS)
    if options.replay is not None:
        for name in worlds:
            print(
                name,
                options.replay,
                virtual_loop.run(options.replay, WORLDS[name](options.replay).run()),
            )
        return 0
    first = random.randrange(2**31) if options.first is None else options.first
    failed: list[str] = []
    answers, began_s = 0, time.monotonic()
    for name in worlds:
        for seed in range(first, first + options.seeds):
            try:
                answers += virtual_loop.run(seed, WORLDS[name](seed).run())
            except AssertionError as error:
                failed.append(f"--world {name} --replay {seed}: {error}")
                print(f"FAILED ./dev simulate {failed[-1]}", flush=True)
    print(
        f"seeds={options.seeds} from={first} worlds={','.join(worlds)} answers_checked={answers} "
        f"failing_seeds={len(failed)} seconds={time.monotonic() - began_s:.1f}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
