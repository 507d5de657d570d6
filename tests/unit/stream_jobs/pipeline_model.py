"""A small model of Kafka, the Flink job and Pinot, in which anything happens between any two calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from stream_jobs.progress.pinot_served import ConsumingSegment, Count
from stream_jobs.progress.segments import NotServedError, Segment, TableSegments
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets

TRANSACTIONS, ENTRIES, REJECTED = (
    NAMES.transactions_topic,
    NAMES.entries_topic,
    NAMES.rejected_topic,
)
TABLES = NAMES.tables
RESTART_MS = 10_000
PARTITIONS = {TRANSACTIONS: 3, ENTRIES: 2, REJECTED: 1}


@dataclass(slots=True)
class Transaction:
    """A Kafka transaction of the job: `decided` is None while it is open."""

    committed: bool | None = None
    partitions: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Record:
    """One offset of a log: an entry, or a transaction's marker (no id)."""

    id: str | None
    transaction: Transaction | None
    at_ms: int = 0


@dataclass(slots=True)
class Replica:
    """What Pinot has of one kafka partition: rows and bounds of finished segments, and rows being filled."""

    finished: list[tuple[list[str], int, int]] = field(default_factory=list)
    start: int = 0
    offset: int = 0
    filling: list[str] = field(default_factory=list)


