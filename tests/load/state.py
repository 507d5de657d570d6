"""The memory of transactions alone: the job's own form of it and its state settings, keys made by Flink itself.

Judging and Kafka are left out, so that tens of millions of ids fit into minutes: what is measured is how the
state grows and slows down. What a key takes on disk is what RocksDB's files hold, divided by the keys.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from local_stack.java import require_java_home
from local_stack.settings import CHECKOUT
from stream_jobs.job.settings import JobSettings
from tests.load.child_servers import tied

WINDOW_S = 10.0
LIMIT_S = 3_600
# Spelled as the events spell it, or as the job remembers it.
KEYS = {"bytes": "UNHEX(REPLACE(UUID(), '-', ''))", "text": "UUID()"}
# What is remembered of an id: as the job does it for reversals (sql/22), or only that it was seen.
FORMS = {
    "reversible": (
        "SELECT n FROM (SELECT n, COUNT(n) OVER w AS transfers, FIRST_VALUE(n) OVER w AS content, "
        "LISTAGG(kept) OVER w AS reversals FROM (SELECT n, arrival, CASE WHEN n = 0 THEN '-' END AS kept, {key} "
        "AS id FROM numbers) WINDOW w AS (PARTITION BY id ORDER BY arrival)) "
        "WHERE transfers = 1 AND (reversals IS NULL OR content > 0)"
    ),
    "seen": (
        "SELECT n FROM (SELECT n, ROW_NUMBER() OVER (PARTITION BY id ORDER BY arrival ASC) AS occurrence "
        "FROM (SELECT n, arrival, {key} AS id FROM numbers)) WHERE occurrence = 1"
    ),
}


def measure(arguments: list[str]) -> dict[str, Any]:
    """Fill the memory of ids and look at it each time it holds one of `--keys`; needs no running stack."""
    options = parser().parse_args(arguments)
    wanted = [round(float(each)) for each in options.keys.split(",")]
    (CHECKOUT / ".local").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CHECKOUT / ".local") as folder:
        added = dict(each.split("=", 1) for each in options.option)
        statement = FORMS[options.form].format(key=KEYS[options.spelling])
        with _Filling(Path(folder), statement, options.memory_mb, options.rate, added) as filling:
            looks = []
            for keys in wanted:
                looks.append(filling.look_at(keys))
                print(json.dumps(looks[-1]), file=sys.stderr, flush=True)
    return {
        "spelling": options.spelling,
        "form": options.form,
        "memory_mb": options.memory_mb,
        "rate": options.rate,
        **added,
        "looks": looks,
        "last_to_first": ratios(looks),
    }


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(prog="./dev bench state", description=measure.__doc__)
    parser.add_argument("--keys", default="1e6,1e7", help="look at so many keys, ascending")
    parser.add_argument("--spelling", choices=sorted(KEYS), default="bytes")
    parser.add_argument("--form", choices=sorted(FORMS), default="reversible")
    parser.add_argument("--memory-mb", type=int, default=160, help="RocksDB's memory in all")
    parser.add_argument("--rate", type=int, default=100_000_000, help="keys a second at most")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    return parser


def ratios(looks: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Each figure of the last look divided by the first's: what growth costs, on any machine."""
    first, last = looks[0], looks[-1]
    return {name: round(last[name] / first[name], 2) for name in first if first[name]}


