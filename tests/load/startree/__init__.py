"""What star-trees bring over months of history: the same questions with and without them, on 51 million rows.

One kafka partition's worth of segments, in a table of its own with the entries' configuration, which is gone
afterwards. A segment a month is built by Pinot's own command and uploaded again and again under other names: the
copies are copies, so a month's rows are there several times, and so are an account's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.store.pinot.broker_session import AiohttpSession
from gateway.store.pinot.client import PinotClient
from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from pinot_config.tables import Json
from tests.load.own_table import OwnTable, Segment, built, configured
from tests.load.startree.expected import expected
from tests.load.startree.questions import questions
from tests.load.startree.rows import Crowd, Rows, crowd, lines, month
from tests.load.startree.ways import IN_PARTS, Asker, idle_cores

PIPELINE = "startree"
TABLE = f"account_entries_{PIPELINE}"
"""As the gateway names the table of a pipeline of this name, which it is asked as."""
QUICK = {"segments": 4, "rows": 20_000, "months": 2, "turns": 1}
FULL = {"segments": 64, "rows": 800_000, "months": 8, "turns": 3}
IDLE_S = 10.0


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of a running stack; start it with `./dev up --fresh --no-load`."""
    options = chosen(arguments)
    settings = from_environment(os.environ)
    table = OwnTable(settings, TABLE)
    copies = options.segments // options.months
    of = crowd(options.rows * copies)
    with table.there(*configured(TABLE, 1, ["partition"])):
        months, size = _filled(settings, table, of, options.months, copies, options.rows)
        table.wait_for(options.segments * options.rows)
        rows = asyncio.run(_asked(settings, table, of, months, copies, options.turns))
    print(markdown(rows))
    return {
        "segments": options.segments,
        "rows": options.segments * options.rows,
        "months": options.months,
        "segment": size,
        "questions": rows,
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench startree", description=measure.__doc__)
    parser.add_argument("--segments", type=int, help="a multiple of the months")
    parser.add_argument("--rows", type=int, help="of a segment")
    parser.add_argument("--months", type=int, help="2 or more")
    parser.add_argument("--turns", type=int)
    parser.add_argument("--quick", action="store_true", help="little of each, in two minutes")
    return parser


def chosen(arguments: list[str]) -> argparse.Namespace:
    """The options, those that are not given by size; ends the program where they do not fit."""
    first = parser()
    first.set_defaults(**(QUICK if first.parse_args(arguments).quick else FULL))
    options = first.parse_args(arguments)
    if options.months < 2 or options.segments < 1 or options.segments % options.months:
        first.error("--months is 2 or more, --segments a multiple of it")
    if min(options.rows, options.turns) < 1:
        first.error("--rows and --turns are 1 or more")
    return options


def markdown(rows: list[dict[str, Any]]) -> str:
    """The questions as a table: with star-trees, without, and, where that was asked, in parts."""
    head = "| of | what | window | rows read | CPU of server and broker, ms | p50, ms |"
    lines_ = [head, "|" + "---|" * 6]
    for each in rows:
        way = [each[name] for name in ("with", "without", IN_PARTS) if name in each]
        docs = " / ".join(f"{one['docs_scanned']:,}" for one in way)
        cpu = " / ".join(
            f"{one['server_cpu_ms']:,.1f} + {one['broker_cpu_ms']:,.1f}" for one in way
        )
        p50 = " / ".join(f"{one['p50_ms']:,.1f}" for one in way)
        window = each["window"] + ("" if each["hours"] else ", ragged")
        lines_.append(f"| {each['of']} | {each['what']} | {window} | {docs} | {cpu} | {p50} |")
    return "\n".join(lines_)


def _filled(
    settings: StackSettings, table: OwnTable, of: Crowd, months: int, copies: int, rows: int
) -> tuple[list[Rows], dict[str, Any]]:
    """Every month built and uploaded; its rows, and what a segment's star-trees take."""
    schema, config = configured(TABLE, 1, ["partition"])
    kept, size = list[Rows](), dict[str, Any]()
    for number in range(months):
        began_s = time.monotonic()
        made = month(of, number, rows)
        kept.append(made)
        with tempfile.TemporaryDirectory(dir=settings.state) as folder:
            file = Path(folder) / "rows.json"
            with file.open("w") as out:
                out.writelines(lines(made, number))
            segment, cpu_s = built(settings, file, schema, config)
            if number == 0:
                bare = built(settings, file, schema, without_trees(config))
                size = {"with": _size(segment, cpu_s), "without": _size(*bare)}
        for copy in range(copies):
            name = f"account_entries__0__{number * copies + copy}__20261201T0000Z"
            table.upload(name, segment.packed(name, {}))
        print(f"   month {number + 1} of {months}: {time.monotonic() - began_s:.0f} s", flush=True)
    return kept, size


def without_trees(config: Json) -> Json:
    """The table's configuration without star-trees."""
    index = {
        key: value
        for key, value in config["tableIndexConfig"].items()
        if key not in ("starTreeIndexConfigs", "enableDynamicStarTreeCreation")
    }
    return {**config, "tableIndexConfig": index}


def _size(segment: Segment, cpu_s: float) -> dict[str, float]:
    files = segment.bytes_by_file
    return {
        "bytes": sum(files.values()),
        "star_tree_bytes": sum(
            size for file, size in files.items() if file.startswith("star_tree")
        ),
        "build_cpu_s": round(cpu_s, 1),
    }


async def _asked(
    settings: StackSettings, table: OwnTable, of: Crowd, months: list[Rows], copies: int, turns: int
) -> list[dict[str, Any]]:
    client = PinotClient(settings.pinot_broker_url, AiohttpSession(4), PIPELINE)
    asker = Asker(client, table.cpu_s, idle_cores(table.cpu_s, IDLE_S))
    asked, found = questions(of, len(months)), list[dict[str, Any]]()
    try:
        # All of them first, so that none is timed before Pinot's compilers have seen it.
        firsts = [
            await asker.checked(each.plan, expected(each.plan, months, copies)) for each in asked
        ]
        print(
            f"   {len(asked)} questions: answers with and without are what is expected", flush=True
        )
        for each, first in zip(asked, firsts, strict=True):
            if each.by_tree and first["with"].docs_scanned >= first["without"].docs_scanned:
                raise AssertionError(f"no star-tree was used, or always: {each}")
            told = {"of": each.of, "what": each.what, "window": each.window, "hours": each.hours}
            found.append(told | await asker.side_by_side(each.plan, first, turns))
            print("  ", found[-1], flush=True)
    finally:
        await client.close()
    return found
