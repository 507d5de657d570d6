"""Follows the topics and writes them down; what is there says where to go on, and nothing else does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from stream_jobs.archive.columns import lost, packed, says
from stream_jobs.archive.layout import Part
from stream_jobs.archive.open_parts import Limits, OpenParts
from stream_jobs.archive.store import Store
from stream_jobs.archive.telling import ArchiveMetrics
from stream_jobs.audit.readers import Record
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets, all_at_least

READ_AT_ONCE: Final = 5_000
READ_TIMEOUT_S: Final = 0.5
PARTITIONS_EVERY_S: Final = 5.0

log = logging.getLogger("archive")


class HoleError(Exception):
    """Kafka has not, or no longer, what comes next in the archive; the message says which offsets."""


class KafkaEnds(Protocol):
    """What is asked of Kafka; kafka_offsets.KafkaOffsets says what each answer means."""

    def starts(self, topic: str) -> Offsets: ...

    def ends(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...


class RecordReader(Protocol):
    """audit.readers.Reader does it."""

    def add(self, topic: str, starts: Offsets) -> None: ...

    def read(self, limit: int, timeout_s: float) -> list[Record]: ...

    def positions(self, topic: str) -> Offsets: ...

    def close(self) -> None: ...


class Archiver:
    """One archiver of some topics into a folder that is its own.

    `accept_loss`: offsets that Kafka deleted unread are written down as lost, instead of a HoleError.
    """

    def __init__(
        self,
        kafka: KafkaEnds,
        read_from: Callable[[Mapping[str, Offsets]], RecordReader],
        store: Store,
        names: Names,
        limits: Limits,
        metrics: ArchiveMetrics,
        *,
        accept_loss: bool = False,
    ) -> None:
        self._kafka = kafka
        self._read_from = read_from
        self._store = store
        self._says = says(names)
        self._metrics = metrics
        self._accept_loss = accept_loss
        self._open = OpenParts(limits, self._write, time.monotonic, lambda: time.time_ns() // 10**6)

    def run(self, topics: Sequence[str], stop: threading.Event, *, once: bool) -> None:
        """Until `stop` is set, or with `once` up to where the topics end now; what came by then is in files.

        Raises HoleError, and what Kafka's clients and the store raise: what was written by then stays.
        """
        ends = {topic: self._kafka.stable_ends(topic) for topic in topics}
        reader = self._read_from({topic: self._begin(topic, {}) for topic in topics})
        try:
            self._follow(reader, topics, ends if once else None, stop)
        except KafkaOffsetsError:
            # What was read may be gone from Kafka by now.
            self._open.close_all({topic: reader.positions(topic) for topic in topics})
            for topic in topics:
                self._begin(topic, {})
            raise
        finally:
            reader.close()

    def _follow(
        self,
        reader: RecordReader,
        topics: Sequence[str],
        ends: Mapping[str, Offsets] | None,
        stop: threading.Event,
    ) -> None:
        looked_s = time.monotonic()
        while not stop.is_set():
            for record in reader.read(READ_AT_ONCE, READ_TIMEOUT_S):
                self._open.add(record)
            positions = {topic: reader.positions(topic) for topic in topics}
            self._open.close_due(positions)
            self._metrics.reached(self._open.reached(positions))
            if ends and all(all_at_least(positions[topic], ends[topic]) for topic in topics):
                break
            if time.monotonic() - looked_s > PARTITIONS_EVERY_S:
                looked_s = time.monotonic()
                self._look_for_partitions(reader, positions)
        self._open.close_all({topic: reader.positions(topic) for topic in topics})

    def _look_for_partitions(self, reader: RecordReader, positions: Mapping[str, Offsets]) -> None:
        """And, less often, for where the topics end, by which it is told how far the archive is behind."""
        try:
            for topic, known in positions.items():
                reader.add(topic, self._begin(topic, known))
            self._metrics.look(
                lambda: {topic: self._kafka.stable_ends(topic) for topic in positions}
            )
        except KafkaOffsetsError as fault:
            log.warning("Kafka does not tell its partitions: %s", fault)

    def _begin(self, topic: str, known: Offsets) -> dict[int, int]:
        """Where the kafka partitions that are not `known` are read from."""
        starts, ends = self._kafka.starts(topic), self._kafka.ends(topic)
        found = {}
        for partition in starts.keys() - known.keys():
            last = self._store.last(topic, partition)
            at = starts[partition] if last is None else last.end
            if at > ends[partition]:
                raise HoleError(
                    f"{topic} [{partition}] ends at offset {ends[partition]}, before the archive does, at {at}: "
                    "it is not the topic that was archived"
                )
            if last is not None and at < starts[partition]:
                at = self._lost(Part(topic, partition, last.hour_ms, at, starts[partition]))
            found[partition] = at
            self._open.begin(topic, partition, at, 0 if last is None else last.hour_ms)
        return found

    def _lost(self, part: Part) -> int:
        told = f"{part.topic} [{part.partition}]: Kafka deleted offsets {part.start} to {part.end} unread"
        if not self._accept_loss:
            raise HoleError(f"{told}; --accept-loss notes that and goes on")
        log.critical("%s: noted as lost", told)
        self._store.put(part, lost(part, self._says[part.topic]))
        self._metrics.lost(part)
        return part.end

    def _write(self, part: Part, records: list[Record]) -> None:
        self._store.put(part, packed(part, records, self._says[part.topic]))
        self._metrics.wrote(part, len(records))
        log.info("%s: %d records", part.path, len(records))
