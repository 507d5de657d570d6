"""A check is over only when nothing of what it closes can be under way."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stream_jobs.audit.frontier import Frontier
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets
from tests.audit_tiers import ENTRIES, RAW, REJECTED, UNCOUNTED


class Kafka:
    """One kafka partition a topic; everything read, finished and decided unless a test says otherwise."""

    def __init__(self) -> None:
        self.end = {RAW: 10, ENTRIES: 20, REJECTED: 5, UNCOUNTED: 6}
        self.stable = dict(self.end)
        self.job = 10
        self.read = dict(self.end)
        self.gap_is_empty = False
        self.away = False

    def ends(self, topic: str) -> Offsets:
        return {0: self.end[topic]}

    def stable_ends(self, topic: str) -> Offsets:
        return {0: self.stable[topic]}

    def committed(self, topic: str) -> Offsets:
        if self.away:
            raise KafkaOffsetsError("away")
        return {0: self.job}

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        return {p: None if self.gap_is_empty else gap.start for p, gap in gaps.items()}

    def frontier(self) -> Frontier:
        return Frontier(self, NAMES, lambda topic: {0: self.read[topic]}, lambda: 1_000)


def test_with_nothing_under_way_a_look_closes_all_that_was_read() -> None:
    frontier = Kafka().frontier()
    closed = frontier.look()
    assert closed is not None
    assert (closed.raw, closed.raw_ends, closed.as_of_ms) == ({0: 10}, {0: 10}, 1_000)
    assert closed.outcomes == {ENTRIES: {0: 20}, REJECTED: {0: 5}, UNCOUNTED: {0: 6}}


def test_what_was_not_read_when_the_check_began_is_not_vouched_for_by_its_instant() -> None:
    kafka = Kafka()
    kafka.read[RAW] = 7
    closed = kafka.frontier().look()
    assert closed is not None
    assert (closed.raw, closed.as_of_ms) == ({0: 7}, None)


def test_an_instant_is_proven_also_while_more_comes_than_is_read() -> None:
    kafka = Kafka()
    times = iter((1_000, 2_000, 3_000))
    frontier = Frontier(kafka, NAMES, lambda topic: {0: kafka.read[topic]}, lambda: next(times))
    told = []
    for _ in range(4):
        kafka.end[RAW] += 10
        kafka.stable[RAW] = kafka.job = kafka.end[RAW]
        kafka.read[RAW] = kafka.end[RAW] - 5
        closed = frontier.look()
        assert closed is not None
        told.append((closed.as_of_ms, closed.raw[0]))
    # At 1,000 ms the topic ended at 20, which had been read at the second look; and so on.
    assert told == [(None, 15), (1_000, 25), (None, 35), (2_000, 45)]


def test_the_job_must_have_finished_what_had_been_read_at_the_beginning() -> None:
    kafka = Kafka()
    kafka.job = 9
    frontier = kafka.frontier()
    assert frontier.look() is None
    kafka.read[RAW] = 99  # what is read later is of the next
    kafka.job = 10
    closed = frontier.look()
    assert closed is not None
    assert closed.raw == {0: 10}


def test_a_gap_without_records_is_passed() -> None:
    kafka = Kafka()
    kafka.job, kafka.gap_is_empty = 9, True
    assert kafka.frontier().look() is not None


@pytest.mark.parametrize("topic", [ENTRIES, REJECTED, UNCOUNTED])
def test_the_audit_must_have_read_every_topic_of_outcomes_so_far(topic: str) -> None:
    kafka = Kafka()
    kafka.read[topic] -= 1
    frontier = kafka.frontier()
    assert frontier.look() is None
    kafka.read[topic] += 1
    assert frontier.look() is not None


@pytest.mark.parametrize("topic", [ENTRIES, REJECTED, UNCOUNTED])
def test_an_open_transaction_is_waited_for_and_the_end_is_taken_once(topic: str) -> None:
    kafka = Kafka()
    kafka.stable[topic] -= 1
    frontier = kafka.frontier()
    assert frontier.look() is None
    wanted = kafka.end[topic]
    kafka.end[topic] = 500
    kafka.stable[topic] += 1
    closed = frontier.look()
    assert closed is not None
    assert closed.outcomes[topic] == {0: wanted}


def test_kafka_being_away_leaves_the_check_as_it_was() -> None:
    kafka = Kafka()
    kafka.away = True
    frontier = kafka.frontier()
    with pytest.raises(KafkaOffsetsError):
        frontier.look()
    kafka.away = False
    assert not frontier.idle
    assert frontier.look() is not None
    assert frontier.idle
