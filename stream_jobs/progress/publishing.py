"""What the tracker writes to Kafka: heartbeats, whose append says what time it is, and records of what is proven.

Flink's Kafka source commits offsets in the thread that polls, and a poll that finds nothing lasts 10 s: without
heartbeats a quiet topic would be known to be finished 10 s late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_jobs.progress.row_counts import Docs
from stream_jobs.progress.tracker import LOST_REJECTED, Progress
from stream_jobs.topics.clients import explained, heard, is_forbidden
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Gap
from stream_jobs.topics.producer import PUBLISH_TIMEOUT_S, PublishError, publish
from stream_jobs.topics.reader import last_record

HEARTBEAT_S = 0.05
MORE_THAN_ANY = 10**13
LOOK_FOR_PARTITIONS_EVERY = 50  # heartbeats


def record_value(progress: Progress, recorded_at_ms: int) -> bytes:
    """The record of `pipeline-progress`; `entry_docs` is JSON text, which Pinot keeps as a string.

    More rows than there can be are asked of what lost some, so that the gateway refuses it. `served`, `begins` and
    `empty` are for the tracker that comes after this one; Pinot has no columns for them.
    """
    docs, lost = progress.docs, progress.lost
    entries = [
        MORE_THAN_ANY if number in lost else rows for number, rows in enumerate(docs.entries)
    ]
    value = {
        "as_of_ms": progress.as_of_ms,
        "entry_docs": _json(entries),
        "shared_docs": docs.shared,
        "rejected_docs": MORE_THAN_ANY if LOST_REJECTED in lost else docs.rejected,
        "erasures": progress.erasures,
        "entry_in_memory": _json(docs.in_memory) if docs.in_memory else "",
        "recorded_at_ms": recorded_at_ms,
        "served": [docs.entries, docs.rejected],
        "begins": {topic: dict(begins) for topic, begins in progress.begins.items()},
        "empty": {
            topic: {partition: [gap.start, gap.end] for partition, gap in gaps.items()}
            for topic, gaps in progress.empty.items()
        },
    }
    return _json(value).encode()


def progress_of(value: Mapping[str, Any]) -> Progress:
    """What a record says; one of an older version says less."""
    entries, rejected = value.get("served") or (
        json.loads(value["entry_docs"]),
        value["rejected_docs"],
    )
    empty = {
        topic: {int(partition): Gap(*gap) for partition, gap in gaps.items()}
        for topic, gaps in value.get("empty", {}).items()
    }
    docs = Docs(tuple(entries), rejected, value.get("shared_docs", 0))
    begins = {
        topic: {int(partition): start for partition, start in of.items()}
        for topic, of in value.get("begins", {}).items()
    }
    erasures = value.get("erasures", 0)
    return Progress(value["as_of_ms"], docs, empty, begins=begins, erasures=erasures)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class Publisher(Protocol):
    """Where the process writes to."""

    def heartbeat(self) -> int | None:
        """An instant, in milliseconds, that no broker's clock had passed before this call; None: not known yet."""

    def publish(self, progress: Progress) -> None:
        """One record of `pipeline-progress`, acknowledged."""


class KafkaPublisher:
    """A `Publisher` to a real cluster; `recorded_at_ms` is that of the last record there is.

    Heartbeats go by `producer`, whoever else beats: an instant is no less true for it. What is proven goes by `send`, if
    there is one, which publishes as the only one.
    """

    def __init__(
        self,
        producer: Producer,
        names: Names,
        clock_ms: Callable[[], int],
        recorded_at_ms: int = 0,
        send: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._producer = producer
        self._send = send or partial(publish, producer, partition=0)
        self._names = names
        self._clock_ms = clock_ms
        self._recorded_at_ms = recorded_at_ms
        self._appended_ms: dict[int, int | None] = {}
        self._beats = 0
        self._forbidden: KafkaError | None = None

    def heartbeat(self) -> int | None:
        """One empty record into every kafka partition of `pipeline-heartbeat`; the next stands in for a lost one.

        The topic's records carry the time of their append. Of the newest ones that are acknowledged, and of the
        tracker's own clock, the earliest counts: a clock that is ahead, of a broker or here, promises nothing.
        """
        topic = self._names.heartbeat_topic
        if self._beats % LOOK_FOR_PARTITIONS_EVERY == 0 or not self._appended_ms:
            partitions = self._partitions(topic)
            self._appended_ms = {each: self._appended_ms.get(each) for each in partitions}
        self._beats += 1
        now_ms = self._clock_ms()
        for partition in self._appended_ms:
            self._producer.produce(
                topic, b"", partition=partition, on_delivery=partial(self._appended, partition)
            )
        self._producer.flush(HEARTBEAT_S)
        appended = [at_ms for at_ms in self._appended_ms.values() if at_ms is not None]
        if not appended or len(appended) < len(self._appended_ms):
            self._tell_refusal(topic)
            return None
        return min(now_ms, *appended)

    def _partitions(self, topic: str) -> Iterable[int]:
        try:
            known = self._producer.list_topics(timeout=PUBLISH_TIMEOUT_S).topics.get(topic)
        except KafkaException as failure:
            raise PublishError(f"{topic}: {explained(self._producer, failure)}") from None
        return known.partitions if known is not None else ()

    def _tell_refusal(self, topic: str) -> None:
        """Raise PublishError if a heartbeat was not merely late."""
        if self._forbidden is not None:
            raise PublishError(f"{topic}: {explained(self._producer, self._forbidden)}")
        if why := heard(self._producer):
            raise PublishError(f"{topic}: {why}")

    def publish(self, progress: Progress) -> None:
        """Raises PublishError if Kafka does not acknowledge within 5 s.

        `recorded_at_ms` always rises, from what stands in the topic on: readers take the newest by it.
        """
        self._recorded_at_ms = max(self._clock_ms(), self._recorded_at_ms + 1)
        self._send(self._names.progress_topic, record_value(progress, self._recorded_at_ms))

    def _appended(self, partition: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._appended_ms[partition], self._forbidden = message.timestamp()[1], None
        elif is_forbidden(error):
            self._appended_ms[partition], self._forbidden = None, error


def last_published(kafka_servers: str, names: Names) -> tuple[Progress | None, int]:
    """The newest record of `pipeline-progress` and when it was recorded, whoever wrote it; None and 0 without one."""
    offsets = KafkaOffsets(kafka_servers, names.group)
    record = last_record(kafka_servers, offsets, names.progress_topic)
    if record is None:
        return None, 0
    value = json.loads(record.value or b"{}")
    return progress_of(value), value["recorded_at_ms"]
