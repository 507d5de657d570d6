"""Everything that Kafka still tells, audited once and followed: without a state of its own and without Pinot."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from stream_jobs.audit.announced import Announced
from stream_jobs.audit.beginning import Beginning, Kafka, beginning
from stream_jobs.audit.by_key import by_key
from stream_jobs.audit.coverage import Coverage, Settled
from stream_jobs.audit.expected import Expected
from stream_jobs.audit.findings import Finding
from stream_jobs.audit.flow import Flow
from stream_jobs.audit.flow import RecordReader as FlowReader
from stream_jobs.audit.frontier import Frontier
from stream_jobs.audit.history import History
from stream_jobs.audit.ids import Ids
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.readers import Reader
from stream_jobs.events.settings import DEFAULT as DEFAULT_RULES
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.kafka_topics import KafkaTopics
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets, OffsetsOfKafka, all_at_least

LOOK_EVERY_S: Final = 0.5


class NotFinishedError(Exception):
    """The job has not finished the events there are in time, or left a transaction open."""


class Topics(Kafka, OffsetsOfKafka, Protocol):
    """What is asked of Kafka's offsets; a reader is asked for the records."""


class RecordReader(FlowReader, Protocol):
    """readers.Reader does it."""

    def close(self) -> None: ...


class Following:
    """One audit from where Kafka still tells all; `settled` hears of every closing.

    What it remembers of ids lies in a folder that is gone when it is closed.
    """

    def __init__(
        self,
        kafka: Topics,
        read_from: Callable[[Mapping[str, Offsets]], RecordReader],
        names: Names,
        settled: Callable[[Settled], None] = lambda _: None,
        rules: EventRules = DEFAULT_RULES,
        key: Path | None = None,
    ) -> None:
        self.begin: Beginning = beginning(kafka, names)
        self.records = 0
        self.findings: list[Finding] = []
        self._settled = settled
        self._folder = TemporaryDirectory()
        self._ids = Ids(Path(self._folder.name))
        self._history = History(self._ids)
        self._reader = read_from(self.begin.starts)
        partitions = len(kafka.ends(names.entries_topic))
        announced = Announced(kafka, names.erased_outcomes_topic)
        known = by_key(kafka, names.erasures_topic, key)
        raw = self.begin.raw
        self.coverage = Coverage(
            names, Placement(partitions), raw, raw, [], announced, rules, known
        )
        frontier = Frontier(kafka, names, self._reader.positions, lambda: 0)
        self._flow = Flow(names, self._reader, frontier, self.coverage)

    def follow(self, wanted: Offsets, timeout_s: float, tell: Callable[[int], None]) -> None:
        """Read and close until every raw record below `wanted` is decided; `tell` hears how many records were read.

        Raises NotFinishedError if nothing comes or is decided for `timeout_s`, and what Kafka's client raises.
        """
        moved_s = looked_s = time.monotonic()
        while self.coverage.set_aside or not all_at_least(self.coverage.frontier, wanted):
            records = self._flow.read(0.1)
            now_s = time.monotonic()
            if records:
                moved_s = now_s
                self.records += records
                tell(self.records)
                if now_s - looked_s < LOOK_EVERY_S:
                    continue
            looked_s = now_s
            if self._close():
                moved_s = now_s
            elif now_s - moved_s > timeout_s:
                raise NotFinishedError

    def known(self, keys: Sequence[int]) -> dict[int, int]:
        """What of some keys has counted since `begin`."""
        return self._ids.find(keys)

    def close(self) -> None:
        """Give everything back."""
        self._reader.close()
        self._ids.close()
        self._folder.cleanup()

    def _close(self) -> bool:
        closed = self._flow.look()
        if closed is None:
            return False
        settled = self.coverage.close(closed.raw, closed.raw_ends, whole=closed.whole)
        self._history.closed([*settled.outcomes, *settled.late], closed.committed, 0)
        healed = set(settled.healed)
        self.findings = [f for f in self.findings if (f.partition, f.offset) not in healed]
        self.findings += settled.findings
        self._settled(settled)
        return True


def following(
    kafka_servers: str,
    names: Names,
    rules: EventRules,
    settled: Callable[[Settled], None] = lambda _: None,
    key: Path | None = None,
) -> Following:
    """On a real cluster; with the key of erasures, if what came for erased accounts may be told otherwise."""
    offsets = KafkaOffsets(kafka_servers, names.group)
    kafka = KafkaTopics(kafka_servers, offsets)
    return Following(
        kafka, lambda starts: Reader(kafka_servers, starts), names, settled, rules, key
    )


@dataclass(frozen=True, slots=True)
class Once:
    """Every raw record from `begin` up to `through` is decided; `lost` have no outcome, or one entry of two.

    `known` has what was asked about by `keys_of(lost)` and has counted since `begin`.
    """

    begin: Beginning
    through: Offsets
    lost: tuple[Expected, ...]
    known: Mapping[int, int]


def audit_once(
    kafka_servers: str,
    names: Names,
    rules: EventRules,
    keys_of: Callable[[Sequence[Expected]], Sequence[int]],
    key: Path | None,
    timeout_s: float,
    tell: Callable[[int], None],
) -> Once:
    """Decide all that is there now. Raises what `Following.follow` raises."""
    wanted = KafkaOffsets(kafka_servers, names.group).stable_ends(names.transactions_topic)
    audit = following(kafka_servers, names, rules, key=key)
    try:
        audit.follow(wanted, timeout_s, tell)
        lost = tuple(audit.coverage.lost.values())
        return Once(audit.begin, dict(audit.coverage.frontier), lost, audit.known(keys_of(lost)))
    finally:
        audit.close()
