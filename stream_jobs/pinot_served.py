"""What Pinot has consumed and serves of a realtime table; nothing else is asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stream_jobs.json_http import JsonHttp
from stream_jobs.offsets import Offsets

# table__kafkaPartition__sequence__creationTime
_SEGMENT = re.compile(r".+__(?P<partition>\d+)__(?P<sequence>\d+)__\w+").fullmatch


class NotServedError(Exception):
    """Pinot's state is between two states, or broken: nothing can be said of what it serves."""


@dataclass(frozen=True, slots=True)
class ConsumingSegment:
    """A segment that is being filled, with the offset that each server has reached in it."""

    name: str
    server_offsets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of a table, and by which servers each is served at this moment."""

    ideal: frozenset[str]
    serving: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of how many segments one broker answer covers, whatever its filter."""

    rows: int
    segments: int


class PinotServed(Protocol):
    """What the progress tracker asks of Pinot."""

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]: ...

    def segments(self, table: str) -> Segments: ...

    def count(self, table: str, account_id: str | None) -> Count:
        """The rows of the segments that a query for one account (None: all) reads."""


def partition_of(segment: str) -> int:
    """The kafka partition in a segment's name."""
    parts = _SEGMENT(segment)
    if parts is None:
        raise NotServedError(f"segment {segment} is not named as a realtime segment")
    return int(parts["partition"])


def consumed_offsets(consuming: tuple[ConsumingSegment, ...]) -> Offsets:
    """Per kafka partition the offset up to which every server that answered has indexed.

    Raises NotServedError while a segment is handed over to the next.
    """
    offsets: dict[int, int] = {}
    for segment in consuming:
        partition = partition_of(segment.name)
        if partition in offsets or not segment.server_offsets:
            raise NotServedError(f"kafka partition {partition} is handed over to {segment.name}")
        offsets[partition] = min(segment.server_offsets.values())
    return offsets


def refuse_silent(consuming: tuple[ConsumingSegment, ...], segments: Segments) -> None:
    """Raises NotServedError if a server serves a consuming segment but did not say how far it is."""
    for segment in consuming:
        silent = segments.serving.get(segment.name, frozenset()) - segment.server_offsets.keys()
        if silent:
            raise NotServedError(f"no offset of segment {segment.name} from {sorted(silent)}")


class HttpPinotServed:
    """`PinotServed` by the controller's REST API and the broker's SQL."""

    def __init__(self, controller_url: str, broker_url: str, timeout_s: float = 5.0) -> None:
        self._controller = JsonHttp(controller_url, timeout_s)
        self._broker = JsonHttp(broker_url, timeout_s)

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]:
        answer = self._controller.get(f"/tables/{table}/consumingSegmentsInfo")
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

    def segments(self, table: str) -> Segments:
        ideal = self._controller.get(f"/tables/{table}/idealstate?tableType=realtime")
        view = self._controller.get(f"/tables/{table}/externalview?tableType=realtime")
        return Segments(
            frozenset(
                name
                for name, servers in (ideal["REALTIME"] or {}).items()
                if {"ONLINE", "CONSUMING"} & set(servers.values())
            ),
            {
                name: frozenset(
                    s for s, state in servers.items() if state in ("ONLINE", "CONSUMING")
                )
                for name, servers in (view["REALTIME"] or {}).items()
            },
        )

    def count(self, table: str, account_id: str | None) -> Count:
        where = "" if account_id is None else f" WHERE account_id = '{account_id}'"
        sql = f"SELECT COUNT(*) FROM {table}{where}"  # noqa: S608 # both are our own words
        answer = self._broker.post("/query/sql", {"sql": sql})
        _refuse_partial(answer)
        return Count(answer["totalDocs"], answer["numSegmentsQueried"])


def _refuse_partial(answer: Mapping[str, Any]) -> None:
    exceptions = answer.get("exceptions")
    if exceptions:
        raise NotServedError(f"the broker answered with {str(exceptions[0])[:200]}")
    responded, queried = answer["numServersResponded"], answer["numServersQueried"]
    if responded != queried or answer.get("partialResult"):
        raise NotServedError(f"{responded} of {queried} servers responded")
