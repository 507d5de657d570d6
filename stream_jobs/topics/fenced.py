"""Publishes as the only one: whoever begins later under the same transactional id ends all who began before.

Kafka's brokers see to it, whatever a process believes and however long it was paused: of an earlier epoch they take
nothing, and what it had under way is aborted before the later one begins.
"""

from __future__ import annotations

import os
import socket
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from stream_jobs.topics.clients import explained, producer
from stream_jobs.topics.producer import PUBLISH_TIMEOUT_S, PublishError

# What a process that died had under way holds readers up for so long at most, should nobody take over.
TRANSACTION_TIMEOUT_MS: Final = 10_000
BY: Final = "by"
"""The header of each record that says which process wrote it."""
_FENCED: Final = frozenset(
    {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
)


class EndedError(Exception):
    """Nothing more can be published by this publisher; another one may be begun."""


class FencedError(EndedError):
    """Another process has begun to publish under the same transactional id."""


def fenced_producer(kafka_servers: str, transactional_id: str) -> Producer:
    """A producer for a FencedPublisher. Raises AccessError for settings that cannot work."""
    return producer(
        kafka_servers,
        {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "message.timeout.ms": round(PUBLISH_TIMEOUT_S * 1000),
            "linger.ms": 0,
            "compression.type": "lz4",
        },
    )


class FencedPublisher:
    """One record a transaction, into the first kafka partition of a topic."""

    def __init__(self, producer_: Producer) -> None:
        self._producer = producer_
        self._by = f"{socket.gethostname()}:{os.getpid()}".encode()

    def begin(self) -> None:
        """End all who began before. Raises EndedError if Kafka does not answer within 5 s."""
        try:
            self._producer.init_transactions(PUBLISH_TIMEOUT_S)
        except KafkaException as failure:
            raise self._ended(failure) from None

    def publish(self, topic: str, value: bytes) -> None:
        """One record, committed.

        Raises PublishError if it surely is not, and EndedError if that is not known or another has begun.
        """
        try:
            self._producer.begin_transaction()
            self._producer.produce(topic, value, partition=0, headers=[(BY, self._by)])
            self._producer.commit_transaction(PUBLISH_TIMEOUT_S)
        except BufferError as full:
            self._abort()
            raise PublishError(f"{topic}: {full}") from None
        except KafkaException as failure:
            if not failure.args[0].txn_requires_abort():
                raise self._ended(failure) from None
            self._abort()
            raise PublishError(f"{topic}: {explained(self._producer, failure)}") from None

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(PUBLISH_TIMEOUT_S)
        except KafkaException as failure:
            raise self._ended(failure) from None

    def _ended(self, failure: KafkaException) -> EndedError:
        kind = FencedError if failure.args[0].code() in _FENCED else EndedError
        return kind(explained(self._producer, failure))
