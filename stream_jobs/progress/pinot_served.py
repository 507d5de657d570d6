"""What Pinot has consumed and serves of a realtime table; nothing else is asked of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import quote

from stream_jobs.json_http import pinot_http
from stream_jobs.one_of import Http, Turn, one_of
from stream_jobs.progress.segments import (
    NotServedError,
    Segment,
    TableSegments,
    partition_of,
    place_of,
)
from stream_jobs.progress.side_by_side import SideBySide, in_threads
from stream_jobs.topics.offsets import Offsets

# Of more new segments than this all are asked for at once.
ONE_BY_ONE: Final = 64
_SERVED = frozenset({"ONLINE", "CONSUMING"})
_UNIT_MS: Final = {"DAYS": 86_400_000, "HOURS": 3_600_000, "MINUTES": 60_000}


@dataclass(frozen=True, slots=True)
class ConsumingSegment:
    """A segment that is being filled, with the offset that each server has reached in it."""

    name: str
    server_offsets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of how many segments, and how many of these are being filled, one broker answer covers."""

    rows: int
    segments: int
    consuming: int


class PinotServed(Protocol):
    """What the progress tracker asks of Pinot, from several threads."""

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]: ...

    def segments(self, table: str) -> TableSegments: ...

    def count(self, table: str, account_id: str | None) -> Count:
        """The rows of the segments that a query for one account (None: all) reads."""


def whole(consuming: tuple[ConsumingSegment, ...], table: TableSegments) -> frozenset[str]:
    """Those that are filled, and wait to be built and replaced while the next is filled; Pinot 1.4 can do that.

    Every server that has one in memory has read to its end, not less and not more, and fills the next.
    """
    in_order = sorted(consuming, key=lambda each: place_of(each.name) or (-1, -1))
    newest = {partition_of(segment.name): segment for segment in in_order}
    found = []
    for segment in consuming:
        after, known = newest[partition_of(segment.name)], table.by_name.get(segment.name)
        if (
            segment is not after
            and known is not None
            and set(segment.server_offsets.values()) == {known.end}
            and segment.server_offsets.keys() <= after.server_offsets.keys()
        ):
            found.append(segment.name)
    return frozenset(found)


def consumed_offsets(consuming: tuple[ConsumingSegment, ...]) -> Offsets:
    """Per kafka partition the offset up to which every server that answered has indexed.

    Raises NotServedError while a server fills one segment and another the next: no rows are a prefix then.
    """
    offsets: dict[int, int] = {}
    for segment in consuming:
        partition = partition_of(segment.name)
        if partition in offsets or not segment.server_offsets:
            raise NotServedError(f"kafka partition {partition} is handed over to {segment.name}")
        offsets[partition] = min(segment.server_offsets.values())
    return offsets


def servers_of(consuming: tuple[ConsumingSegment, ...]) -> dict[int, frozenset[str]]:
    """By kafka partition the servers that said how far they are."""
    servers: dict[int, frozenset[str]] = {}
    for segment in consuming:
        partition = partition_of(segment.name)
        servers[partition] = servers.get(partition, frozenset()) | segment.server_offsets.keys()
    return servers


def refuse_silent(consuming: tuple[ConsumingSegment, ...], table: TableSegments) -> None:
    """Raises NotServedError if a server serves a consuming segment but did not say how far it is."""
    told = {segment.name: segment.server_offsets.keys() for segment in consuming}
    for name, servers in table.serving.items():
        silent = servers - told.get(name, frozenset())
        if silent:
            raise NotServedError(f"no offset of segment {name} from {sorted(silent)}")


