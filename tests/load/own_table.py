"""A table of a benchmark's own on the running stack's Pinot, of the entries' own schema and configuration.

An offline one, whose routing and pruning are those of a realtime table. Its segments are built by Pinot's own command
and can be uploaded again and again under other names.
"""

from __future__ import annotations

import io
import json
import re
import resource
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from local_stack import run_file
from local_stack.parts import CONF
from local_stack.pinot_home import pinot_home
from local_stack.pinot_parts import PINOT_OPENS
from local_stack.settings import StackSettings
from pinot_config.tables import Json, load_tables
from tests.load.gateway.running import cpu_of

WITHIN_S = 900.0
BUILT_WITHIN_S = 1_200.0
GZIP = 16 + zlib.MAX_WBITS
FOLDER = "segment"
METADATA = "metadata.properties"


class OwnTable:
    """Made, filled, asked and dropped; the stack runs, or the first statement fails."""

    def __init__(self, settings: StackSettings, name: str) -> None:
        self.name = name
        self._settings = settings
        self._http = httpx.Client(timeout=120, trust_env=False)

    @contextmanager
    def there(self, schema: Json, config: Json) -> Iterator[None]:
        """The table while the block runs, without what an earlier run may have left."""
        self.drop()
        self.call("POST", "/schemas", json=schema)
        self.call("POST", "/tables", json=config)
        try:
            yield
        finally:
            self.drop()

    def configure(self, config: Json) -> None:
        """Give it another configuration."""
        self.call("PUT", f"/tables/{self.name}", json=config)

    def drop(self) -> None:
        """The table with all of its segments, and the schema."""
        for path in (f"/tables/{self.name}?type=offline", f"/schemas/{self.name}"):
            self._http.delete(self._settings.pinot_controller_url + path)

    def upload(self, name: str, packed: bytes) -> None:
        """A segment under this name."""
        self.call(
            "POST",
            f"/v2/segments?tableName={self.name}&tableType=OFFLINE",
            files={"file": (f"{name}.tar.gz", packed)},
        )

    def wait_for(self, rows: int) -> None:
        """Wait until all of these are served.

        Raises:
            TimeoutError: they are not after `WITHIN_S`.

        """
        deadline = time.monotonic() + WITHIN_S
        while self._served() < rows:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Pinot does not serve {rows} rows after {WITHIN_S} s")
            time.sleep(1)

    def ask(self, sql: str) -> dict[str, Any]:
        """The broker's whole answer to a statement."""
        body = {"sql": sql, "queryOptions": "timeoutMs=30000"}
        answer = self._http.post(f"{self._settings.pinot_broker_url}/query/sql", json=body).json()
        found: dict[str, Any] = answer
        if found["exceptions"]:
            raise RuntimeError(str(found["exceptions"])[:500])
        return found

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """What the controller answers."""
        url = self._settings.pinot_controller_url + path
        answer = self._http.request(method, url, **given)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code}: {answer.text[:500]}")
        return answer

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds that broker and server have taken so far."""
        running = run_file.read(self._settings.run_file)
        if running is None:
            raise RuntimeError("no stack runs; start it with ./dev up --no-load")
        return {
            name: cpu_of(running.parts[f"pinot_{name}"].process.pid)
            for name in ("broker", "server")
        }

    def _served(self) -> int:
        try:
            rows: int = self.ask(f"SELECT COUNT(*) FROM {self.name}")["totalDocs"]
        except (RuntimeError, httpx.TransportError):
            return 0  # not routed yet, or busy with loading
        return rows


def configured(name: str, partitions: int, pruners: list[str]) -> tuple[Json, Json]:
    """The entries' own schema and configuration, as an offline table's of this name."""
    entries = load_tables({"ACCOUNT_ENTRIES_PARTITIONS": str(partitions)})[0]
    index = {
        k: v for k, v in entries.table_config["tableIndexConfig"].items() if k != "streamConfigs"
    }
    config = {
        **entries.table_config,
        "tableName": name,
        "tableType": "OFFLINE",
        "segmentsConfig": {
            "schemaName": name,
            "timeColumnName": "event_time_ms",
            "replication": "1",
        },
        "tableIndexConfig": index,
        "routing": {"segmentPrunerTypes": pruners},
    }
    return {**entries.schema, "schemaName": name}, config


class Segment:
    """A segment's files; they are packed once, and of each copy only the metadata anew."""

    def __init__(self, folder: Path) -> None:
        """Take them from the folder that holds them, which may go then."""
        files = [each for each in sorted(folder.rglob("*")) if each.is_file()]
        self.bytes_by_file = {each.name: each.stat().st_size for each in files}
        (metadata,) = (each for each in files if each.name == METADATA)
        self._path = f"{FOLDER}/{metadata.relative_to(folder)}"
        self._metadata = metadata.read_text()
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            # The folder itself comes first: Pinot takes the first entry for the segment.
            for each in (folder, *sorted(folder.rglob("*"))):
                if each != metadata:
                    tar.add(each, Path(FOLDER) / each.relative_to(folder), recursive=False)
            rest = out.getvalue()  # before the archive's end is written
        self._packer = zlib.compressobj(1, zlib.DEFLATED, GZIP)
        self._packed = self._packer.compress(rest)

    def packed(self, name: str, changed: Mapping[str, object]) -> bytes:
        """The segment under another name, with these metadata changed, as Pinot takes it."""
        given = _with(self._metadata, {"segment.name": name, **changed}).encode()
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo(self._path)
            entry.size = len(given)
            tar.addfile(entry, io.BytesIO(given))
        packer = self._packer.copy()
        return self._packed + packer.compress(out.getvalue()) + packer.flush()


def built(settings: StackSettings, rows: Path, schema: Json, config: Json) -> tuple[Segment, float]:
    """A segment of a file of rows (JSON, one a line) by Pinot's own command, and the CPU seconds that it took."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        place = Path(folder)
        (place / "rows").mkdir()
        (place / "rows" / "rows.json").hardlink_to(rows)
        (place / "schema.json").write_text(json.dumps(schema))
        (place / "table.json").write_text(json.dumps(config))
        command = [*java(settings), "org.apache.pinot.tools.admin.PinotAdministrator"]
        command += ["CreateSegment", "-format", "JSON", "-overwrite"]
        command += ["-dataDir", f"{place}/rows", "-outDir", f"{place}/out"]
        command += ["-tableConfigFile", f"{place}/table.json"]
        command += ["-schemaFile", f"{place}/schema.json"]
        before_s = _children_s()
        subprocess.run(command, check=True, capture_output=True, timeout=BUILT_WITHIN_S)
        taken_s = _children_s() - before_s
        (segment,) = (each for each in (place / "out").iterdir() if each.is_dir())
        return Segment(segment), taken_s


def java(settings: StackSettings) -> list[str]:
    """A JVM with Pinot's classes."""
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


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _with(properties: str, changed: Mapping[str, object]) -> str:
    for key, value in changed.items():
        line = re.compile(rf"^{re.escape(key)} *=.*$", re.MULTILINE)
        if not line.search(properties):
            raise ValueError(f"the segment's metadata have no {key}")
        properties = line.sub(f"{key} = {value}", properties)
    return properties
