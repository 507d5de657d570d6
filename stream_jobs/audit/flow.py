"""Reading and closing together, within bounded memory whatever there is to catch up with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from stream_jobs.audit.coverage import Coverage
from stream_jobs.audit.frontier import Closed, Frontier
from stream_jobs.audit.readers import Record
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets, all_at_least

RECORDS_A_READ: Final = 10_000
# So many outcomes whose raw records are not read, and twice as many raw records, are kept in memory; each 512 bytes
# of a value are one more.
MAX_UNDER_WAY: Final = 100_000
# Raw records of one partition without an outcome that are set aside where all others have theirs.
MAX_SET_ASIDE: Final = 200
MAX_MARKS: Final = 1_000


class RecordReader(Protocol):
    """What is asked of Kafka; readers.Reader does it."""

    def read(self, limit: int, timeout_s: float) -> list[Record]: ...

    def positions(self, topic: str) -> Offsets: ...

    def pause(self, topic: str, partitions: set[int]) -> None: ...


class Flow:
    """Reads raw records and outcomes side by side, and closes what is decided.

    While there is much to read, nothing is closed by the job's offsets: the outcomes of what was read first lie below
    ends that are far away. Then what has its outcome is closed, and what has none is set aside until a check by
    the offsets has come so far. Nothing is read that nobody waits for yet: raw records wait for outcomes, and an
    outcome partition that is ahead of the others waits for the raw records of its own.
    """

    def __init__(
        self, names: Names, reader: RecordReader, frontier: Frontier, coverage: Coverage
    ) -> None:
        self._names = names
        self._reader = reader
        self._frontier = frontier
        self._coverage = coverage
        self._read_nothing = self._crowded = self._behind = False
        self._since_decided = 0
        self._marks: list[tuple[Offsets, Mapping[str, Offsets]]] = [
            (dict(coverage.frontier), self._positions())
        ]

    def read(self, timeout_s: float, *, full: bool = False) -> int:
        """Take the next records, no raw ones if `full`; how many they were."""
        self._pace(full)
        records = self._reader.read(RECORDS_A_READ, timeout_s)
        take = self._coverage.take
        for record in records:
            take(record)
        self._read_nothing = not records
        self._since_decided += len(records)
        return len(records)

    def look(self) -> Closed | None:
        """What can be closed now, with all that differs judged before."""
        self._coverage.judge_differing()
        if self._frontier.idle:
            self._mark()
        return self._frontier.look() or self._decided()

    def restart(self) -> Mapping[str, Offsets]:
        """Where outcomes are read again if all that is not closed now were forgotten."""
        marks, frontier = self._marks, self._coverage.frontier
        while len(marks) > 1 and all_at_least(frontier, marks[1][0]):
            del marks[0]
        return marks[0][1]

    def _decided(self) -> Closed | None:
        """Of what has been read longest, as much as has its outcome."""
        coverage = self._coverage
        little = self._since_decided < MAX_UNDER_WAY // 4 and not self._read_nothing
        if coverage.pending_weight <= MAX_UNDER_WAY or little:
            return None
        self._since_decided = 0
        raw = coverage.decided_up_to(MAX_SET_ASIDE)
        if not raw:
            return None
        self._mark()
        return self._frontier.partly(raw)

    def _pace(self, full: bool) -> None:
        coverage = self._coverage
        # Kafka's client forgets what it has fetched of what it is told to stop: neither is done for a few records.
        crowded = coverage.early_weight > MAX_UNDER_WAY // (2 if self._crowded else 1)
        behind = coverage.pending_weight > MAX_UNDER_WAY * (1 if self._behind else 2)
        self._crowded, self._behind = crowded, behind
        raw = set(self._reader.positions(self._names.transactions_topic))
        if not behind and not full:
            raw = set()
        elif self._read_nothing and not full:
            raw -= coverage.most_awaited()
        self._reader.pause(self._names.transactions_topic, raw)
        for topic in self._names.outcomes:
            partitions = self._reader.positions(topic) if crowded else ()
            self._reader.pause(topic, {p for p in partitions if coverage.is_ahead(topic, p)})

    def _mark(self) -> None:
        """From where outcomes would have to be read, were all closed that has been read of the raw topic."""
        self.restart()  # forgets those that are overtaken
        if len(self._marks) == MAX_MARKS:
            return
        positions = self._positions()
        for of_partition in self._coverage.early.values():
            for records in of_partition.values():
                for record in records:
                    at = positions[record.topic]
                    at[record.partition] = min(at[record.partition], record.offset)
        raw = dict(self._reader.positions(self._names.transactions_topic))
        self._marks.append((raw, positions))

    def _positions(self) -> dict[str, dict[int, int]]:
        return {topic: dict(self._reader.positions(topic)) for topic in self._names.outcomes}
