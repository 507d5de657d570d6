"""Proves up to which instant all that reached `transactions` is served by Pinot; I/O by its arguments.

A record (T, D) of `pipeline-progress` says: every record that `transactions` held at T is, if it is a
transfer and the first of its id, in Pinot, and Pinot then served D[c] rows of class c of accounts. A later
answer that covers at least D[c] rows of c holds all of them, since Pinot indexes a partition in order.

Why it holds. T is when Kafka's brokers appended a heartbeat (publishing.py), and R is where `transactions` ends
after that, in every kafka partition there is; a partition that shows up before the proof is over voids it.
(1) The job's committed offsets C are those of a completed checkpoint, and before a checkpoint completes the sinks
have flushed what came from the records below C, aligned barriers let none of them be in flight. So once C >= R all
entries of those records lie below H, the end of `account-entries` read after that; the same for the rejected.
Where the job has committed nothing it has finished nothing. (2) Their transactions may still be undecided, hence
wait until the last stable offset is at or past H. (3) Pinot reads in order and moves its offset after indexing: at
or past H on every serving server, in one and the same segment of each kafka partition (those before it finished, or
filled to their ends wherever they are still in memory), all of it is indexed; and
what it indexed is still there, if the partition's segments are a chain: each begins where the one before ended.
A gap that holds no committed record (commit markers, aborted records) counts as passed, since a reader stands still
before it; one that begins before the log does may have held anything, and does not. (4) The rows are counted through
the broker, accepted only if they cover every segment there is, and (5) the offsets are read once more: a server that
restarted in between, whose count would be too small, is not past H so soon, and one that came in between voids it. What the tracker knows of the past is
only what it may skip, and the last record that was published; so it may die at any time.

A restart of Flink goes on from the last completed checkpoint, whose C was proven by (1), and commits its
transactions again; until then (2) waits. A restart of Pinot sets offsets back; (3) and (5) wait. A topic that
was made anew shows as a reader ahead of its end; nothing is published until it is not.
It cannot see entries that Kafka aborted although the checkpoint completed, nor what was deleted unread once the
job has gone on behind it: that is what an audit is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

from stream_jobs.progress.pinot_served import (
    ConsumingSegment,
    PinotServed,
    consumed_offsets,
    servers_of,
)
from stream_jobs.progress.row_counts import Docs, PinotTable, RowCounts
from stream_jobs.progress.segments import Hole, NotServedError
from stream_jobs.progress.side_by_side import SideBySide
from stream_jobs.progress.stages import Sent, Written, after, newest, thinned
from stream_jobs.progress.unread import Unread
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Gap, Offsets, OffsetsOfKafka, Reached, all_at_least

# Shorter than any restart of a Pinot server: see (5).
MAX_COUNTING_MS: Final = 3_000
# Counting costs a query a class of accounts: not at every look.
COUNT_EVERY_MS: Final = 400

LOST_REJECTED: Final = -1
Empty = Mapping[str, Mapping[int, Gap]]
"""By topic and kafka partition a gap in which no committed record is."""


class Kafka(OffsetsOfKafka, Protocol):
    """What the tracker asks of Kafka, from several threads; kafka_offsets.KafkaOffsets says what answers mean."""

    def starts(self, topic: str) -> Offsets: ...

    def group_offsets(self, topic: str) -> Offsets: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Proven: all that reached `transactions` before `as_of_ms` is in the rows that Pinot served.

    `begins` is by topic where Pinot's rows of each kafka partition begin.
    Of the classes in `lost` (`LOST_REJECTED`: of the rejected) it lacks rows since, so they can answer nothing.
    `erasures` is how many records of erasures there were by then: whoever has kept rows since there were fewer may have
    an id that nothing has any more.
    """

    as_of_ms: int
    docs: Docs
    empty: Empty = field(default_factory=dict)
    lost: frozenset[int] = frozenset()
    begins: Mapping[str, Offsets] = field(default_factory=dict)
    erasures: int = 0


class NotProvenError(Exception):
    """The parts contradict each other, so nothing may be published."""


class HoleError(NotProvenError):
    """Pinot has given up or passed over rows that it will never read again.

    `refusal` is to be published: new rows would soon hide from the gateway that old ones are gone.
    """

    def __init__(self, message: str, refusal: Progress | None) -> None:
        super().__init__(message)
        self.refusal = refusal


