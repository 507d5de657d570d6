"""Records that are not in a file yet, by kafka partition, and when one is made of them; I/O by its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from stream_jobs.archive.layout import Part
from stream_jobs.audit.readers import Record
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.topics.offsets import Offsets

# What a record takes in memory beside its key and value.
RECORD_BYTES: Final = 600


@dataclass(frozen=True, slots=True)
class Limits:
    """When a file is made: of so many records, or this long after the first of them came.

    `memory_bytes`: what all that waits may take together; the largest is written before it is more.
    """

    rows: int
    age_s: float
    memory_bytes: int


class Write(Protocol):
    """Makes a file of some records, for good."""

    def __call__(self, part: Part, records: list[Record]) -> None: ...


@dataclass(slots=True)
class _Open:
    start: int
    hour_ms: int
    records: list[Record] = field(default_factory=list)
    bytes: int = 0
    since_s: float = 0.0


class OpenParts:
    """Takes records in the order of each kafka partition. A file holds one hour, as `Part` counts them."""

    def __init__(
        self,
        limits: Limits,
        write: Write,
        clock_s: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self._limits = limits
        self._write = write
        self._clock_s = clock_s
        self._now_ms = now_ms
        self._open: dict[tuple[str, int], _Open] = {}

    def begin(self, topic: str, partition: int, start: int, hour_ms: int) -> None:
        """A kafka partition's next file covers from `start` on, in this hour or a later one."""
        self._open[topic, partition] = _Open(start, hour_ms)

    def add(self, record: Record) -> None:
        """One more record."""
        part = self._open[record.topic, record.partition]
        # A clock that is far ahead would name the hour of all that follows.
        time_ms = max(0, min(record.time_ms, self._now_ms() + HOUR_MS))
        hour_ms = max(part.hour_ms, time_ms - time_ms % HOUR_MS)
        if hour_ms > part.hour_ms:
            self._close(record.topic, record.partition, record.offset)
            part.hour_ms = hour_ms
        if not part.records:
            part.since_s = self._clock_s()
        part.records.append(record)
        part.bytes += RECORD_BYTES + len(record.key or b"") + len(record.value or b"")
        if len(part.records) >= self._limits.rows:
            self._close(record.topic, record.partition, record.offset + 1)

    def close_due(self, positions: Mapping[str, Offsets]) -> None:
        """Write what is old enough, and the largest while all together are too much; `positions`: read so far."""
        now_s = self._clock_s()
        for (topic, partition), part in self._open.items():
            if part.records and now_s - part.since_s >= self._limits.age_s:
                self._close(topic, partition, positions[topic][partition])
        left = sum(part.bytes for part in self._open.values())
        while left > self._limits.memory_bytes:
            topic, partition = max(self._open, key=lambda place: self._open[place].bytes)
            left -= self._open[topic, partition].bytes
            self._close(topic, partition, positions[topic][partition])

    def reached(self, positions: Mapping[str, Offsets]) -> dict[str, dict[int, int]]:
        """By topic and kafka partition the offset before which all is in files; `positions`: read so far."""
        found: dict[str, dict[int, int]] = {}
        for (topic, partition), part in self._open.items():
            waits = part.records[0].offset if part.records else positions[topic][partition]
            found.setdefault(topic, {})[partition] = waits
        return found

    def close_all(self, positions: Mapping[str, Offsets]) -> None:
        """Write all that there is."""
        for topic, partition in self._open:
            self._close(topic, partition, positions[topic][partition])

    def _close(self, topic: str, partition: int, end: int) -> None:
        part = self._open[topic, partition]
        if part.records:
            self._write(Part(topic, partition, part.hour_ms, part.start, end), part.records)
            part.start, part.records, part.bytes = end, [], 0
