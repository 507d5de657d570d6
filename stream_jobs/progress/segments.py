"""The segments of a realtime table: whose entries each has, and whether those of a kafka partition are a chain; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Final, NamedTuple

from stream_jobs.topics.offsets import Offsets

# table__kafkaPartition__sequence__creationTime; merged and uploaded segments are named otherwise.
_NAME = re.compile(r".+__(?P<partition>\d+)__(?P<sequence>\d+)__\w+").fullmatch
# More numbers than this do not fit the column of `pipeline_progress`.
MAX_CLASSES: Final = 256


class NotServedError(Exception):
    """Pinot's state is between two states, or broken: nothing can be said of what it serves."""


def place_of(segment: str) -> tuple[int, int] | None:
    """Kafka partition and sequence in a segment's name; None of one that was not read from Kafka."""
    parts = _NAME(segment)
    return (int(parts["partition"]), int(parts["sequence"])) if parts else None


def partition_of(segment: str) -> int:
    """The kafka partition in a segment's name."""
    place = place_of(segment)
    if place is None:
        raise NotServedError(f"segment {segment} is not named as a realtime segment")
    return place[0]


@dataclass(frozen=True, slots=True)
class Segment:
    """What ZooKeeper keeps of a segment.

    `start` and `end` are kafka offsets; there is no end while it is consuming, and neither where it was uploaded.
    `committing`: it has its end and is being built, and its classes may become others.
    Its entries are of accounts whose hash modulo `modulus` is in `residues`; a modulus of 0: of any account.
    """

    name: str
    consuming: bool
    start: int | None
    end: int | None
    created_ms: int
    modulus: int = 0
    residues: frozenset[int] = frozenset()
    committing: bool = False

    @property
    def in_memory(self) -> bool:
        """Whether there is no file of it yet that could be fetched."""
        return self.consuming or self.committing

    def may_hold(self, account_class: int) -> bool:
        """Whether a query for an account of this class reads the segment."""
        return self.modulus == 0 or account_class % self.modulus in self.residues


class Hole(NamedTuple):
    """Rows of a kafka partition that Pinot lacks for good; `where` is for people."""

    partition: int
    where: str


@dataclass(frozen=True)
class TableSegments:
    """All segments of a table, the servers that answer from those being filled, and how long it keeps rows."""

    segments: tuple[Segment, ...]
    serving: Mapping[str, frozenset[str]]
    retention_ms: int | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Segment]:
        return {segment.name: segment for segment in self.segments}

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    @cached_property
    def from_elsewhere(self) -> frozenset[str]:
        """Segments that were not read from Kafka: merged or uploaded, they may take the place of others."""
        return frozenset(name for name in self.by_name if place_of(name) is None)

    @cached_property
    def by_class(self) -> tuple[frozenset[str], ...]:
        """The segments by class of accounts, whose number is the least that all moduli divide.

        They differ where partitions were added to the topic. A segment is in several classes if it holds an entry
        that was written into another partition than its account's.
        """
        classes = lcm(*(each.modulus for each in self.segments if each.modulus))
        if classes > MAX_CLASSES:
            raise NotServedError(f"{classes} classes of accounts are more than {MAX_CLASSES}")
        return tuple(
            frozenset(each.name for each in self.segments if each.may_hold(number))
            for number in range(classes)
        )

    def classes_of(self, partition: int) -> frozenset[int]:
        """The classes of accounts that read segments of a kafka partition."""
        names = {segment.name for _, segment in self._chains[partition]}
        return frozenset(
            number for number, held in enumerate(self.by_class) if not held.isdisjoint(names)
        )

    @cached_property
    def begins(self) -> Offsets:
        """The first offset of each kafka partition that Pinot has read."""
        return {partition: chain[0][1].start or 0 for partition, chain in self._chains.items()}

    def holes(self, log_starts: Offsets, begins: Offsets, now_ms: int) -> list[Hole]:
        """Where Pinot has given up rows, or passed over offsets, for good; `begins` is as it was proven before."""
        return [*self._holes_within, *self._holes_before(log_starts, begins, now_ms)]

    @cached_property
    def _chains(self) -> Mapping[int, list[tuple[int, Segment]]]:
        """By kafka partition, in order of sequence."""
        chains: dict[int, list[tuple[int, Segment]]] = defaultdict(list)
        for segment in self.segments:
            place = place_of(segment.name)
            if place is not None:
                chains[place[0]].append((place[1], segment))
        return {partition: sorted(chain, key=_sequence) for partition, chain in chains.items()}

    @cached_property
    def _holes_within(self) -> list[Hole]:
        return [
            Hole(partition, f"between {left.name} and {right.name}")
            for partition, chain in self._chains.items()
            for (before, left), (after, right) in pairwise(chain)
            if (
                left.end != right.start
                if left.end is not None and right.start is not None
                else before + 1 != after
            )
            and right.created_ms > self._replaced_until_ms[partition]
        ]

    def _holes_before(self, log_starts: Offsets, begins: Offsets, now_ms: int) -> Iterable[Hole]:
        for partition, chain in self._chains.items():
            sequence, first = chain[0]
            log_start = log_starts.get(partition, 0)
            if first.created_ms <= self._replaced_until_ms[partition]:
                continue
            if sequence > 0 and not self._is_forgotten(first, now_ms):
                yield Hole(partition, f"before {first.name}")
            elif self.begins[partition] > begins.get(partition, self.begins[partition]):
                if not self._is_forgotten(first, now_ms):
                    yield Hole(partition, f"before {first.name}, which begins anew")
            elif sequence == 0 and self.begins[partition] > log_start:
                where = f"from offset {log_start} to {self.begins[partition]}, where {first.name} begins"
                yield Hole(partition, where)

    @cached_property
    def _replaced_until_ms(self) -> Mapping[int, int]:
        """By kafka partition, up to when segments from elsewhere may stand for others; rows are what tells then."""
        return {
            partition: max(
                (
                    self.by_name[name].created_ms
                    for name in self.from_elsewhere
                    if self.by_name[name].may_hold(partition)
                ),
                default=-1,
            )
            for partition in self._chains
        }

    def _is_forgotten(self, first: Segment, now_ms: int) -> bool:
        """Whether all before `first` is older than what the table keeps."""
        return self.retention_ms is not None and first.created_ms < now_ms - self.retention_ms


def _sequence(placed: tuple[int, Segment]) -> int:
    return placed[0]
