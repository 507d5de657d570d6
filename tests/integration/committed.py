"""The committed records of a topic, as they are now."""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import Consumer, Message, TopicPartition


def committed(kafka: str, topic: str, newest: int | None = None) -> Iterator[Message]:
    """Every record; or those at the last `newest` offsets of each kafka partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "tests",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        places = [
            TopicPartition(topic, number, 0)
            for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ]
        if newest is not None:
            for place in places:
                _, end = consumer.get_watermark_offsets(place, timeout=10)
                place.offset = max(0, end - newest)
        consumer.assign(places)
        ended: set[int | None] = set()
        while len(ended) < len(places):
            message = consumer.poll(30)
            assert message is not None, f"{topic} could not be read"
            if message.error() is not None:
                ended.add(message.partition())
            else:
                yield message
    finally:
        consumer.close()
