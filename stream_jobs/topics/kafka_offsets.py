"""Where Kafka's topics end, what the job has committed, and whether a gap between offsets is empty."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined] # re-exported

from stream_jobs.topics.clients import admin, consumer, explained
from stream_jobs.topics.offsets import Gap, Offsets

TIMEOUT_S = 5.0
PARTITIONS_KNOWN_S = 2.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]


class KafkaOffsetsError(Exception):
    """Kafka did not answer in time, or not with what was asked for."""


class KafkaOffsets:
    """Reads offsets of one cluster and of one consumer group; writes nothing, joins nothing."""

    def __init__(
        self,
        kafka_servers: str,
        consumer_group: str,
        partitions_known_s: float = PARTITIONS_KNOWN_S,
    ) -> None:
        self._partitions_known_s = partitions_known_s
        self._kafka_servers = kafka_servers
        self._admin = admin(kafka_servers)
        # Not AdminClient.list_consumer_group_offsets: librdkafka 2.16 crashes in it while the group's
        # coordinator moves (confluent-kafka-javascript #374).
        self._group = consumer(
            kafka_servers, {"group.id": consumer_group, "enable.auto.commit": False}
        )
        self._reader = consumer(
            kafka_servers,
            {
                "group.id": f"{consumer_group}-gaps",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "max.partition.fetch.bytes": 16384,
                "fetch.wait.max.ms": 10,
                "fetch.queue.backoff.ms": 10,
            },
        )
        self._partition_counts: dict[str, tuple[float, int]] = {}

    def starts(self, topic: str) -> Offsets:
        """The first offset that every kafka partition still has."""
        return self._listed(topic, _EARLIEST, IsolationLevel.READ_UNCOMMITTED)

    def ends(self, topic: str) -> Offsets:
        """The high watermark of every kafka partition: behind the last record, decided or not."""
        return self._listed(topic, _LATEST, IsolationLevel.READ_UNCOMMITTED)

    def stable_ends(self, topic: str) -> Offsets:
        """The last stable offset of every kafka partition: every transaction below it is decided."""
        return self._listed(topic, _LATEST, IsolationLevel.READ_COMMITTED)

    def committed(self, topic: str) -> Offsets:
        """The group's committed offset of every kafka partition; where there is none, the log's start."""
        offsets = self.group_offsets(topic)
        if len(offsets) < self._partitions(topic):
            offsets = {**self.starts(topic), **offsets}
        return offsets

    def group_offsets(self, topic: str) -> Offsets:
        """The group's committed offset of every kafka partition that it has committed one of."""
        asked = [TopicPartition(topic, partition) for partition in range(self._partitions(topic))]
        try:
            answers = self._group.committed(asked, timeout=TIMEOUT_S)
        except KafkaException as failure:
            why = explained(self._group, failure)
            raise KafkaOffsetsError(f"committed offsets of {topic}: {why}") from None
        for answer in answers:
            if answer.error is not None:
                why = explained(self._group, answer.error)
                raise KafkaOffsetsError(f"committed offsets of {topic}: {why}")
        return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        """Per kafka partition the offset of the first committed record in its gap, None if there is none.

        Every gap must end at or below the last stable offset.
        """
        self._reader.assign([TopicPartition(topic, p, gap.start) for p, gap in gaps.items()])
        try:
            return self._read_gaps(topic, gaps)
        finally:
            self._reader.unassign()

    def _read_gaps(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        found: dict[int, int | None] = {}
        give_up_at = time.monotonic() + TIMEOUT_S
        while len(found) < len(gaps):
            message = self._reader.poll(0.2)
            if time.monotonic() > give_up_at:
                raise KafkaOffsetsError(f"{topic}: the gaps {dict(gaps)} could not be read in time")
            if message is None:
                continue
            error, partition, offset = message.error(), message.partition(), message.offset()
            at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
            if error is not None and not at_end:
                raise KafkaOffsetsError(f"{topic}: {explained(self._reader, error)}")
            if message.topic() != topic or partition is None or offset is None:
                continue
            if offset >= gaps[partition].end:
                found.setdefault(partition, None)
            elif not at_end:
                found.setdefault(partition, offset)
        return found

    def _listed(self, topic: str, spec: OffsetSpec, isolation_level: IsolationLevel) -> Offsets:
        request = {
            TopicPartition(topic, partition): spec for partition in range(self._partitions(topic))
        }
        answers: Mapping[TopicPartition, Any] = self._admin.list_offsets(
            request, isolation_level=isolation_level, request_timeout=TIMEOUT_S
        )
        try:
            return {
                asked.partition: answer.result(timeout=TIMEOUT_S).offset
                for asked, answer in answers.items()
            }
        except (KafkaException, TimeoutError) as failure:
            why = explained(self._admin, failure)
            # A restarted broker has a new leader epoch; librdkafka's ListOffsets would go on sending the
            # cached one and be refused (FENCED_LEADER_EPOCH) until its metadata is refreshed, minutes later.
            self._admin = admin(self._kafka_servers)
            raise KafkaOffsetsError(f"offsets of {topic}: {why}") from None

    def at_time(self, topic: str, time_ms: int) -> Offsets:
        """The first offset of every kafka partition whose record has this timestamp or a later one, else its end."""
        spec = OffsetSpec.for_timestamp(time_ms)
        found = self._listed(topic, spec, IsolationLevel.READ_UNCOMMITTED)
        ends = self.ends(topic)
        return {
            partition: offset if offset >= 0 else ends[partition]
            for partition, offset in found.items()
        }

    def _partitions(self, topic: str) -> int:
        """How many there are; looked up anew, since partitions may be added at any time."""
        asked_s, known = self._partition_counts.get(topic, (-self._partitions_known_s, 0))
        if time.monotonic() - asked_s < self._partitions_known_s:
            return known
        try:
            found = self._reader.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
        except KafkaException as failure:
            why = explained(self._reader, failure)
            raise KafkaOffsetsError(f"topic {topic}: {why}") from None
        if found.error is not None or not found.partitions:
            raise KafkaOffsetsError(f"topic {topic}: {explained(self._reader, found.error)}")
        self._partition_counts[topic] = time.monotonic(), len(found.partitions)
        return len(found.partitions)