class _Filling:
    """A process whose Flink remembers one new key after the other."""

    def __init__(
        self, folder: Path, statement: str, memory_mb: int, rate: int, added: dict[str, str]
    ) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._told = json.dumps(
            {
                "statement": statement,
                "rate": rate,
                "settings": _settings(folder, memory_mb, self._port) | added,
            }
        )
        self._rest = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}", timeout=30, trust_env=False
        )

    def __enter__(self) -> Self:
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.load.state", self._told],
            env={
                **os.environ,
                "JAVA_HOME": str(require_java_home(os.environ)),
                "JVM_ARGS": f"-Djava.io.tmpdir={temporary}",
                "TMPDIR": str(temporary),
            },
            stdout=(self._folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tied,  # noqa: PLW1509 - no thread runs yet
        )
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._rest.close()

    def look_at(self, keys: int) -> dict[str, Any]:
        """Wait for so many keys; the figures of the seconds that follow."""
        deadline = time.monotonic() + LIMIT_S
        while self._keys() < keys:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text()[-2_000:])
            time.sleep(0.5)
        began = self._at_next_report()
        time.sleep(WINDOW_S)
        ended = self._at_next_report()
        seconds, more, cpu_s, written = (now - then for now, then in zip(ended, began, strict=True))
        on_disk = sum(f.stat().st_size for f in self._folder.glob("tmp/**/*.sst"))
        checkpoints = self._checkpoints()
        newest, summary = checkpoints["latest"]["completed"], checkpoints["summary"]
        return {
            "keys": self._keys(),
            "events_per_s": round(more / seconds),
            "events_per_cpu_s": round(more / cpu_s),
            "bytes_written_per_key": round(written / more),
            "bytes_per_key_on_disk": round(on_disk / self._keys(), 1),
            "checkpoint_ms": newest["end_to_end_duration"],
            "checkpoint_bytes_per_key": round(newest["state_size"] / self._keys(), 1),
            # What one had to bring to its store: what it holds and the one before it did not.
            "largest_checkpointed_mb": round(summary["checkpointed_size"]["max"] / 1e6, 1),
        }

    def _at_next_report(self) -> tuple[float, int, float, int]:
        """Time, keys, CPU time and bytes written at the moment when Flink, which reports every few seconds, does so."""
        before = self._keys()
        while (keys := self._keys()) == before:
            time.sleep(0.05)
        return time.monotonic(), keys, self._cpu_s(), self._written()

    def _keys(self) -> int:
        """Records that the last operator took in."""
        try:
            job = self._rest.get("/jobs").json()["jobs"][0]["id"]
            vertices = self._rest.get(f"/jobs/{job}").json()["vertices"]
            return int(vertices[-1]["metrics"]["read-records"])
        except (httpx.HTTPError, IndexError, KeyError, ValueError):
            return 0

    def _checkpoints(self) -> dict[str, Any]:
        job = self._rest.get("/jobs").json()["jobs"][0]["id"]
        said: dict[str, Any] = self._rest.get(f"/jobs/{job}/checkpoints").json()
        return said

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def _cpu_s(self) -> float:
        times = [each.cpu_times() for each in self._family()]
        return sum(each.user + each.system for each in times)

    def _written(self) -> int:
        """Bytes that were given to the disk, by RocksDB and for checkpoints."""
        return sum(each.io_counters().write_bytes for each in self._family())


def _settings(folder: Path, memory_mb: int, port: int) -> dict[str, str]:
    """The job's own settings of state and checkpoints, on a cluster inside the process."""
    job = JobSettings(
        "-", f"127.0.0.1:{port}", Path(sys.executable), f"file://{folder}/c", "file:///-"
    )
    kept = ("state.", "table.", "execution.checkpointing", "parallelism", "pipeline.max")
    return {
        **{key: value for key, value in job.flink_configuration().items() if key.startswith(kept)},
        "execution.checkpointing.interval": "5 s",
        "metrics.fetcher.update-interval": "500",
        "io.tmp.dirs": f"{folder}/tmp",
        "taskmanager.memory.managed.size": f"{memory_mb}m",
        "state.backend.rocksdb.memory.fixed-per-tm": f"{memory_mb}m",
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": str(port),
        "rest.bind-port": str(port),
    }


def _fill(told: dict[str, Any]) -> None:
    """Run the filling job in this process; ends only by being killed, and its JVM, which is of its group, with it."""
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    for key, value in told["settings"].items():
        configuration.set_string(key, value)
    tables = TableEnvironment.create(
        EnvironmentSettings.new_instance()
        .in_streaming_mode()
        .with_configuration(configuration)
        .build()
    )
    tables.execute_sql(
        "CREATE TABLE numbers (n BIGINT, arrival AS PROCTIME()) WITH ('connector' = 'datagen', "
        f"'rows-per-second' = '{told['rate']}')"
    )
    tables.execute_sql("CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole')")
    tables.execute_sql(f"INSERT INTO nowhere {told['statement']}").wait()


if __name__ == "__main__":
    _fill(json.loads(sys.argv[1]))
