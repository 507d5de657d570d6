"""Proves up to which instant all that reached `transactions` is served by Pinot; I/O by its arguments.

A record (T, D) of `pipeline-progress` says: every record that `transactions` held at T is, if it is a
transfer and the first of its id, in Pinot, and Pinot then served D[q] rows of kafka partition q. A later
answer that covers at least D[q] rows of q holds all of them, since Pinot indexes a partition in order.

Why it holds. R is where `transactions` ends after T. (1) The job's committed offsets C are those of a
completed checkpoint, and before a checkpoint completes the sinks have flushed what came from the records
below C, aligned barriers let none of them be in flight. So once C >= R all entries of those records lie below
H, the end of `account-entries` read after that; the same for the rejected. Their transactions may still be
undecided, (2) hence wait until the last stable offset is at or past H. (3) Pinot reads in order and moves its
offset after indexing: at or past H on every serving server, all of it is indexed. A gap that holds no
committed record (commit markers, aborted records) counts as passed, since a reader stands still before it.
(4) The rows are counted through the broker, accepted only if they cover every segment there is, and (5) the
offsets are read once more: a server that restarted in between, whose count would be too small, is not past H
so soon. What the tracker knows of the past is only what it may skip; so it may die at any time.

A restart of Flink goes on from the last completed checkpoint, whose C was proven by (1), and commits its
transactions again; until then (2) waits. A restart of Pinot sets offsets back; (3) and (5) wait. A topic that
was made anew shows as a reader ahead of its end; nothing is published until it is not.
It cannot see entries that Kafka aborted although the checkpoint completed: that is what an audit is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stream_jobs.murmur2 import account_id_in
from stream_jobs.offsets import Offsets, OffsetsOfKafka, Reached, all_at_least
from stream_jobs.pinot_served import (
    ConsumingSegment,
    NotServedError,
    PinotServed,
    consumed_offsets,
    partition_of,
    refuse_silent,
)
from stream_jobs.progress_stages import Sent, Waiting, Written

TRANSACTIONS: Final = "transactions"
ENTRIES: Final = "account-entries"
REJECTED: Final = "transactions-rejected"
TABLES: Final[Mapping[str, str]] = {ENTRIES: "account_entries", REJECTED: "transactions_rejected"}

# Shorter than any restart of a Pinot server: see (5).
MAX_COUNTING_MS: Final = 3_000
# Counting costs a query a kafka partition: not at every look.
COUNT_EVERY_MS: Final = 400


@dataclass(frozen=True, slots=True)
class Progress:
    """Proven: all that reached `transactions` before `as_of_ms` is in the rows that Pinot served."""

    as_of_ms: int
    entry_docs: tuple[int, ...]  # by kafka partition of account-entries
    rejected_docs: int


class NotProvenError(Exception):
    """The parts contradict each other, so nothing may be published."""


@dataclass(frozen=True, slots=True)
class _Counted:
    rows: tuple[int, ...]
    segments: frozenset[str]


class Tracker:
    """Moves instants through the stages, one look at a time."""

    def __init__(
        self, kafka: OffsetsOfKafka, pinot: PinotServed, clock_ms: Callable[[], int]
    ) -> None:
        self._kafka = kafka
        self._pinot = pinot
        self._clock_ms = clock_ms
        self._waiting = Waiting()
        self._counted: dict[str, _Counted] = {}
        self._counted_at_ms = 0
        self._job_has_reached = Reached(TRANSACTIONS, kafka.first_records)
        self._pinot_has_reached = {topic: Reached(topic, kafka.first_records) for topic in TABLES}

    def look(self) -> Progress | None:
        """One look at all parts: what is newly proven, if anything.

        Raises NotProvenError or NotServedError if what the parts say does not fit together, and what
        the collaborators raise if one does not answer. All is as before then; look again.
        """
        self._follow_job()
        started_ms = self._clock_ms()
        if started_ms - self._counted_at_ms < COUNT_EVERY_MS or not self._waiting.written:
            return None
        consuming = {topic: self._pinot.consuming(table) for topic, table in TABLES.items()}
        stable = {topic: self._kafka.stable_ends(topic) for topic in TABLES}
        consumed = {topic: _consumed(topic, consuming[topic], stable[topic]) for topic in TABLES}
        instant = self._waiting.newest_written(
            lambda written: self._is_served(written, stable, consumed)
        )
        if instant is None:
            return None
        counted = {topic: self._count(topic, consuming[topic]) for topic in TABLES}
        self._refuse_restarted(consumed, started_ms)
        self._refuse_fewer(counted)
        self._counted, self._counted_at_ms = counted, started_ms
        self._waiting = self._waiting.served(instant)
        return Progress(instant.as_of_ms, counted[ENTRIES].rows, sum(counted[REJECTED].rows))

    def _follow_job(self) -> None:
        committed = self._kafka.committed(TRANSACTIONS)
        now = Sent(self._clock_ms(), self._kafka.ends(TRANSACTIONS))
        _refuse_ahead("The job", TRANSACTIONS, committed, now.ends)
        self._waiting = self._waiting.with_sent(now)
        finished = self._waiting.newest_sent(lambda sent: self._is_finished(sent, committed))
        if finished is not None:
            ends = {topic: self._kafka.ends(topic) for topic in TABLES}
            self._waiting = self._waiting.finished(finished, Written(finished.as_of_ms, ends))

    def _is_finished(self, sent: Sent, committed: Offsets) -> bool:
        """(1) The job has finished what was sent; the gap can only be judged once it is decided."""
        if all_at_least(committed, sent.ends):
            return True
        decided = all_at_least(self._kafka.stable_ends(TRANSACTIONS), sent.ends)
        return decided and self._job_has_reached(committed, sent.ends)

    def _is_served(
        self, written: Written, stable: Mapping[str, Offsets], consumed: Mapping[str, Offsets]
    ) -> bool:
        """(2) What was written is decided, and (3) indexed."""
        return all(
            all_at_least(stable[topic], ends)
            and self._pinot_has_reached[topic](consumed[topic], ends)
            for topic, ends in written.ends.items()
        )

    def _count(self, topic: str, consuming: tuple[ConsumingSegment, ...]) -> _Counted:
        """(4) Rows by kafka partition; of the rejected, which no query prunes, all in one."""
        table = TABLES[topic]
        segments = self._pinot.segments(table)
        refuse_silent(consuming, segments)
        by_partition = Counter(partition_of(segment) for segment in segments.ideal)
        parts: list[tuple[str | None, int]] = [(None, len(segments.ideal))]
        if topic == ENTRIES:
            parts = [
                (account_id_in(partition, len(by_partition)), by_partition[partition])
                for partition in range(len(by_partition))
            ]
        return _Counted(tuple(self._rows(table, *part) for part in parts), segments.ideal)

    def _rows(self, table: str, account_id: str | None, segments: int) -> int:
        count = self._pinot.count(table, account_id)
        if count.segments != segments:
            raise NotServedError(
                f"a count of {table} covered {count.segments} of {segments} segments"
            )
        return count.rows

    def _refuse_restarted(self, consumed: Mapping[str, Offsets], started_ms: int) -> None:
        """(5) No server began anew between the offsets and the counts."""
        for topic, table in TABLES.items():
            now = _consumed(topic, self._pinot.consuming(table), None)
            if not all_at_least(now, consumed[topic]):
                raise NotProvenError(f"Pinot's offsets of {topic} went back during the count")
        if self._clock_ms() - started_ms > MAX_COUNTING_MS:
            raise NotProvenError(f"counting Pinot's rows took over {MAX_COUNTING_MS} ms")

    def _refuse_fewer(self, counted: Mapping[str, _Counted]) -> None:
        """Rows never become fewer, unless retention took their segment away."""
        for topic, before in self._counted.items():
            now = counted[topic]
            fewer = any(a < b for a, b in zip(now.rows, before.rows, strict=True))
            if fewer and before.segments <= now.segments:
                raise NotProvenError(f"Pinot had {before.rows} rows of {topic}, now {now.rows}")


def _consumed(
    topic: str, consuming: tuple[ConsumingSegment, ...], stable: Offsets | None
) -> Offsets:
    offsets = consumed_offsets(consuming)
    if stable is not None:
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
