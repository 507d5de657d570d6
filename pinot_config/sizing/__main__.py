"""Prints the tables of docs/scale.md, for the load of our own or another's: `python -m pinot_config.sizing`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from pinot_config.sizing.arithmetic import Load, Measured
from pinot_config.sizing.tables import markdown_tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; 2: wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m pinot_config.sizing", description=__doc__)
    for kind in (Load, Measured):
        for each in fields(kind):
            number = int if isinstance(each.default, int) else float
            parser.add_argument(
                f"--{each.name.replace('_', '-')}",
                type=number,
                default=each.default,
                metavar="NUMBER",
                help=f"{each.metadata['meaning']} ({each.default:,})",
            )
    given = vars(parser.parse_args(arguments))
    load = Load(**{each.name: given[each.name] for each in fields(Load)})
    measured = Measured(**{each.name: given[each.name] for each in fields(Measured)})
    print("\n".join(markdown_tables(load, measured).values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
