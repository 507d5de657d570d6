"""`./dev mutate [MODULE…]`: plants small faults into the modules that guard, one by one; their tests must notice."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.mutation import workshop
from tests.mutation.guards import GUARDS

GOAL = 0.9


def main(arguments: list[str]) -> int:
    """Exit code 1 if fewer than nine in ten of all faults were noticed."""
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help="such as gateway/access/caller.py"
    )
    parser.add_argument("--list", action="store_true", help="the modules, and their tests")
    parser.add_argument("--quiet", action="store_true", help="survivors by name only")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.list:
        for module, tests in GUARDS.items():
            print(module, *tests)
        return 0
    unknown = [each for each in options.modules if each not in GUARDS]
    if unknown:
        parser.error(f"not among the modules of --list: {', '.join(unknown)}")
    planted = noticed = 0
    for module in options.modules or GUARDS:
        began_s = time.monotonic()
        try:
            score = workshop.mutate(module, GUARDS[module], options.children)
        except subprocess.CalledProcessError as error:
            print(
                f"{module}: the tests do not pass without a fault, or cannot run:\n{error.output}"
            )
            return 2
        planted, noticed = planted + score.planted, noticed + score.noticed
        print(f"{module}: {score} in {time.monotonic() - began_s:.0f} s", flush=True)
        for name in score.survivors:
            print(f"  survived: {name}" if options.quiet else workshop.shown(module, name))
    print(f"planted={planted} noticed={noticed} share={noticed / max(1, planted):.3f}")
    return 0 if noticed >= GOAL * planted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
