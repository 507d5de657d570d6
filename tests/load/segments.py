"""Questions about one account on a table of thousands of segments: how many Pinot asks, and what each costs.

One small segment of the entries' own configuration is built, and uploaded again and again under other names, in turn
for each kafka partition, a stretch of a year each: what costs there is the number of segments, not their rows. The
table is an offline one, whose routing and pruning are those of a realtime table, and is gone afterwards.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local_stack import run_file
from local_stack.environment import from_environment
from local_stack.parts import CONF
from local_stack.pinot_home import pinot_home
from local_stack.pinot_parts import PINOT_OPENS
from local_stack.settings import StackSettings
from pinot_config.tables import Json, load_tables
from stream_jobs.topics.murmur2 import account_id_in
from tests.load.gateway.running import cpu_of

TABLE = "segments_bench"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 1_700_000_000_000 // DAY_MS * DAY_MS
YEAR = 365
ROWS = 50
UPLOADS = 8  # at a time
WITHIN_S = 900.0
TURN = 50  # questions; of all turns but the first the least is told, as other work makes any dearer
PRUNERS = {"by partition": ["partition"], "by partition and time": ["partition", "time"]}


@dataclass(frozen=True, slots=True)
class Template:
    """The files of a segment, by path under its folder."""

    files: dict[str, bytes]

    def packed(
        self, name: str, partition: int, partitions: int, begin_ms: int, end_ms: int
    ) -> bytes:
        """The segment under another name, of another partition and time, as Pinot takes it."""
        changed = {
            "segment.name": name,
            "segment.start.time": begin_ms,
            "segment.end.time": end_ms,
            "column.account_id.partitionValues": partition,
            "column.account_id.numPartitions": partitions,
            "column.event_time_ms.minValue": begin_ms,
            "column.event_time_ms.maxValue": end_ms,
            "column.event_hour_ms.minValue": begin_ms // HOUR_MS * HOUR_MS,
            "column.event_hour_ms.maxValue": end_ms // HOUR_MS * HOUR_MS,
        }
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
            for folder in ("", *sorted({str(Path(path).parent) for path in self.files})):
                entry = tarfile.TarInfo(f"{name}/{folder}".rstrip("/"))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            for path, content in self.files.items():
                is_metadata = path.endswith("metadata.properties")
                given = _with(content.decode(), changed).encode() if is_metadata else content
                entry = tarfile.TarInfo(f"{name}/{path}")
                entry.size = len(given)
                tar.addfile(entry, io.BytesIO(given))
        return out.getvalue()


def measure(arguments: list[str]) -> dict[str, Any]:
    """Figures of a running stack; start it with `./dev up --no-load`."""
    options = parser().parse_args(arguments)
    settings = from_environment(os.environ)
    bench = _Bench(settings, options.partitions, options.repeat)
    bench.drop()
    bench.create()
    try:
        sizes = [bench.at(count, max(options.segments)) for count in sorted(options.segments)]
        return {"sizes": sizes, "broker's pruner alone": _pruner(settings, options.pruned)}
    finally:
        bench.drop()


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
        self._settings, self._partitions, self._repeat = settings, partitions, repeat
        self._http = httpx.Client(timeout=60, trust_env=False)
        self._controller = settings.pinot_controller_url
        self._template = _built(settings, _asked_about(partitions))
        self._there = 0

    def create(self) -> None:
        """The schema and the table."""
        schema, config = _table(self._partitions, PRUNERS["by partition"])
        self._call("POST", "/schemas", json=schema)
        self._call("POST", "/tables", json=config)

    def drop(self) -> None:
        """The table with all of its segments, and the schema."""
        for path in (f"/tables/{TABLE}?type=offline", f"/schemas/{TABLE}"):
            self._http.delete(self._controller + path)

    def at(self, count: int, most: int) -> dict[str, Any]:
        """What questions cost with so many segments, and how large ZooKeeper's nodes are."""
        self._upload(count, most)
        figures: dict[str, Any] = {"segments": count, **self._nodes()}
        for pruned, pruners in PRUNERS.items():
            self._call("PUT", f"/tables/{TABLE}", json=_table(self._partitions, pruners)[1])
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
        deadline = time.monotonic() + WITHIN_S
        while self._rows_served() < count * ROWS:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Pinot does not serve {count} segments after {WITHIN_S} s")
            time.sleep(1)

    def _rows_served(self) -> int:
        try:
            rows: int = self._ask(f"SELECT COUNT(*) FROM {TABLE}")["totalDocs"]
        except (RuntimeError, httpx.TransportError):
            return 0  # not routed yet, or busy with loading
        return rows

    def _missing(self, count: int, most: int) -> Iterator[tuple[str, bytes]]:
        """In turn for each partition, and for each as even stretches of the year as there will be in the end."""
        each_ms = YEAR * DAY_MS * self._partitions // most
        for number in range(self._there, count):
            place, partition = divmod(number, self._partitions)
            begin_ms = BEGIN_MS + YEAR * DAY_MS - (place + 1) * each_ms
            name = f"account_entries__{partition}__{place}__20261130T{number:06d}Z"
            yield (
                name,
                self._template.packed(
                    name, partition, self._partitions, begin_ms, begin_ms + each_ms - 1
                ),
            )

    def _put(self, segment: tuple[str, bytes]) -> None:
        name, packed = segment
        self._call(
            "POST",
            f"/v2/segments?tableName={TABLE}&tableType=OFFLINE",
            files={"file": (f"{name}.tar.gz", packed)},
        )

    def _nodes(self) -> dict[str, int]:
        """Bytes of ZooKeeper's nodes of the table."""
        cluster = self._call("GET", "/cluster/info").json()["clusterName"]
        return {
            f"{kind.lower()}_bytes": self._call(
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
            before = self._cpu_s()
            for _ in range(TURN):
                began = time.perf_counter()
                answer = self._answer(*window)
                milliseconds.append((time.perf_counter() - began) * 1000)
            after = self._cpu_s()
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
        return self._ask(
            f"SELECT direction, COUNT(*), SUMPRECISION(amount) FROM {TABLE} WHERE account_id = '{account}' "
            f"AND event_time_ms >= {begin_ms} AND event_time_ms < {end_ms} "
            "GROUP BY direction LIMIT 2"
        )

    def _ask(self, sql: str) -> dict[str, Any]:
        body = {"sql": sql, "queryOptions": "timeoutMs=30000"}
        answer = self._http.post(f"{self._settings.pinot_broker_url}/query/sql", json=body).json()
        found: dict[str, Any] = answer
        if found["exceptions"]:
            raise RuntimeError(str(found["exceptions"])[:500])
        return found

    def _call(self, method: str, path: str, **given: Any) -> httpx.Response:
        answer = self._http.request(method, self._controller + path, **given)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code}: {answer.text[:500]}")
        return answer

    def _cpu_s(self) -> dict[str, float]:
        running = run_file.read(self._settings.run_file)
        if running is None:
            raise RuntimeError("no stack runs; start it with ./dev up --no-load")
        return {
            name: cpu_of(running.parts[f"pinot_{name}"].process.pid)
            for name in ("broker", "server")
        }


def _table(partitions: int, pruners: list[str]) -> tuple[Json, Json]:
    """The entries' own schema and configuration, as an offline table's."""
    entries = load_tables({"ACCOUNT_ENTRIES_PARTITIONS": str(partitions)})[0]
    index = {
        k: v for k, v in entries.table_config["tableIndexConfig"].items() if k != "streamConfigs"
    }
    config = {
        **entries.table_config,
        "tableName": TABLE,
        "tableType": "OFFLINE",
        "segmentsConfig": {
            "schemaName": TABLE,
            "timeColumnName": "event_time_ms",
            "replication": "1",
        },
        "tableIndexConfig": index,
        "ingestionConfig": {},
        "routing": {"segmentPrunerTypes": pruners},
    }
    return {**entries.schema, "schemaName": TABLE}, config


def _asked_about(partitions: int) -> str:
    """An account of the last kafka partition; it has an entry in every segment."""
    return account_id_in(partitions - 1, partitions)


def _built(settings: StackSettings, account_id: str) -> Template:
    """A segment of `ROWS` entries of as many accounts, by Pinot's own command."""
    schema, config = _table(1, ["partition"])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "rows").mkdir()
        rows = "\n".join(json.dumps(_row(number, account_id)) for number in range(ROWS))
        (place / "rows" / "rows.json").write_text(rows)
        (place / "schema.json").write_text(json.dumps(schema))
        (place / "table.json").write_text(json.dumps(config))
        command = [
            *_java(settings),
            "org.apache.pinot.tools.admin.PinotAdministrator",
            "CreateSegment",
            "-format",
            "JSON",
        ]
        command += ["-dataDir", f"{place}/rows", "-outDir", f"{place}/out", "-overwrite"]
        command += [
            "-tableConfigFile",
            f"{place}/table.json",
            "-schemaFile",
            f"{place}/schema.json",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        (segment,) = (each for each in (place / "out").iterdir() if each.is_dir())
        return Template(
            {
                str(each.relative_to(segment)): each.read_bytes()
                for each in sorted(segment.rglob("*"))
                if each.is_file()
            }
        )


def _java(settings: StackSettings) -> list[str]:
    return [
        "java",
        "-Xmx1g",
        "-XX:+UseSerialGC",
        # Without it Pinot's jars have it write a log where it stands.
        f"-Dlog4j2.configurationFile={CONF}/pinot-log4j2.xml",
        *PINOT_OPENS,
        "-cp",
        pinot_home(settings).classpath,
    ]


def _pruner(settings: StackSettings, counts: list[int]) -> list[Json]:
    """What the broker's pruner takes a statement, by the segments of the table; Pinot 0.11's."""
    script = Path(__file__).with_name("segment_pruner.groovy")
    command = [*_java(settings), "groovy.ui.GroovyMain", str(script), *map(str, counts)]
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


def _with(properties: str, changed: dict[str, object]) -> str:
    for key, value in changed.items():
        line = re.compile(rf"^{re.escape(key)} *=.*$", re.MULTILINE)
        if not line.search(properties):
            raise ValueError(f"the segment's metadata have no {key}")
        properties = line.sub(f"{key} = {value}", properties)
    return properties
