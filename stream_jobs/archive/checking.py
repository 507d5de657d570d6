"""Whether an archive is whole: by its names, by what its files say themselves, and by Kafka as far as that still goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stream_jobs.archive.columns import ERASED, FROM, LOST, TO
from stream_jobs.archive.layout import Part, gaps_and_overlaps
from stream_jobs.archive.reading import read
from stream_jobs.archive.store import Store
from stream_jobs.topics.offsets import Offsets
from stream_jobs.topics.reader import Record

ROWS_AT_ONCE: Final = 20_000
ReadKafka = Callable[[str, Offsets, Offsets], Iterable[Record]]
"""The records of a topic between two offsets."""


class KafkaBounds(Protocol):
    """What is asked of Kafka; kafka_offsets.KafkaOffsets says what each answer means."""

    def starts(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...


@dataclass(slots=True)
class Checked:
    """One kafka partition of the archive: from where to where, how much, and all that is wrong with it.

    `behind`: how many offsets Kafka goes further, if it was asked.
    """

    topic: str
    partition: int
    start: int
    end: int
    files: int = 0
    records: int = 0
    erased: int = 0
    compared: int = 0
    behind: int | None = None
    faults: list[str] = field(default_factory=list)


def checked(store: Store, topic: str, partition: int) -> Checked:
    """By the archive alone: each file is looked at, and follows the one before."""
    parts = list(store.parts(topic, partition))
    found = Checked(topic, partition, parts[0].start, parts[-1].end, len(parts))
    for gap in gaps_and_overlaps(parts):
        what = "are missing" if gap.start < gap.end else "are there twice"
        found.faults.append(
            f"offsets {min(gap.start, gap.end)} to {max(gap.start, gap.end)} {what}"
        )
    for part in parts:
        _look_at(store, part, found)
    return found


def compare_with_kafka(
    store: Store, found: Checked, kafka: KafkaBounds, read_kafka: ReadKafka
) -> None:
    """Record by record, all that both have; offsets that Kafka deleted unread are a fault. Raises what `read_kafka` raises.

    Kafka is asked after the archive, which may be written to meanwhile and is never ahead of it.
    """
    first = kafka.starts(found.topic).get(found.partition, 0)
    last = kafka.stable_ends(found.topic).get(found.partition, 0)
    found.behind = max(0, last - found.end)
    if first > found.end:
        found.faults.append(f"Kafka deleted offsets {found.end} to {first} unread")
    begin, end = max(first, found.start), min(found.end, last)
    if end < found.end:
        found.faults.append(f"Kafka ends at {end}")
    if begin >= end:
        return
    archived = read(store, found.topic, found.partition, begin, ROWS_AT_ONCE)
    here = (
        (each.offset, each.time_ms, each.value, erased)
        for _, erased, records in archived
        for each in records
        if each.offset < end
    )
    there = read_kafka(found.topic, {found.partition: begin}, {found.partition: end})
    for ours, kafkas in zip_longest(here, ((r.offset, r.time_ms, r.value) for r in there)):
        found.compared += 1
        if ours is None or kafkas is None or ours[:2] != kafkas[:2]:
            found.faults.append(f"Kafka has {(kafkas or ours)[0]} otherwise: missing, too much or of another time")  # fmt: skip
            return
        if ours[2] != kafkas[2] and not ours[3]:
            found.faults.append(f"Kafka has another value at {ours[0]}")


def _look_at(store: Store, part: Part, found: Checked) -> None:
    try:
        with store.open(part) as file:
            opened = pq.ParquetFile(file)
            said = opened.schema_arrow.metadata or {}
            offsets = opened.read(["offset"]).column("offset").combine_chunks()
    except (pa.ArrowException, OSError) as fault:
        found.faults.append(f"{part.path}: {fault}")
        return
    if (said.get(FROM), said.get(TO)) != (str(part.start).encode(), str(part.end).encode()):
        found.faults.append(f"{part.path}: it says itself that it covers other offsets")
    if LOST in said:
        found.faults.append(f"offsets {part.start} to {part.end} were lost")
    found.erased += ERASED in said
    found.records += len(offsets)
    if not _are_ascending(offsets.to_numpy(), part):
        found.faults.append(f"{part.path}: its offsets are not ascending, or not its own")


def _are_ascending(offsets: npt.NDArray[np.int64], part: Part) -> bool:
    if not len(offsets):
        return True
    inside = part.start <= offsets[0] and offsets[-1] < part.end
    return bool(inside and (np.diff(offsets) > 0).all())
