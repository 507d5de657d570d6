"""Whether a job may start without state: only where no job of its names has counted anything yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Gap, Offsets


class CountedAlreadyError(Exception):
    """Without its memory of ids the job would read from the first raw record, and count everything a second time."""


class TopicOffsets(Protocol):
    """What is asked of Kafka; `KafkaOffsets` answers it."""

    def starts(self, topic: str) -> Offsets: ...
    def stable_ends(self, topic: str) -> Offsets: ...
    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]: ...


def counted_in(kafka: TopicOffsets, names: Names) -> str | None:
    """A topic of outcomes that holds a committed record, or held one before; None if none does.

    What an aborted transaction left behind is no record: a job that died before its first checkpoint starts again.
    """
    for topic in names.outcomes:
        starts, ends = kafka.starts(topic), kafka.stable_ends(topic)
        if any(starts.values()):
            return topic
        gaps = {partition: Gap(0, end) for partition, end in ends.items() if end}
        if gaps and any(first is not None for first in kafka.first_records(topic, gaps).values()):
            return topic
    return None


def refuse_to_count_again(kafka: TopicOffsets, names: Names) -> None:
    """Raises CountedAlreadyError where a job without state would count what is counted already."""
    topic = counted_in(kafka, names)
    if topic is not None:
        raise CountedAlreadyError(
            f"{topic} holds what a job of these names has written. Started without its state, this one would "
            "count every raw event that Kafka still has a second time.\n"
            "Go on from its newest checkpoint or savepoint: --restore-from URI. If there is none any more, put "
            "a second pipeline beside it (--pipeline NAME): docs/operations.md, Build the table anew."
        )
