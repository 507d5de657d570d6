"""What is published says the brokers' time, and is found again by the tracker that comes next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from stream_jobs.progress.publishing import (
    LOOK_FOR_PARTITIONS_EVERY,
    KafkaPublisher,
    progress_of,
    record_value,
)
from stream_jobs.progress.row_counts import Docs
from stream_jobs.progress.tracker import Progress
from stream_jobs.topics.names import NAMES, beside
from stream_jobs.topics.offsets import Gap
from stream_jobs.topics.producer import PublishError

HOUR_MS = 3_600_000


class Appended:
    """A record as the broker acknowledged it."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms

    def timestamp(self) -> tuple[int, int]:
        return 2, self._at_ms


class Known:
    """Metadata of topics."""

    def __init__(self, topics: dict[str, range]) -> None:
        self.topics = {name: type("T", (), {"partitions": p})() for name, p in topics.items()}


class Producer:
    """A producer whose brokers have clocks of their own, by kafka partition; None: does not acknowledge."""

    def __init__(self, names: Any = NAMES) -> None:
        self.clocks_ms: dict[int, int | None] = {}
        self.names = names
        self.sent: list[tuple[str, bytes]] = []
        self.undelivered = 0

    def list_topics(self, timeout: float) -> Known:
        assert timeout > 0
        return Known({self.names.heartbeat_topic: range(len(self.clocks_ms))})

    def produce(
        self,
        topic: str,
        value: bytes,
        partition: int,
        on_delivery: Callable[[Any, Appended], None] | None = None,
    ) -> None:
        self.sent.append((topic, value))
        beats = topic == self.names.heartbeat_topic
        at_ms = self.clocks_ms.get(partition) if beats else 1
        if on_delivery is not None and at_ms is not None:
            on_delivery(None, Appended(at_ms))
        elif on_delivery is not None:
            on_delivery(KafkaError(KafkaError._MSG_TIMED_OUT), Appended(-1))

    def flush(self, timeout: float) -> int:
        assert timeout > 0
        return self.undelivered


def _publisher(
    producer: Producer, clock_ms: Callable[[], int] = lambda: 1_000_000, recorded_at_ms: int = 0
) -> KafkaPublisher:
    return KafkaPublisher(producer, producer.names, clock_ms, recorded_at_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("brokers_ms", "own_ms"),
    [
        ([1_000_000, 1_000_000 + HOUR_MS, 1_000_400], 1_000_500),  # one broker is an hour ahead
        ([1_000_000, 1_000_200], 1_000_000 + HOUR_MS),  # the tracker is
        ([1_000_000 + HOUR_MS, 1_000_000 + HOUR_MS], 1_000_000),  # both brokers are
    ],
)
def test_a_clock_that_is_ahead_promises_nothing(brokers_ms: list[int], own_ms: int) -> None:
    producer = Producer()
    producer.clocks_ms = dict(enumerate(brokers_ms))
    assert _publisher(producer, lambda: own_ms).heartbeat() == 1_000_000


def test_without_an_acknowledged_heartbeat_of_every_partition_there_is_no_instant() -> None:
    producer = Producer()
    producer.clocks_ms = {0: 999_000, 1: None}
    publisher = _publisher(producer)
    assert publisher.heartbeat() is None
    producer.clocks_ms[1] = 998_000
    assert publisher.heartbeat() == 998_000
    # A lost one leaves the instant of the one before, which is earlier.
    producer.clocks_ms = {0: 999_500, 1: None}
    assert publisher.heartbeat() == 998_000


def test_a_partition_that_was_added_gets_heartbeats_too() -> None:
    producer = Producer()
    producer.clocks_ms = {0: 999_000}
    publisher = _publisher(producer)
    publisher.heartbeat()
    producer.clocks_ms[1] = 998_000
    for _ in range(LOOK_FOR_PARTITIONS_EVERY):
        publisher.heartbeat()
    assert publisher.heartbeat() == 998_000


def test_without_the_topic_there_is_no_instant() -> None:
    assert _publisher(Producer()).heartbeat() is None


def test_a_second_pipeline_beats_and_publishes_under_its_own_names() -> None:
    producer = Producer(beside("blue"))
    producer.clocks_ms = {0: 999_000}
    publisher = _publisher(producer)
    publisher.heartbeat()
    publisher.publish(Progress(999_000, Docs((1,), 0)))
    assert [topic for topic, _ in producer.sent] == [
        "pipeline-heartbeat-blue",
        "pipeline-progress-blue",
    ]


def test_the_time_of_recording_rises_though_the_clock_goes_back_an_hour() -> None:
    producer = Producer()
    clock = iter([1_000_000 + HOUR_MS, 1_000_000, 1_000_000 + 2 * HOUR_MS])
    publisher = _publisher(producer, lambda: next(clock), recorded_at_ms=1_000_000 + HOUR_MS)
    for _ in range(3):
        publisher.publish(Progress(999_000, Docs((1,), 0)))
    recorded = [json.loads(value)["recorded_at_ms"] for _, value in producer.sent]
    assert recorded == [
        1_000_001 + HOUR_MS,
        1_000_002 + HOUR_MS,
        1_000_000 + 2 * HOUR_MS,
    ]


def test_what_kafka_does_not_acknowledge_is_an_error() -> None:
    producer = Producer()
    producer.undelivered = 1
    with pytest.raises(PublishError, match="pipeline-progress"):
        _publisher(producer).publish(Progress(999_000, Docs((1,), 0)))


def test_the_next_tracker_reads_what_this_one_wrote() -> None:
    empty = {"transactions": {3: Gap(10, 12)}, "account-entries": {}}
    progress = Progress(
        5, Docs((7, 8), 9, 2), empty, begins={"account-entries": {4: 6}}, erasures=8
    )
    assert progress_of(json.loads(record_value(progress, 6))) == progress


def test_the_next_tracker_reads_what_an_older_version_wrote() -> None:
    old = {"as_of_ms": 5, "entry_docs": "[7,8]", "rejected_docs": 9, "recorded_at_ms": 6}
    assert progress_of(old) == Progress(5, Docs((7, 8), 9))


def test_what_is_proven_goes_by_the_only_one_who_may_publish_it() -> None:
    producer, sent = Producer(), []
    producer.clocks_ms = {0: 999_000}

    def send(topic: str, value: bytes) -> None:
        sent.append((topic, json.loads(value)["recorded_at_ms"]))

    publisher = KafkaPublisher(producer, NAMES, lambda: 1_000_000, 5_000_000, send)  # type: ignore[arg-type]
    assert publisher.heartbeat() == 999_000
    publisher.publish(Progress(999_000, Docs((1,), 0)))
    assert sent == [(NAMES.progress_topic, 5_000_001)]
    assert [topic for topic, _ in producer.sent] == [NAMES.heartbeat_topic]
