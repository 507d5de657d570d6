"""A check is over only when nothing of what it judges can be under way."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stream_jobs.audit.frontier import ENTRIES, TRANSACTIONS, Frontier, Topics
from stream_jobs.kafka_offsets import KafkaOffsetsError
from stream_jobs.offsets import Gap, Offsets


class Kafka:
    """One kafka partition a topic; everything read, finished and decided unless a test says otherwise."""

    def __init__(self) -> None:
        self.end = {TRANSACTIONS: 10, ENTRIES: 20}
        self.stable = dict(self.end)
        self.job = 10
        self.read = dict(self.end)
        self.gap_is_empty = False

    def ends(self, topic: str) -> Offsets:
        return {0: self.end[topic]}

    def stable_ends(self, topic: str) -> Offsets:
        return {0: self.stable[topic]}

    def committed(self, topic: str) -> Offsets:
        return {0: self.job}

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        return {p: None if self.gap_is_empty else gap.start for p, gap in gaps.items()}

    def frontier(self) -> Frontier:
        return Frontier(self, Topics(), lambda topic: {0: self.read[topic]}, lambda: 1_000)


def test_with_nothing_under_way_the_first_look_settles() -> None:
    frontier = Kafka().frontier()
    assert frontier.look() is None
    assert frontier.begin(7)
    settled = frontier.look()
    assert settled is not None
    assert (settled.round, settled.as_of_ms, settled.entry_ends) == (7, 1_000, {0: 20})
    assert frontier.begin(8)


def test_a_second_check_waits_for_the_first() -> None:
    kafka = Kafka()
    kafka.job = 9
    frontier = kafka.frontier()
    assert frontier.begin(1)
    assert not frontier.begin(2)
    assert frontier.look() is None


def test_the_job_must_have_finished_what_was_there_at_the_beginning() -> None:
    kafka = Kafka()
    kafka.job = 9
    frontier = kafka.frontier()
    frontier.begin(1)
    assert frontier.look() is None
    kafka.end[TRANSACTIONS] = kafka.stable[TRANSACTIONS] = 99  # what comes later is of the next
    kafka.job = 10
    assert frontier.look() is not None


def test_a_gap_without_records_is_passed() -> None:
    kafka = Kafka()
    kafka.job, kafka.gap_is_empty = 9, True
    frontier = kafka.frontier()
    frontier.begin(1)
    assert frontier.look() is not None


@pytest.mark.parametrize("topic", [TRANSACTIONS, ENTRIES])
def test_the_audit_must_have_read_both_topics_so_far(topic: str) -> None:
    kafka = Kafka()
    kafka.read[topic] -= 1
    frontier = kafka.frontier()
    frontier.begin(1)
    assert frontier.look() is None
    kafka.read[topic] += 1
    assert frontier.look() is not None


def test_an_open_transaction_is_waited_for_and_the_end_is_taken_once() -> None:
    kafka = Kafka()
    kafka.stable[ENTRIES] = 15
    frontier = kafka.frontier()
    frontier.begin(1)
    assert frontier.look() is None
    kafka.end[ENTRIES] = 500
    kafka.stable[ENTRIES] = 20
    settled = frontier.look()
    assert settled is not None
    assert settled.entry_ends == {0: 20}


def test_kafka_being_away_leaves_the_check_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka()
    frontier = kafka.frontier()
    frontier.begin(1)

    def away(topic: str) -> Offsets:
        raise KafkaOffsetsError("away")

    with monkeypatch.context() as patch:
        patch.setattr(kafka, "committed", away)
        with pytest.raises(KafkaOffsetsError):
            frontier.look()
    assert frontier.look() is not None
