"""Writes single records that somebody waits for: acknowledged in time, or an error."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_jobs.topics.clients import explained, producer, refused

PUBLISH_TIMEOUT_S = 5.0
ANY_PARTITION = -1


class PublishError(Exception):
    """Kafka did not acknowledge a record in time."""


def producer_to(kafka_servers: str) -> Producer:
    """A producer that gives a record up after 5 s."""
    return producer(
        kafka_servers,
        {
            "acks": "all",
            "linger.ms": 0,
            "compression.type": "lz4",
            # A record that waits out an outage would be published late, but it would still be true.
            "message.timeout.ms": round(PUBLISH_TIMEOUT_S * 1000),
        },
    )


def publish(to: Producer, topic: str, value: bytes, partition: int = ANY_PARTITION) -> None:
    """One record, acknowledged. Raises PublishError if Kafka refuses or does not within 5 s, and KafkaException."""
    failures: list[KafkaError] = []

    def note(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    try:
        to.produce(topic, value, partition=partition, on_delivery=note)
    except BufferError as full:
        raise PublishError(refused(to) or str(full)) from None
    except KafkaException as failure:
        raise PublishError(f"{topic}: {explained(to, failure)}") from None
    left = to.flush(PUBLISH_TIMEOUT_S)
    if failures:
        raise PublishError(f"{topic}: {explained(to, failures[0])}")
    if left:
        why = refused(to) or f"no acknowledgement in {PUBLISH_TIMEOUT_S} s"
        raise PublishError(f"{topic}: {why}")
