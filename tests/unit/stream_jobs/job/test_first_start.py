"""A job without state starts only where nothing has been counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from stream_jobs.job.first_start import CountedAlreadyError, refuse_to_count_again
from stream_jobs.topics.names import NAMES, beside
from stream_jobs.topics.offsets import Gap, Offsets


@dataclass
class Topics:
    """Topics of two kafka partitions; `records` are those that were committed and are still there."""

    began: dict[str, Offsets] = field(default_factory=dict)
    ended: dict[str, Offsets] = field(default_factory=dict)
    records: dict[str, dict[int, list[int]]] = field(default_factory=dict)

    def starts(self, topic: str) -> Offsets:
        return self.began.get(topic, {0: 0, 1: 0})

    def stable_ends(self, topic: str) -> Offsets:
        return self.ended.get(topic, self.starts(topic))

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        held = self.records.get(topic, {})
        return {
            partition: next((at for at in held.get(partition, []) if at < gap.end), None)
            for partition, gap in gaps.items()
        }


def test_nothing_was_counted_yet() -> None:
    refuse_to_count_again(Topics(), NAMES)


@pytest.mark.parametrize("topic", NAMES.outcomes)
def test_what_an_aborted_transaction_left_is_no_record(topic: str) -> None:
    refuse_to_count_again(Topics(ended={topic: {0: 5, 1: 0}}), NAMES)


@pytest.mark.parametrize("topic", NAMES.outcomes)
def test_a_committed_record_is_refused_with_the_way_on(topic: str) -> None:
    topics = Topics(ended={topic: {0: 5, 1: 9}}, records={topic: {1: [7]}})
    with pytest.raises(CountedAlreadyError, match="--restore-from") as refused:
        refuse_to_count_again(topics, NAMES)
    assert topic in str(refused.value)


@pytest.mark.parametrize("topic", NAMES.outcomes)
def test_records_that_retention_took_are_refused_as_well(topic: str) -> None:
    with pytest.raises(CountedAlreadyError):
        refuse_to_count_again(Topics(began={topic: {0: 0, 1: 9}}), NAMES)


def test_a_second_pipeline_starts_beside_the_first() -> None:
    topics = Topics(
        ended={NAMES.entries_topic: {0: 5, 1: 9}}, records={NAMES.entries_topic: {1: [7]}}
    )
    refuse_to_count_again(topics, beside("two"))
