"""Records far in the past or future are refused by Kafka itself, as the file of `transactions` has it in production."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, Message, Producer

from stream_jobs.tools.rejected_events import Corrected, Place
from stream_jobs.tools.rejects import KafkaRejects, ReplayError
from stream_jobs.tools.replaying import Replayed
from stream_jobs.topics.admin import KafkaTopicAdmin
from stream_jobs.topics.clients import admin
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import Environment, Topic, load_topics
from tests.integration.running_stack import RunningStack, now_ms

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def topic(stack: RunningStack) -> Iterator[Topic]:
    """`transactions` as in production, on the one node that there is; each test's own, since Kafka deletes in its own time."""
    production = next(
        each
        for each in load_topics(Environment.PRODUCTION)
        if each.name == NAMES.transactions_topic
    )
    config = {**production.config, "min.insync.replicas": "1"}
    name = f"transactions-of-production-{uuid4()}"
    alone = replace(production, name=name, partitions=1, replication=1, config=config)
    client = admin(stack.kafka)
    KafkaTopicAdmin(stack.kafka).create([alone])
    yield alone
    for deleted in client.delete_topics([name]).values():
        deleted.result(30)


def refusals(kafka: str, topic: Topic, *times_ms: int, batch: int = 1) -> list[int | None]:
    """By record the code that a producer is told, sent in batches of so many; None: taken.

    A batch goes when it is full: flushing would send what happens to be in it by then.
    """
    told: list[int | None] = []

    def note(error: KafkaError | None, _message: Message) -> None:
        told.append(None if error is None else error.code())

    to = Producer(
        {
            "bootstrap.servers": kafka,
            "linger.ms": 20_000,
            "batch.num.messages": batch,
            "log_level": 0,
        }
    )
    for time_ms in times_ms:
        to.produce(topic.name, b"{}", timestamp=time_ms, on_delivery=note)
    until = time.monotonic() + 30
    while len(told) < len(times_ms) and time.monotonic() < until:
        to.poll(0.1)
    assert len(told) == len(times_ms)
    return told


def test_what_retention_could_take_unread_is_refused_and_the_producer_is_told(
    stack: RunningStack, topic: Topic
) -> None:
    bound_ms = int(topic.config["message.timestamp.before.max.ms"])
    at_ms = now_ms()
    late, too_late = at_ms - bound_ms + HOUR_MS, at_ms - bound_ms - 1
    early, too_early = at_ms + HOUR_MS // 2, at_ms + 2 * HOUR_MS
    assert refusals(stack.kafka, topic, late, at_ms, early) == [None, None, None]
    assert refusals(stack.kafka, topic, too_late, too_early) == [KafkaError.INVALID_TIMESTAMP] * 2
    ends = KafkaOffsets(stack.kafka, "timestamps").ends(topic.name)
    assert ends == {0: 3}


def test_what_is_in_a_batch_with_it_is_refused_as_well_and_can_be_sent_again(
    stack: RunningStack, topic: Topic
) -> None:
    at_ms = now_ms()
    assert (
        refusals(stack.kafka, topic, at_ms, at_ms - 3 * DAY_MS, at_ms, batch=3)
        == [KafkaError.INVALID_TIMESTAMP] * 3
    )
    assert refusals(stack.kafka, topic, at_ms, at_ms, batch=2) == [None, None]


def test_a_corrected_event_that_is_too_old_is_told_with_the_way_out(
    stack: RunningStack, topic: Topic
) -> None:
    rejects = KafkaRejects(stack.kafka, replace(NAMES, transactions_topic=topic.name))
    rejects.fence()
    old = Corrected(Place(0, 0), now_ms() - 3 * DAY_MS, None, {}, b"{}")
    replayed = Replayed(0, 0, "NOT_JSON", "", "", now_ms(), "ann")
    with pytest.raises(ReplayError, match=r"recorded_at of today, and its event .* occurred_at"):
        rejects.send([(old, replayed)])
