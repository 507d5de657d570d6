"""Kafka offsets by partition, and which of them are reached; pure but for the probe it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

Offsets = Mapping[int, int]  # kafka partition -> offset of the next record


@dataclass(frozen=True, slots=True)
class Gap:
    """The offsets from `start` up to, not including, `end`."""

    start: int
    end: int


# Per kafka partition the first committed record of its gap, None if there is none.
FirstRecords = Callable[[str, Mapping[int, Gap]], Mapping[int, int | None]]


class OffsetsOfKafka(Protocol):
    """What is asked of Kafka; kafka_offsets.KafkaOffsets says what each answer means."""

    def ends(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...

    def committed(self, topic: str) -> Offsets: ...

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]: ...


def all_at_least(offsets: Offsets, wanted: Offsets) -> bool:
    """Whether every kafka partition of `wanted` is at or past its offset."""
    return all(offsets.get(partition, -1) >= offset for partition, offset in wanted.items())


class Reached:
    """Tells whether a reader's offsets have reached others, counting gaps without a record as passed.

    A reader of committed records stands still before a commit marker or an aborted record that
    nothing follows, so offsets alone would say "behind" for ever. What was probed is remembered: a
    gap is probed again only once the reader has moved past the record that was found, or the
    wanted offset past what is known to be empty: `empty`, which may be given to begin with.
    """

    def __init__(
        self, topic: str, first_records: FirstRecords, empty: Mapping[int, Gap] | None = None
    ) -> None:
        self._topic = topic
        self._first_records = first_records
        self.empty: dict[int, Gap] = dict(empty or {})
        self._record_at: dict[int, int] = {}

    def __call__(self, reader: Offsets, wanted: Offsets) -> bool:
        """Whether no committed record lies between; `wanted` must be at or below the last stable offset."""
        gaps = self._gaps(reader, wanted)
        if any(self._record_in(partition, gap) for partition, gap in gaps.items()):
            return False
        unknown = {p: gap for p, gap in gaps.items() if not self.known_empty(p, gap)}
        if not unknown:
            return True
        found = self._first_records(self._topic, unknown)
        for partition, gap in unknown.items():
            record_at = found[partition]
            if record_at is None:
                self.empty[partition] = gap
            else:
                self._record_at[partition] = record_at
        return all(found[partition] is None for partition in unknown)

    @staticmethod
    def _gaps(reader: Offsets, wanted: Offsets) -> dict[int, Gap]:
        return {
            partition: Gap(reader[partition], end)
            for partition, end in wanted.items()
            if reader[partition] < end
        }

    def _record_in(self, partition: int, gap: Gap) -> bool:
        return gap.start <= self._record_at.get(partition, -1) < gap.end

    def known_empty(self, partition: int, gap: Gap) -> bool:
        """Whether a gap was found to hold no committed record."""
        empty = self.empty.get(partition)
        return empty is not None and empty.start <= gap.start and gap.end <= empty.end
