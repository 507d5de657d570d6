"""Archived records into a topic that is empty: the same bytes, in the same order within each kafka partition, once.

How far it is stands in Kafka, as offsets of a consumer group of its own, committed in the transactions that hold the
records. So it may be ended at any moment and begun again, and goes on later with what was archived since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from stream_jobs.archive.layout import Part
from stream_jobs.archive.reading import read
from stream_jobs.archive.store import Store
from stream_jobs.audit.readers import Record
from stream_jobs.topics.clients import consumer, explained, producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.murmur2 import partition_of_key
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Gap, Offsets

RECORDS_A_TRANSACTION: Final = 5_000
KAFKA_TIMEOUT_S: Final = 60.0
# Of transactions.yaml's message.timestamp.before.max.ms.
_TOO_OLD: Final = "takes no timestamps as old as the archived ones: set message.timestamp.before.max.ms of it higher"


class FillError(Exception):
    """The topic cannot be filled; the message says why. What is there stays, and is not filled twice."""


def batches(store: Store, topic: str, starts: Offsets) -> Iterator[tuple[Part, int, list[Record]]]:
    """Records from each kafka partition's offset on, a file's worth of each in turn, and the offset behind them."""
    left = {p: _of_partition(store, topic, p, starts.get(p, 0)) for p in store.partitions(topic)}
    while left:
        for partition in list(left):
            found = next(left[partition], None)
            if found is None:
                del left[partition]
            else:
                yield found


def _of_partition(
    store: Store, topic: str, partition: int, start: int
) -> Iterator[tuple[Part, int, list[Record]]]:
    for part, _, records in read(store, topic, partition, start, RECORDS_A_TRANSACTION):
        yield part, records[-1].offset + 1, records


class Filler:
    """Fills one topic of the pipeline of `names`. A later filler of that pipeline ends an earlier one.

    `by_key`: records stand where Pinot looks for their key, of however many partitions; else where they stood.
    """

    def __init__(
        self,
        kafka_servers: str,
        store: Store,
        source: str,
        target: str,
        names: Names,
        *,
        by_key: bool,
    ) -> None:
        self._store = store
        self._source = source
        self._target = target
        self._by_key = by_key
        self._group = f"{names.group}-fill"
        kafka = KafkaOffsets(kafka_servers, self._group)
        self._partitions = len(kafka.ends(target))
        self._producer = producer(
            kafka_servers,
            {
                "transactional.id": f"{names.job}-fill",
                "compression.type": "lz4",
                "linger.ms": 50,
                "message.max.bytes": 4_194_304,
            },
        )
        self._carefully(lambda: self._producer.init_transactions(KAFKA_TIMEOUT_S))
        # Not before: of an earlier filler what is under way is decided only now.
        self._begin = kafka.group_offsets(target)
        self._archived = 1 + max(store.partitions(source), default=-1)
        self._refuse_other(kafka)
        told = {"group.id": self._group, "enable.auto.commit": False}
        self._member = consumer(kafka_servers, told)

    def run(self, tell: Callable[[Part, int], None]) -> int:
        """All that is archived and not there yet; how many records that were. `tell` hears of each transaction.

        Raises FillError.
        """
        count = 0
        try:
            for part, end, records in batches(self._store, self._source, self._begin):
                self._carefully(lambda: self._transaction(part.partition, end, records))  # noqa: B023 - done before the next
                count += len(records)
                tell(part, count)
        finally:
            self._member.close()
        return count

    def _refuse_other(self, kafka: KafkaOffsets) -> None:
        ends = kafka.stable_ends(self._target)
        gaps = {partition: Gap(0, end) for partition, end in ends.items() if end}
        # What a filler left that was killed before its first transaction is no record.
        found = kafka.first_records(self._target, gaps) if gaps and not self._begin else {}
        if any(offset is not None for offset in found.values()):
            raise FillError(
                f"{self._target} is not empty, and was not filled from an archive, or so long ago that Kafka has "
                f"forgotten how far (group {self._group}): fill a new topic"
            )
        if self._archived > self._partitions:
            raise FillError(
                f"{self._target} has {self._partitions} partitions, and {self._source} was archived of {self._archived}: "
                "give it as many or more"
            )

    def _transaction(self, source: int, end: int, records: list[Record]) -> None:
        failed: list[KafkaError] = []

        def note(error: KafkaError | None, _message: object) -> None:
            if error is not None:
                failed.append(error)

        to = self._producer
        to.begin_transaction()
        for each in records:
            to.produce(
                self._target,
                each.value,
                each.key,
                self._partition(each),
                timestamp=max(0, each.time_ms),
                headers=[*(each.headers or [])],
                on_delivery=note,
            )
            to.poll(0)
        told = [TopicPartition(self._target, source, end)]
        to.send_offsets_to_transaction(told, self._member.consumer_group_metadata())
        try:
            to.commit_transaction(KAFKA_TIMEOUT_S)
        except KafkaException:
            if any(error.code() == KafkaError.INVALID_TIMESTAMP for error in failed):
                raise FillError(f"{self._target} {_TOO_OLD}") from None
            raise

    def _partition(self, record: Record) -> int:
        if not self._by_key or record.key is None:
            return record.partition
        return partition_of_key(record.key, self._partitions)

    def _carefully(self, step: Callable[[], None]) -> None:
        try:
            step()
        except KafkaException as failure:
            raise FillError(
                f"Kafka refused: {explained(self._producer, failure)}. If another fill was begun, it "
                "goes on in this one's place; otherwise repeat the command: it goes on where this one was"
            ) from None
