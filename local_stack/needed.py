"""What a command needs of the machine: looked at before it starts, and by `./dev` before it sets up `.venv`.

Only the standard library is used on this way, so that any Python can take it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local_stack import commands, jars
from local_stack.prerequisites import (
    CHROMIUM,
    JAVA,
    PROMETHEUS,
    Machine,
    MissingError,
    Prerequisite,
    for_stack,
    for_tests,
    provide,
    this_machine,
)
from local_stack.settings import StackSettings
from local_stack.suite import QUICK_TESTS

USAGE = 2


def parsed(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """A command's options, and what it hands on; ends the program if they are wrong."""
    parser = commands.parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in commands.PASSED_ON:
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    return options, rest


def needed(
    options: argparse.Namespace, rest: Sequence[str], missing_jars: Sequence[str]
) -> list[Prerequisite]:
    """What must be here before the command starts anything."""
    if options.command == "test":
        return for_tests(rest)
    if options.command == "check":
        return [] if options.no_tests else for_tests(QUICK_TESTS)
    if options.command == "picture":
        return [*for_stack(missing_jars), CHROMIUM]
    if options.command == "up":
        observing = [PROMETHEUS] if options.observe else []
        return observing if options.embedded else [*for_stack(missing_jars), *observing]
    return []


def main(arguments: Sequence[str] | None = None, machine: Machine | None = None) -> int:
    """Look before `.venv` is there: the set-up brings a Java of its own."""
    options, rest = parsed(arguments)
    wanted = needed(options, rest, jars.missing(StackSettings().jars))
    others = [each for each in wanted if each is not JAVA]
    try:
        provide(others, machine or this_machine(), lambda line: print(line, flush=True))
    except MissingError as problem:
        print(problem)
        return USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
