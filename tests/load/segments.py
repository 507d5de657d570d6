"""Questions about one account on a table of thousands of segments: how many Pinot asks, and what each costs.

One small segment of the entries' own configuration is built, and uploaded again and again under other names, in turn
for each kafka partition, a stretch of a year each: what costs there is the number of segments, not their rows. The
table is an offline one, whose routing and pruning are those of a realtime table, and is gone afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_stack.environment import from_environment
from local_stack.settings import StackSettings
from pinot_config.tables import Json
from stream_jobs.topics.murmur2 import account_id_in
from tests.load.own_table import WITHIN_S, OwnTable, Segment, built, configured, java

TABLE = "segments_bench"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 1_700_000_000_000 // DAY_MS * DAY_MS
YEAR = 365
ROWS = 50
UPLOADS = 8  # at a time
TURN = 50  # questions; of all turns but the first the least is told, as other work makes any dearer
PRUNERS = {"by partition": ["partition"], "by partition and time": ["partition", "time"]}


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of a running stack; start it with `./dev up --no-load`."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    bench = _Bench(settings, options.partitions, options.repeat)
    with bench.table.there(*configured(TABLE, options.partitions, PRUNERS["by partition"])):
        sizes = [bench.at(count, max(options.segments)) for count in sorted(options.segments)]
        return {"sizes": sizes, "broker's pruner alone": _pruner(settings, options.pruned)}


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench segments", description=measure.__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=300)
    parser.add_argument("--pruned", type=int, nargs="+", default=[2048, 8192, 36500, 109500])
    return parser


class _Bench:
    def __init__(self, settings: StackSettings, partitions: int, repeat: int) -> None:
        self.table = OwnTable(settings, TABLE)
        self._partitions, self._repeat = partitions, repeat
        self._segment = _built(settings, _asked_about(partitions))
        self._there = 0

    def at(self, count: int, most: int) -> dict[str, Any]:
        """What questions cost with so many segments, and how large ZooKeeper's nodes are."""
        self._upload(count, most)
        figures: dict[str, Any] = {"segments": count, **self._nodes()}
        for pruned, pruners in PRUNERS.items():
            self.table.configure(configured(TABLE, self._partitions, pruners)[1])
            self._wait_for_routing("time" in pruners)
            for days in (1, 90, YEAR):
                figures[f"{days} days, {pruned}"] = self._asked(days)
        return figures

    def _upload(self, count: int, most: int) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(UPLOADS) as pool:
            for done, _ in enumerate(pool.map(self._put, self._missing(count, most)), 1):
                if done % 500 == 0:
                    print(f"   {done} uploaded, {time.monotonic() - began:.0f} s", flush=True)
        self._there = count
        self.table.wait_for(count * ROWS)

    def _missing(self, count: int, most: int) -> Iterator[tuple[str, bytes]]:
        """In turn for each partition, and for each as even stretches of the year as there will be in the end."""
        each_ms = YEAR * DAY_MS * self._partitions // most
        for number in range(self._there, count):
            place, partition = divmod(number, self._partitions)
            begin_ms = BEGIN_MS + YEAR * DAY_MS - (place + 1) * each_ms
            name = f"account_entries__{partition}__{place}__20261130T{number:06d}Z"
            changed = self._changed(partition, begin_ms, begin_ms + each_ms - 1)
            yield name, self._segment.packed(name, changed)

    def _changed(self, partition: int, begin_ms: int, end_ms: int) -> dict[str, object]:
        """The metadata of a segment of another partition and time."""
        return {
            "segment.start.time": begin_ms,
            "segment.end.time": end_ms,
            "column.account_id.partitionValues": partition,
            "column.account_id.numPartitions": self._partitions,
            "column.event_time_ms.minValue": begin_ms,
            "column.event_time_ms.maxValue": end_ms,
            "column.event_hour_ms.minValue": begin_ms // HOUR_MS * HOUR_MS,
            "column.event_hour_ms.maxValue": end_ms // HOUR_MS * HOUR_MS,
        }

    def _put(self, segment: tuple[str, bytes]) -> None:
        self.table.upload(*segment)

    def _nodes(self) -> dict[str, int]:
        """Bytes of ZooKeeper's nodes of the table."""
        cluster = self.table.call("GET", "/cluster/info").json()["clusterName"]
        return {
            f"{kind.lower()}_bytes": self.table.call(
                "GET", f"/zk/stat?path=/{cluster}/{kind}/{TABLE}_OFFLINE"
            ).json()["dataLength"]
            for kind in ("IDEALSTATES", "EXTERNALVIEW")
        }

    def _wait_for_routing(self, by_time: bool) -> None:
        deadline = time.monotonic() + WITHIN_S
        nowhere = (BEGIN_MS - DAY_MS, BEGIN_MS)
        while (self._answer(*nowhere)["numSegmentsQueried"] == 0) != by_time:
            if time.monotonic() > deadline:
                raise TimeoutError("the broker does not route as the table says")
            time.sleep(0.5)

    def _asked(self, days: int) -> dict[str, Any]:
        end_ms = BEGIN_MS + YEAR * DAY_MS
        window = (end_ms - days * DAY_MS, end_ms)
        milliseconds: list[float] = []
        cpu_ms: dict[str, list[float]] = {"broker": [], "server": []}
        for turn in range(1 + max(1, self._repeat // TURN)):
            before = self.table.cpu_s()
            for _ in range(TURN):
                began = time.perf_counter()
                answer = self._answer(*window)
                milliseconds.append((time.perf_counter() - began) * 1000)
            after = self.table.cpu_s()
            for part, told in cpu_ms.items():
                if turn:
                    told.append((after[part] - before[part]) / TURN * 1000)
        return {
            "queried": answer["numSegmentsQueried"],
            "pruned_by_server": answer.get("numSegmentsPrunedByServer"),
            "processed": answer["numSegmentsProcessed"],
            "rows_in_what_was_asked": answer["totalDocs"],
            "p50_ms": round(statistics.median(milliseconds), 2),
            **{f"{part}_cpu_ms": round(min(told), 2) for part, told in cpu_ms.items()},
        }

    def _answer(self, begin_ms: int, end_ms: int) -> dict[str, Any]:
        """An account's totals, as the gateway asks for them."""
        account = _asked_about(self._partitions)
        return self.table.ask(
            f"SELECT direction, COUNT(*), SUMPRECISION(amount) FROM {TABLE} WHERE account_id = '{account}' "
            f"AND event_time_ms >= {begin_ms} AND event_time_ms < {end_ms} "
            "GROUP BY direction LIMIT 2"
        )


def _asked_about(partitions: int) -> str:
    """An account of the last kafka partition; it has an entry in every segment."""
    return account_id_in(partitions - 1, partitions)


def _built(settings: StackSettings, account_id: str) -> Segment:
    """A segment of `ROWS` entries of as many accounts."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        rows.write_text("\n".join(json.dumps(_row(number, account_id)) for number in range(ROWS)))
        return built(settings, rows, *configured(TABLE, 1, ["partition"]))[0]


def _pruner(settings: StackSettings, counts: list[int]) -> list[Json]:
    """What the broker's pruner takes a statement, by the segments of the table; Pinot 0.11's."""
    script = Path(__file__).with_name("segment_pruner.groovy")
    command = [*java(settings), "groovy.ui.GroovyMain", str(script), *map(str, counts)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def _row(number: int, account_id: str) -> Json:
    return {
        "account_id": f"acct-{number:06d}" if number else account_id,
        "counterparty_id": f"acct-{number + 1:06d}",
        "direction": "RECEIVED",
        "transaction_id": f"00000000-0000-4000-8000-{number:012d}",
        "amount": f"{number}.50",
        "event_time_ms": BEGIN_MS + number,
    }
