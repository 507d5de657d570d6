"""Where a file of the archive lies, and what its name proves; pure.

    account-entries/partition=03/date=2026-11-23/hour=07/0000000000000001200-0000000000000004711.parquet

The name says which offsets of the kafka partition it covers: from the first up to, not including, the second. The next
file begins where it ends. Offsets between them that hold no record, such as markers of transactions, are covered as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from stream_jobs.topics.offsets import Gap

SUFFIX: Final = ".parquet"
_PATH = re.compile(
    r"(?P<topic>[\w.-]+)/partition=(?P<partition>\d+)/date=(?P<date>\d{4}-\d\d-\d\d)/hour=(?P<hour>\d\d)/"
    r"(?P<start>\d{19})-(?P<end>\d{19})\.parquet"
).fullmatch


@dataclass(frozen=True, slots=True)
class Part:
    """The file of the offsets from `start` up to, not including, `end`.

    `hour_ms` begins the hour of the newest record of the kafka partition so far, as Kafka dates them; it never goes back.
    What came late lies where it came.
    """

    topic: str
    partition: int
    hour_ms: int
    start: int
    end: int

    @property
    def path(self) -> str:
        """Below the archive's folder."""
        hour = datetime.fromtimestamp(self.hour_ms // 1000, UTC)
        folder = f"{folder_of(self.topic, self.partition)}/{hour:date=%Y-%m-%d/hour=%H}"
        return f"{folder}/{self.start:019d}-{self.end:019d}{SUFFIX}"


def folder_of(topic: str, partition: int) -> str:
    """The folder of one kafka partition."""
    return f"{topic}/partition={partition:02d}"


def part_of(path: str) -> Part | None:
    """The file that a path below the archive's folder is; None if it is none."""
    found = _PATH(path)
    if not found:
        return None
    hour = datetime.fromisoformat(f"{found['date']}T{found['hour']}:00:00+00:00")
    offsets = int(found["start"]), int(found["end"])
    return Part(found["topic"], int(found["partition"]), round(hour.timestamp() * 1000), *offsets)


def gaps_and_overlaps(parts: Iterable[Part]) -> list[Gap]:
    """Where the files of one kafka partition, in their order, do not follow one another.

    A gap's start is where one ends and its end where the next begins; of an overlap it is the other way round.
    """
    found, end = [], None
    for part in parts:
        if end is not None and part.start != end:
            found.append(Gap(end, part.start))
        end = part.end
    return found
