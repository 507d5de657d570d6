"""Which outcomes were taken before a restart, since some are read once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream_jobs.audit.outcomes import Source
from stream_jobs.topics.offsets import Offsets, all_at_least


@dataclass(frozen=True, slots=True)
class Taken:
    """At one moment: all raw records below `frontier` were closed, and the outcomes below `positions` were read.

    One such moment is not enough: a restart reads again from further back, and may be killed before it has read as
    far as the run before it.
    """

    frontier: Offsets
    positions: Mapping[str, Offsets]

    def has(self, topic: str, partition: int, offset: int, source: Source) -> bool:
        """Whether an outcome is accounted for."""
        closed = source[1] < self.frontier.get(source[0], 0)
        return closed and offset < self.positions.get(topic, {}).get(partition, 0)

    def is_within(self, other: Taken) -> bool:
        """Whether `other` has all that this has."""
        return all_at_least(other.frontier, self.frontier) and all(
            all_at_least(other.positions.get(topic, {}), ends)
            for topic, ends in self.positions.items()
        )

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"frontier": self.frontier, "positions": self.positions}

    @staticmethod
    def of(plain: Mapping[str, Any]) -> Taken:
        """From what `plain` gave, read again."""
        topics: Mapping[str, Mapping[str, int]] = plain["positions"]
        return Taken(
            _offsets(plain["frontier"]), {topic: _offsets(ends) for topic, ends in topics.items()}
        )


def _offsets(plain: Mapping[str, int]) -> Offsets:
    return {int(partition): offset for partition, offset in plain.items()}