class Tracker:
    """Moves instants through the stages, one look at a time. `last` is what was published before it began."""

    def __init__(
        self,
        kafka: Kafka,
        pinot: PinotServed,
        names: Names,
        monotonic_ms: Callable[[], int],
        side_by_side: SideBySide,
        last: Progress | None = None,
    ) -> None:
        self._kafka = kafka
        self._pinot = pinot
        self._names = names
        self._monotonic_ms = monotonic_ms
        self._all = side_by_side
        self._last = last
        self._sent: list[Sent] = []
        self._written: list[Written] = []
        self._raw_partitions: frozenset[int] = frozenset()
        self._first_starts: dict[int, int] = {}
        self._rows = RowCounts(pinot, names, side_by_side)
        self._counted_at_ms = -COUNT_EVERY_MS
        empty = last.empty if last else {}
        self._reached = {
            topic: Reached(topic, self._first_records, empty.get(topic))
            for topic in (names.transactions_topic, *names.tables)
        }
        self.unread = Unread()
        self.holes: tuple[str, ...] = ()

    def look(self, as_of_ms: int) -> Progress | None:
        """One look at all parts, after `as_of_ms`: what is newly proven, if anything.

        Raises NotProvenError or NotServedError if what the parts say does not fit together, and what
        the collaborators raise if one does not answer. All is as before then; look again.
        """
        self._follow_job(as_of_ms)
        started_ms = self._monotonic_ms()
        if started_ms - self._counted_at_ms < COUNT_EVERY_MS or not self._written:
            return None
        tables, stable = self._look_at_pinot(as_of_ms)
        erasures = sum(stable.pop(self._names.erasures_topic).values())
        instant = newest(self._written, lambda written: self._is_served(written, stable, tables))
        if instant is None:
            return None
        docs = self._rows.count(tables)
        self._refuse_restarted(tables, started_ms)
        fewer = docs.fewer_than(self._last.docs, tables) if self._last else None
        if fewer:
            raise NotProvenError(fewer)
        self._rows.keep()
        self._counted_at_ms = started_ms
        self._written = after(self._written, instant)
        empty = {topic: dict(reached.empty) for topic, reached in self._reached.items()}
        begins = {topic: table.segments.begins for topic, table in tables.items()}
        proven = Progress(instant.sent.as_of_ms, docs, empty, begins=begins, erasures=erasures)
        self._last = proven
        return proven

    def _follow_job(self, as_of_ms: int) -> None:
        raw, ends = self._names.transactions_topic, self._kafka.ends
        group, starts = self._all(
            [partial(self._kafka.group_offsets, raw), partial(self._kafka.starts, raw)]
        )
        raw_ends, *result_ends = self._all([partial(ends, t) for t in (raw, *self._names.tables)])
        for partition, start in starts.items():
            self._first_starts.setdefault(partition, start)
        job = {**dict.fromkeys(raw_ends, 0), **self._first_starts, **group}
        _refuse_ahead("The job", raw, job, raw_ends)
        self.unread.look(raw, job, starts, self._reached[raw].known_empty)
        self._void_if_there_are_more(frozenset(raw_ends))
        self._sent = thinned([*self._sent, Sent(as_of_ms, raw_ends)])
        finished = newest(self._sent, lambda sent: self._is_finished(sent, job))
        if finished is not None:
            self._sent = after(self._sent, finished)
            written = Written(finished, dict(zip(self._names.tables, result_ends, strict=True)))
            self._written = thinned([*self._written, written])

    def _void_if_there_are_more(self, partitions: frozenset[int]) -> None:
        """A kafka partition may hold records before it can be seen: what was sent without it proves nothing."""
        if partitions - self._raw_partitions:
            self._sent, self._written = [], []
        self._raw_partitions = partitions

    def _is_finished(self, sent: Sent, job: Offsets) -> bool:
        """(1) The job has finished what was sent; the gap can only be judged once it is decided."""
        if all_at_least(job, sent.ends):
            return True
        raw = self._names.transactions_topic
        decided = all_at_least(self._kafka.stable_ends(raw), sent.ends)
        return decided and self._reached[raw](job, sent.ends)

    def _first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        """What begins before the log does, after it was read, may have held a record."""
        found = self._kafka.first_records(topic, gaps)
        starts = self._kafka.starts(topic)
        return {p: gaps[p].start if starts[p] > gaps[p].start else at for p, at in found.items()}

    def _look_at_pinot(self, now_ms: int) -> tuple[dict[str, PinotTable], dict[str, Offsets]]:
        topics = self._names.tables
        consuming = self._consuming()
        segments = self._all([partial(self._pinot.segments, table) for table in topics.values()])
        tables = {
            topic: PinotTable(topics[topic], consuming[topic], of)
            for topic, of in zip(topics, segments, strict=True)
        }
        decided = (*topics, self._names.erasures_topic)
        stables = self._all([partial(self._kafka.stable_ends, topic) for topic in decided])
        starts = self._all([partial(self._kafka.starts, topic) for topic in topics])
        stable = dict(zip(decided, stables, strict=True))
        begins = self._last.begins if self._last else {}
        holes = {
            topic: table.segments.holes(start, begins.get(topic, {}), now_ms)
            for (topic, table), start in zip(tables.items(), starts, strict=True)
        }
        self.holes = tuple(
            f"{topics[topic]} lacks rows {hole.where}" for topic in holes for hole in holes[topic]
        )
        for (topic, table), start in zip(tables.items(), starts, strict=True):
            table.consumed = _consumed(topic, table.filling, stable[topic])
            self.unread.look(topic, table.consumed, start, self._reached[topic].known_empty)
        if self.holes:
            words = f"{len(self.holes)} holes: {'; '.join(self.holes[:3])}"
            raise HoleError(words, self._refusal(holes, tables))
        return tables, stable

    def _refusal(
        self, holes: Mapping[str, list[Hole]], tables: Mapping[str, PinotTable]
    ) -> Progress | None:
        if self._last is None:
            return None
        segments = tables[self._names.entries_topic].segments
        lost = frozenset[int]().union(
            *(segments.classes_of(hole.partition) for hole in holes[self._names.entries_topic])
        )
        if lost and len(segments.by_class) != len(self._last.docs.entries):
            lost = frozenset(range(len(self._last.docs.entries)))
        if holes[self._names.rejected_topic]:
            lost |= {LOST_REJECTED}
        # What it said of segments in memory was so when it was proven.
        return replace(self._last, docs=replace(self._last.docs, in_memory=()), lost=lost)

    def _consuming(self) -> dict[str, tuple[ConsumingSegment, ...]]:
        tables = self._names.tables
        found = self._all([partial(self._pinot.consuming, table) for table in tables.values()])
        return dict(zip(tables, found, strict=True))

    def _is_served(
        self, written: Written, stable: Mapping[str, Offsets], tables: Mapping[str, PinotTable]
    ) -> bool:
        """(2) What was written is decided, and (3) indexed."""
        return all(
            all_at_least(stable[topic], ends) and self._reached[topic](tables[topic].consumed, ends)
            for topic, ends in written.ends.items()
        )

    def _refuse_restarted(self, tables: Mapping[str, PinotTable], started_ms: int) -> None:
        """(5) No server began anew between the offsets and the counts, and no partition showed up."""
        raw = self._names.transactions_topic
        consuming = self._consuming()
        self._void_if_there_are_more(frozenset(self._kafka.starts(raw)))
        if not self._written:
            raise NotProvenError(f"kafka partitions were added to {raw}")
        for topic, table in tables.items():
            again = replace(table, consuming=consuming[topic])
            now = consumed_offsets(again.filling)
            if any(now.get(partition, 0) < at for partition, at in table.consumed.items()):
                raise NotProvenError(f"Pinot's offsets of {topic} went back during the count")
            before = servers_of(table.consuming)
            for partition, servers in servers_of(consuming[topic]).items():
                # One that came in between may have been counted while it was behind the others.
                if joined := servers - before.get(partition, frozenset()):
                    raise NotProvenError(f"{sorted(joined)} joined in {topic} during the count")
        if self._monotonic_ms() - started_ms > MAX_COUNTING_MS:
            raise NotProvenError(f"counting Pinot's rows took over {MAX_COUNTING_MS} ms")


def _consumed(topic: str, consuming: tuple[ConsumingSegment, ...], stable: Offsets) -> Offsets:
    """How far every kafka partition that ever held something is indexed."""
    offsets = {partition: 0 for partition, end in stable.items() if end == 0}
    offsets |= consumed_offsets(consuming)
    missing = sorted(stable.keys() - offsets.keys())
    if missing:
        raise NotServedError(f"kafka partitions {missing} of {topic} are not being consumed")
    _refuse_ahead("Pinot", topic, offsets, stable)
    return offsets


def _refuse_ahead(reader: str, topic: str, offsets: Offsets, ends: Offsets) -> None:
    for partition, end in ends.items():
        if offsets[partition] > end:
            raise NotProvenError(
                f"{reader} is at offset {offsets[partition]} of {topic} [{partition}], which ends at "
                f"{end}: was the topic made anew?"
            )