class HttpPinotServed:
    """`PinotServed` by a controller's REST API and a broker's SQL; of each there may be several, with commas between.

    What is known of a finished segment is kept; the list of segments is read again only if ZooKeeper says that it
    changed, so what a look costs does not grow with the table.
    """

    def __init__(
        self,
        controller_url: str,
        broker_url: str,
        timeout_s: float = 5.0,
        side_by_side: SideBySide | None = None,
        connect: Callable[[str, float], Http] = pinot_http,
    ) -> None:
        self._controller = PerThread.to(controller_url, lambda url: connect(url, timeout_s))
        self._broker = PerThread.to(broker_url, lambda url: connect(url, timeout_s))
        # Threads of its own: whoever asks may be in one of another pool, waiting for this.
        self._all = side_by_side or in_threads(8)
        self._cluster = ""
        self._nodes: dict[str, tuple[int, Mapping[str, Mapping[str, str]]]] = {}
        self._known: dict[str, dict[str, Segment]] = {}
        self._tables: dict[str, tuple[tuple[int, int], TableSegments]] = {}

    def close(self) -> None:
        """Give back the connections of the thread that calls."""
        self._controller().close()
        self._broker().close()

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]:
        answer = self._controller().get(f"/tables/{table}/consumingSegmentsInfo")
        # 0.11 writes the key with an underscore.
        by_segment = answer.get(
            "_segmentToConsumingInfoMap", answer.get("segmentToConsumingInfoMap")
        )
        return tuple(
            ConsumingSegment(
                name,
                {
                    server["serverName"]: int(
                        server["partitionToOffsetMap"][str(partition_of(name))]
                    )
                    for server in servers
                },
            )
            for name, servers in sorted(by_segment.items())
        )

    def segments(self, table: str) -> TableSegments:
        (ideal_at, ideal), (view_at, view) = (
            self._if_changed(f"{kind}/{table}_REALTIME") for kind in ("IDEALSTATES", "EXTERNALVIEW")
        )
        known = self._tables.get(table)
        if (
            known is None
            or known[0] != (ideal_at, view_at)
            # That it is built shows in neither, if a server never follows.
            or any(segment.committing for segment in known[1].segments)
        ):
            known = self._tables[table] = ((ideal_at, view_at), self._read(table, ideal, view))
        return known[1]

    def count(self, table: str, account_id: str | None) -> Count:
        where = "" if account_id is None else f" WHERE account_id = '{account_id}'"
        sql = f"SELECT COUNT(*) FROM {table}{where}"  # noqa: S608 # both are our own words
        answer = self._broker().post("/query/sql", {"sql": sql})
        refuse_partial(answer)
        return Count(
            answer["totalDocs"], answer["numSegmentsQueried"], answer["numConsumingSegmentsQueried"]
        )

    def _zookeeper(self, verb: str, path: str) -> Any:
        if not self._cluster:
            self._cluster = self._controller().get("/cluster/info")["clusterName"]
        return self._controller().get(f"/zk/{verb}?path={quote(f'/{self._cluster}/{path}')}")

    def _if_changed(self, path: str) -> tuple[int, Mapping[str, Mapping[str, str]]]:
        changed_at = self._zookeeper("stat", path)["mzxid"]
        known = self._nodes.get(path)
        if known is None or known[0] != changed_at:
            known = self._nodes[path] = changed_at, self._zookeeper("get", path)["mapFields"]
        return known

    def _read(
        self,
        table: str,
        ideal: Mapping[str, Mapping[str, str]],
        view: Mapping[str, Mapping[str, str]],
    ) -> TableSegments:
        served = {name for name, servers in ideal.items() if _SERVED & set(servers.values())}
        consuming = {name for name in served if "CONSUMING" in ideal[name].values()}
        kept = self._known.get(table, {})
        known = {
            name: segment
            for name, segment in kept.items()
            if name in served
            and segment.consuming == (name in consuming)
            and not segment.committing
        }
        unknown = sorted(served - known.keys())
        told = self._told(f"PROPERTYSTORE/SEGMENTS/{table}_REALTIME", unknown)
        known |= {name: _segment(name, told[name], name in consuming) for name in unknown}
        self._known[table] = known
        return TableSegments(
            tuple(known.values()),
            {
                # Of one that is filled, who has replaced it has it as all others have, and tells nothing of it.
                name: frozenset(
                    server
                    for server, state in servers.items()
                    if state == "CONSUMING" or (name in consuming and state in _SERVED)
                )
                for name, servers in view.items()
                if name in consuming or "CONSUMING" in servers.values()
            },
            self._retention_ms(table),
        )

    def _told(self, folder: str, names: list[str]) -> Mapping[str, Mapping[str, str]]:
        """What ZooKeeper keeps of some segments, by name."""
        if len(names) > ONE_BY_ONE:
            nodes = self._zookeeper("getChildren", folder)
        else:
            nodes = self._all([partial(self._zookeeper, "get", f"{folder}/{n}") for n in names])
        return {node["id"]: node["simpleFields"] for node in nodes}

    def _retention_ms(self, table: str) -> int | None:
        config = self._controller().get(f"/tables/{table}")["REALTIME"]["segmentsConfig"]
        if not config.get("retentionTimeValue"):
            return None
        return int(config["retentionTimeValue"]) * _UNIT_MS[config["retentionTimeUnit"].upper()]


class PerThread:
    """A connection for each thread that asks; a wrong address is told at once."""

    def __init__(self, connect: Callable[[], Http]) -> None:
        self._connect = connect
        self._own = threading.local()
        self()

    @classmethod
    def to(cls, urls: str, connect: Callable[[str], Http]) -> PerThread:
        """To one of the addresses that commas separate; all threads learn what one has found out."""
        return cls(partial(one_of, urls, connect, Turn()))

    def __call__(self) -> Http:
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
        connection: Http = self._own.connection
        return connection


def _segment(name: str, fields: Mapping[str, str], consuming: bool) -> Segment:
    start, end = (fields.get(f"segment.realtime.{side}Offset") for side in ("start", "end"))
    columns = json.loads(fields.get("segment.partition.metadata") or "{}").get("columnPartitionMap")
    by: dict[str, Any] = next(
        iter((columns or {}).values()), {"numPartitions": 0, "partitions": []}
    )
    return Segment(
        name,
        consuming,
        None if start is None else int(start),
        None if end is None or consuming else int(end),
        int(fields.get("segment.creation.time", 0)),
        by["numPartitions"],
        frozenset(by["partitions"]),
        fields.get("segment.realtime.status") == "COMMITTING",
    )


def refuse_partial(answer: Mapping[str, Any]) -> None:
    """Raises NotServedError if a broker's answer is an error, or not every server gave its part."""
    exceptions = answer.get("exceptions")
    if exceptions:
        raise NotServedError(f"the broker answered with {str(exceptions[0])[:200]}")
    responded, queried = answer["numServersResponded"], answer["numServersQueried"]
    if responded != queried or answer.get("partialResult"):
        raise NotServedError(f"not every server responded: {responded} of {queried}")
