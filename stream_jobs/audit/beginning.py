"""Where an audit without a state begins: at the first raw offsets whose outcomes Kafka must still have all.

While nothing of the outcomes has been deleted, that is the beginning. Else T is some time after the oldest outcome that
is left: outcomes are written in the order in which the job reads each raw partition, but for what is under way within a
checkpoint, so whatever follows the raw records with outcomes before T has its own after T.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from stream_jobs.audit.outcomes import Source, source_of
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets
from stream_jobs.topics.reader import Record

# Longer than any checkpoint may last, so longer than anything is under way in the job.
SLACK_MS: Final = 900_000
# Where outcomes are looked for after that: nearly always the first is enough.
WINDOWS_MS: Final = (60_000, 3_600_000, 2**41)


class Kafka(Protocol):
    """What is asked of Kafka; `read` gives committed records between two offsets."""

    def starts(self, topic: str) -> Offsets: ...

    def stable_ends(self, topic: str) -> Offsets: ...

    def committed(self, topic: str) -> Offsets: ...

    def at_time(self, topic: str, time_ms: int) -> Offsets: ...

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterable[Record]: ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """From where on each topic is read, and the raw offsets that are vouched for from there.

    `since_ms`: outcomes older than that are not looked at; None if all there ever were are. From the hour
    `whole_from_ms` on no row of Pinot comes from earlier raw records.
    """

    starts: Mapping[str, Offsets]
    raw: Offsets
    since_ms: int | None
    whole_from_ms: int = 0


def beginning(kafka: Kafka, names: Names) -> Beginning:
    """Where to begin. Raises what `kafka` raises."""
    raw = kafka.starts(names.transactions_topic)
    firsts = {topic: kafka.starts(topic) for topic in names.outcomes}
    cut = [(topic, p) for topic, offsets in firsts.items() for p, start in offsets.items() if start]
    if not cut:
        whole_ms = _whole_from(kafka, names, raw) if any(raw.values()) else 0
        return Beginning({names.transactions_topic: raw, **firsts}, raw, None, whole_ms)
    since_ms = max(_time_of_first(kafka, topic, p, firsts[topic][p]) for topic, p in cut) + SLACK_MS
    starts = {topic: kafka.at_time(topic, since_ms) for topic in names.outcomes}
    begin = _behind_outcomes(kafka, names, raw, starts, since_ms)
    whole_ms = max(_hours_after(since_ms), _whole_from(kafka, names, begin))
    return Beginning({names.transactions_topic: begin, **starts}, begin, since_ms, whole_ms)


def _whole_from(kafka: Kafka, names: Names, begin: Offsets) -> int:
    """By the times of the first records that are vouched for, and what a producer's clock may be ahead."""
    topic = names.transactions_topic
    return _hours_after(max(_time_of_first(kafka, topic, p, start) for p, start in begin.items()))


def _hours_after(time_ms: int) -> int:
    return time_ms - time_ms % HOUR_MS + 2 * HOUR_MS


def _time_of_first(kafka: Kafka, topic: str, partition: int, start: int) -> int:
    end = kafka.stable_ends(topic)[partition]
    records = kafka.read(topic, {partition: start}, {partition: end}) if start < end else ()
    return next((record.time_ms for record in records), 0)


def _behind_outcomes(
    kafka: Kafka, names: Names, raw: Offsets, starts: Mapping[str, Offsets], since_ms: int
) -> dict[int, int]:
    """Per raw partition the offset behind those with outcomes just after an instant.

    Of a partition that had none just then it is the first that has one later, or as far as the job has come.
    """
    behind = dict(kafka.committed(names.transactions_topic))
    unseen = set(raw)
    for first, window_ms in zip((True, False, False), WINDOWS_MS, strict=True):
        if not unseen:
            break
        found = list(_sources(kafka, starts, since_ms + window_ms))
        for partition in unseen & {p for p, _ in found}:
            offsets = [offset for p, offset in found if p == partition]
            behind[partition] = max(offsets) + 1 if first else min(offsets)
            unseen.discard(partition)
    return {p: max(start, behind.get(p, start)) for p, start in raw.items()}


def _sources(kafka: Kafka, starts: Mapping[str, Offsets], until_ms: int) -> Iterator[Source]:
    """The raw records with an outcome between `starts` and an instant."""
    for topic, offsets in starts.items():
        stable, until = kafka.stable_ends(topic), kafka.at_time(topic, until_ms)
        ends = {p: min(until[p], end) for p, end in stable.items()}
        for record in kafka.read(topic, offsets, ends):
            source = source_of(record.value)
            if source is not None:
                yield source
