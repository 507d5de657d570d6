"""Sends events from a JSON-lines file, or standard input, to the topic; each line is one value, verbatim."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_jobs.topics.access import checked
from stream_jobs.topics.clients import explained, is_forbidden, producer, refused

CONNECT_TIMEOUT_S = 10.0
FLUSH_TIMEOUT_S = 30.0


class ProduceError(Exception):
    """Kafka could not be reached, or did not take every record; the message says how many."""


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines without their ends; an empty line is no record."""
    for line in stream:
        value = line.removesuffix(b"\n")
        if value:
            yield value


def key_of(value: bytes) -> str | None:
    """The payer's id, so that an event and its duplicates keep their order; None if it cannot be read."""
    try:
        event: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    key = event.get("from_account_id") if isinstance(event, dict) else None
    return key if isinstance(key, str) else None


def produce(values: Iterable[bytes], kafka_servers: str, topic: str) -> int:
    """Sends every value and returns how many Kafka has acknowledged.

    Raises ProduceError if Kafka is not there within 10 s, has no such topic, or did not take a record.
    """
    to = producer(
        kafka_servers,
        {
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 20,
            "compression.type": "lz4",
        },
    )
    _require_topic(to, kafka_servers, topic)
    failures: list[str] = []

    def note(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(explained(to, error))

    sent = 0
    for value in values:
        while True:
            try:
                to.produce(topic, key=key_of(value), value=value, on_delivery=note)
            except BufferError:
                to.poll(0.1)
            except KafkaException as refusal:  # larger than the client takes
                failures.append(explained(to, refusal))
                break
            else:
                break
        sent += 1
        to.poll(0)
    left = to.flush(FLUSH_TIMEOUT_S)
    if failures or left:
        raise ProduceError(
            f"{len(failures) + left} of {sent} records were not taken: "
            f"{failures[0] if failures else refused(to) or 'no acknowledgement in time'}"
        )
    return sent


def _require_topic(to: Producer, kafka_servers: str, topic: str) -> None:
    try:
        known = to.list_topics(topic, timeout=CONNECT_TIMEOUT_S).topics[topic]
    except KafkaException:
        why = refused(to) or f"no Kafka answers at {kafka_servers}"
        raise ProduceError(why) from None
    if known.error is not None and is_forbidden(known.error):
        raise ProduceError(f"{topic}: {explained(to, known.error)}")
    if known.error is not None:
        raise ProduceError(f"Kafka at {kafka_servers} has no topic {topic}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: all sent; 1: Kafka refused; 2: wrong arguments or no such file."""
    parser = argparse.ArgumentParser(prog="./dev produce", description=__doc__)
    parser.add_argument("file", help="JSON lines; - for standard input")
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    parser.add_argument("--topic", default="transactions")
    options = parser.parse_args(arguments)
    checked(parser, options.kafka)
    try:
        if options.file == "-":
            sent = produce(lines(sys.stdin.buffer), options.kafka, options.topic)
        else:
            with Path(options.file).open("rb") as file:
                sent = produce(lines(file), options.kafka, options.topic)
    except OSError as failure:
        print(f"produce: {options.file}: {failure.strerror}", file=sys.stderr)
        return 2
    except ProduceError as failure:
        print(f"produce: {failure}", file=sys.stderr)
        return 1
    print(f"{sent} events sent to {options.topic}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
