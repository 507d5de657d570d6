"""A Kafka and a Pinot in which nothing happens but what a test does to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from stream_jobs.progress.pinot_served import ConsumingSegment, Count
from stream_jobs.progress.segments import NotServedError, Segment, TableSegments
from stream_jobs.progress.tracker import COUNT_EVERY_MS, NotProvenError, Progress, Tracker
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets

ERASURES = NAMES.erasures_topic
RAW, ENTRIES, REJECTED = NAMES.transactions_topic, NAMES.entries_topic, NAMES.rejected_topic
Answer = TypeVar("Answer")


def in_turn(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Side by side, for a test."""
    return [call() for call in calls]


class StillKafka:
    """By topic the start and the end of each kafka partition; a record at every offset but those of `markers`."""

    def __init__(self, raw: int, entries: int, rejected: int) -> None:
        counts = {RAW: raw, ENTRIES: entries, REJECTED: rejected}
        self.start = {topic: dict.fromkeys(range(count), 0) for topic, count in counts.items()}
        self.end = {topic: dict.fromkeys(range(count), 0) for topic, count in counts.items()}
        self.end[ERASURES] = {0: 0}
        self.group: dict[int, int] = {}
        self.markers: set[tuple[str, int, int]] = set()
        self.calls: Counter[str] = Counter()

    def starts(self, topic: str) -> Offsets:
        self.calls["starts"] += 1
        return dict(self.start[topic])

    def ends(self, topic: str) -> Offsets:
        self.calls["ends"] += 1
        return dict(self.end[topic])

    def stable_ends(self, topic: str) -> Offsets:
        self.calls["stable_ends"] += 1
        return dict(self.end[topic])

    def committed(self, topic: str) -> Offsets:
        raise AssertionError(f"nobody committed to {topic} what is not there")

    def group_offsets(self, topic: str) -> Offsets:
        assert topic == RAW
        self.calls["group_offsets"] += 1
        return dict(self.group)

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        """As a reader that begins where the log does, if what it asks for is gone."""
        self.calls["first_records"] += 1
        return {
            p: next(
                (
                    offset
                    for offset in range(max(gap.start, self.start[topic][p]), gap.end)
                    if (topic, p, offset) not in self.markers
                ),
                None,
            )
            for p, gap in gaps.items()
        }


class StillPinot:
    """Segments of the two tables, with the rows of each and how far each server is."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Segment]] = {
            "account_entries": {},
            "transactions_rejected": {},
        }
        self.rows: dict[str, int] = {}
        self.offsets: dict[str, dict[str, int]] = defaultdict(dict)
        self.serving: dict[str, frozenset[str]] = {}
        self.lineage: set[str] = set()
        self.retention_ms: int | None = None
        self.counted = 0

    def put(self, segment: Segment, rows: int, **server_offsets: int) -> None:
        table = segment.name.partition("__")[0]
        self.tables[table][segment.name] = segment
        self.rows[segment.name] = rows
        if server_offsets:
            self.offsets[segment.name] = server_offsets

    def remove(self, name: str) -> None:
        self.tables[name.partition("__")[0]].pop(name)
        self.offsets.pop(name, None)

    def consuming(self, table: str) -> tuple[ConsumingSegment, ...]:
        return tuple(
            ConsumingSegment(name, dict(offsets))
            for name, offsets in sorted(self.offsets.items())
            if name.partition("__")[0] == table
        )

    def segments(self, table: str) -> TableSegments:
        segments = tuple(self.tables[table].values())
        serving = {n: frozenset(o) for n, o in self.offsets.items() if n in self.tables[table]}
        return TableSegments(segments, {**serving, **self.serving}, self.retention_ms)

    def count(self, table: str, account_id: str | None) -> Count:
        self.counted += 1
        asked = [
            each
            for each in self.tables[table].values()
            if each.name not in self.lineage
            and (
                account_id is None
                or not each.modulus
                or kafka_partition(account_id, each.modulus) in each.residues
            )
        ]
        consuming = sum(each.name in self.offsets for each in asked)
        return Count(sum(self.rows[each.name] for each in asked), len(asked), consuming)


class Still:
    """A pipeline in which all that came is served: `raw` kafka partitions, three of the entries."""

    def __init__(self, raw: int = 2, entries: int = 3) -> None:
        self.kafka = StillKafka(raw, entries, 1)
        self.pinot = StillPinot()
        self.now_ms = 1_000_000
        for partition in range(raw):
            self.kafka.end[RAW][partition] = 50
            self.kafka.group[partition] = 50
        for partition in range(entries):
            self.kafka.end[ENTRIES][partition] = 130
            for sequence in range(3):
                self.finished(partition, sequence, sequence * 40, sequence * 40 + 40)
            self.filling(partition, 3, 120, 130)
        self.pinot.put(Segment(_name("transactions_rejected", 0, 0), True, 0, None, 0), 0, one=0)
        self.tracker = self.new_tracker()

    def new_tracker(self, last: Progress | None = None) -> Tracker:
        return Tracker(self.kafka, self.pinot, NAMES, lambda: self.now_ms, in_turn, last)

    def finished(self, partition: int, sequence: int, start: int, end: int) -> Segment:
        segment = Segment(
            entries_name(partition, sequence), False, start, end, 0, 3, frozenset({partition})
        )
        self.pinot.put(segment, end - start)
        return segment

    def filling(
        self, partition: int, sequence: int, start: int, offset: int, modulus: int = 3
    ) -> Segment:
        name = entries_name(partition, sequence)
        segment = Segment(name, True, start, None, 0, modulus, frozenset({partition}))
        self.pinot.put(segment, offset - start, one=offset)
        return segment

    def finish(self, partition: int, sequence: int) -> None:
        """What a partition fills is finished, and the next begun."""
        name = entries_name(partition, sequence)
        end = min(self.pinot.offsets.pop(name).values())
        segment = self.pinot.tables["account_entries"][name]
        self.pinot.put(replace(segment, consuming=False, end=end), self.pinot.rows[name])
        self.filling(partition, sequence + 1, end, end)

    def look(self) -> Progress | None:
        """What is proven now, with what was said if it is nothing."""
        self.now_ms += COUNT_EVERY_MS
        return self.tracker.look(self.now_ms)

    def proves(self) -> bool:
        """Whether anything is proven within three looks, of which the first two may find parts between two states."""
        for _ in range(3):
            try:
                if self.look() is not None:
                    return True
            except (NotServedError, NotProvenError):
                pass
        return False


def entries_name(partition: int, sequence: int) -> str:
    return _name("account_entries", partition, sequence)


def _name(table: str, partition: int, sequence: int) -> str:
    return f"{table}__{partition}__{sequence}__20260101T0000Z"
