"""The rows that raw records would leave, judged once more: what a difference in an old hour is explained by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from stream_jobs.audit.expected import Expected
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Row, rows_of
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.reader import read

MAX_RECORDS: Final = 2_000_000


class RawRows:
    """Reads the raw topic again between two offsets."""

    def __init__(
        self, kafka_servers: str, topic: str, offsets: KafkaOffsets, rules: EventRules
    ) -> None:
        self._kafka_servers = kafka_servers
        self._topic = topic
        self._offsets = offsets
        self._rules = rules

    def __call__(self, hour_ms: int, stretches: Sequence[Stretch]) -> Counter[Row] | None:
        """The rows of an hour; None if Kafka no longer has the records, or they are too many."""
        first = self._offsets.starts(self._topic)
        gone = any(first.get(each.partition, 0) > each.start for each in stretches)
        if gone or sum(each.end - each.start for each in stretches) > MAX_RECORDS:
            return None
        starts = {each.partition: each.start for each in stretches}
        ends = {each.partition: each.end for each in stretches}
        found: Counter[Row] = Counter()
        for record in read(self._kafka_servers, self._topic, starts, ends):
            expected = Expected(
                record.value, record.partition, record.offset, record.time_ms, self._rules
            )
            if expected.event is not None:
                found.update(row for row in rows_of(expected) if row.cell.hour_ms == hour_ms)
        return found
