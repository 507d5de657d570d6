"""Counts what left a topic before its reader had come to it: deleted unread is an alarm, never progress."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from stream_jobs.topics.offsets import Gap, Offsets

log = logging.getLogger("progress")


class Unread:
    """Offsets by topic that were deleted unread, since the process began; each is counted once."""

    def __init__(self) -> None:
        self.deleted: Counter[str] = Counter()
        self._counted: dict[tuple[str, int], int] = {}

    def look(
        self,
        topic: str,
        reader: Offsets,
        starts: Offsets,
        known_empty: Callable[[int, Gap], bool],
    ) -> None:
        """`known_empty` tells of a gap that held no record but, say, the marker of a transaction."""
        for partition, start in starts.items():
            counted = self._counted.get((topic, partition), 0)
            gap = Gap(max(reader.get(partition, start), counted), start)
            if gap.start >= start or known_empty(partition, gap):
                continue
            self._counted[topic, partition] = start
            self.deleted[topic] += start - gap.start
            log.error(
                "DELETED UNREAD: offsets %d to %d of %s [%d] left the log before they were read",
                gap.start,
                start,
                topic,
                partition,
            )