class Pipeline:
    """All parts; `step` lets one of them do one thing. It is Kafka and Pinot to the tracker."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now_ms = 1_000_000
        self.logs: dict[tuple[str, int], list[Record]] = {
            (topic, p): [] for topic, count in PARTITIONS.items() for p in range(count)
        }
        self.replicas = {key: Replica() for key in self.logs if key[0] in TABLES}
        self.group: dict[int, int] = {}
        self.read = dict.fromkeys(range(PARTITIONS[TRANSACTIONS]), 0)
        self.checkpoint = dict(self.read)
        self.offset_commits: list[dict[int, int]] = []
        self.transaction = Transaction()
        self.precommitted: list[Transaction] = []
        self.sent = 0
        self.quiet = False
        self._stable: dict[tuple[str, int], int] = {}

    # What happens ------------------------------------------------------------------------------

    def step(self) -> None:
        """One part does one thing."""
        self.now_ms += self.random.randrange(1, 30)
        calm = [self.job_reads] * 6 + [self.commit_one] * 4 + [self.pinot_indexes] * 6
        calm += [self.complete_checkpoint, self.commit_offsets, self.finish_segment]
        wild = [self.send] * 6 + [self.crash_job, self.restart_pinot]
        self.random.choice(calm if self.quiet else calm + wild)()

    def send(self) -> None:
        partition = self.random.randrange(PARTITIONS[TRANSACTIONS])
        self.sent += 1
        self.logs[TRANSACTIONS, partition].append(Record(f"t{self.sent}", None, self.now_ms))

    def job_reads(self) -> None:
        partition = self.random.randrange(PARTITIONS[TRANSACTIONS])
        log = self.logs[TRANSACTIONS, partition]
        if self.read[partition] >= len(log):
            return
        record_id = log[self.read[partition]].id or ""
        self.read[partition] += 1
        for topic, part, entry in results(record_id):
            self.transaction.partitions.add((topic, part))
            self.logs[topic, part].append(Record(entry, self.transaction))

    def complete_checkpoint(self) -> None:
        self.checkpoint = dict(self.read)
        self.offset_commits.append(dict(self.read))
        self.precommitted.append(self.transaction)
        self.transaction = Transaction()

    def commit_one(self) -> None:
        if self.precommitted:
            self._decide(self.precommitted.pop(0), committed=True)

    def commit_offsets(self) -> None:
        if self.offset_commits:
            self.group = self.offset_commits[-1]
            self.offset_commits.clear()

    def crash_job(self) -> None:
        if self.random.random() < 0.8:
            return
        self._decide(self.transaction, committed=False)
        self.transaction = Transaction()
        self.read = dict(self.checkpoint)
        self.offset_commits.clear()

    def pinot_indexes(self) -> None:
        topic, partition = self.random.choice(sorted(self.replicas))
        replica, log = self.replicas[topic, partition], self.logs[topic, partition]
        for _ in range(self.random.randrange(1, 6)):
            gap = Gap(replica.offset, self.stable_end(topic, partition))
            offset = self._first_record(topic, partition, gap)
            if offset is None:
                return
            replica.filling.append(log[offset].id or "")
            replica.offset = offset + 1

    def finish_segment(self) -> None:
        replica = self.replicas[self.random.choice(sorted(self.replicas))]
        if replica.filling:
            replica.finished.append((replica.filling, replica.start, replica.offset))
            replica.filling, replica.start = [], replica.offset

    def restart_pinot(self) -> None:
        if self.random.random() < 0.8:
            return
        self.now_ms += RESTART_MS
        for replica in self.replicas.values():
            replica.filling, replica.offset = [], replica.start

    def _decide(self, transaction: Transaction, *, committed: bool) -> None:
        transaction.committed = committed
        for key in transaction.partitions:
            self.logs[key].append(Record(None, transaction))

    # What the tracker asks ---------------------------------------------------------------------

    def clock_ms(self) -> int:
        self._meanwhile()
        return self.now_ms

    def starts(self, topic: str) -> Offsets:
        self._meanwhile()
        return dict.fromkeys(range(PARTITIONS[topic]), 0)

    def ends(self, topic: str) -> Offsets:
        self._meanwhile()
        return {p: len(self.logs[topic, p]) for p in range(PARTITIONS[topic])}

    def stable_ends(self, topic: str) -> Offsets:
        self._meanwhile()
        if topic == NAMES.erasures_topic:
            return {0: 0}
        return {p: self.stable_end(topic, p) for p in range(PARTITIONS[topic])}

    def committed(self, topic: str) -> Offsets:
        self._meanwhile()
        return {p: self.group.get(p, 0) for p in range(PARTITIONS[topic])}

    def group_offsets(self, topic: str) -> Offsets:
        self._meanwhile()
        return dict(self.group)

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        self._meanwhile()
        for partition, gap in gaps.items():
            assert gap.end <= self.stable_end(topic, partition), "an undecided gap says nothing"
        return {p: self._first_record(topic, p, gap) for p, gap in gaps.items()}

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]:
        self._meanwhile()
        return tuple(
            ConsumingSegment(
                segment_name(topic, p, len(replica.finished)), {"server": replica.offset}
            )
            for (topic, p), replica in self.replicas.items()
            if TABLES[topic] == table
        )

    def segments(self, table: str) -> TableSegments:
        self._meanwhile()
        segments = []
        for (topic, p), replica in self.replicas.items():
            if TABLES[topic] == table:
                bounds = [(start, end) for _, start, end in replica.finished]
                for sequence, (start, end) in enumerate([*bounds, (replica.start, None)]):
                    name = segment_name(topic, p, sequence)
                    by = (PARTITIONS[topic], frozenset({p})) if topic == ENTRIES else ()
                    segments.append(Segment(name, end is None, start, end, 0, *by))
        serving = {each.name: frozenset({"server"}) for each in segments if each.consuming}
        return TableSegments(tuple(segments), serving)

    def count(self, table: str, account_id: str | None) -> Count:
        self._meanwhile()
        if self.random.random() < 0.05:
            raise NotServedError("the broker answered with an exception")
        replicas = [
            replica
            for (topic, p), replica in self.replicas.items()
            if TABLES[topic] == table
            and (account_id is None or kafka_partition(account_id, PARTITIONS[topic]) == p)
        ]
        finished = sum(len(rows) for replica in replicas for rows, _, _ in replica.finished)
        filling = sum(len(replica.filling) for replica in replicas)
        segments = sum(len(replica.finished) + 1 for replica in replicas)
        return Count(finished + filling, segments, len(replicas))

    def stable_end(self, topic: str, partition: int) -> int:
        log, key = self.logs[topic, partition], (topic, partition)
        end = min(self._stable.get(key, 0), len(log))
        while end < len(log) and not _is_open(log[end]):
            end += 1
        self._stable[key] = end  # what is decided stays decided
        return end

    def served_order(self, topic: str, partition: int) -> list[str]:
        """The committed entries of a log in the order in which Pinot indexes them, once all are decided."""
        return [
            record.id
            for record in self.logs[topic, partition]
            if record.id is not None and record.transaction and record.transaction.committed
        ]

    def _first_record(self, topic: str, partition: int, gap: Gap) -> int | None:
        log = self.logs[topic, partition]
        return next(
            (
                offset
                for offset in range(gap.start, gap.end)
                if log[offset].id is not None
                and (log[offset].transaction is None or log[offset].transaction.committed)  # type: ignore[union-attr]
            ),
            None,
        )

    def _meanwhile(self) -> None:
        for _ in range(self.random.randrange(4)):
            self.step()


def _is_open(record: Record) -> bool:
    return record.transaction is not None and record.transaction.committed is None


def results(record_id: str) -> list[tuple[str, int, str]]:
    """Topic, kafka partition and id of what the job writes for a record: two entries, or a rejection."""
    number = int(record_id[1:])
    if number % 10 == 0:
        return [(REJECTED, 0, f"{record_id}-rejected")]
    return [
        (ENTRIES, number % 2, f"{record_id}-received"),
        (ENTRIES, number // 2 % 2, f"{record_id}-sent"),
    ]


def segment_name(topic: str, partition: int, sequence: int) -> str:
    """As Pinot names a segment."""
    return f"{TABLES[topic]}__{partition}__{sequence}__20260101T0000Z"
