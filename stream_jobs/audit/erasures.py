"""Follows `erased-rows`: what erasures have announced goes into the audit's file."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from stream_jobs.audit.state import State
from stream_jobs.events.erased_rows import of_value
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.reader import read

# Each has up to some thousand rows.
RECORDS_AT_ONCE: Final = 20


class Erasures:
    """Reads on where the file says, with the thread that has opened it."""

    def __init__(self, kafka_servers: str, topic: str, offsets: KafkaOffsets, state: State) -> None:
        self._kafka_servers = kafka_servers
        self._topic = topic
        self._offsets = offsets
        self._state = state

    def take(self, clock_ms: Callable[[], int]) -> None:
        """What is new. Raises KafkaOffsetsError if Kafka does not tell."""
        ends = self._offsets.stable_ends(self._topic)
        begin = self._state.number("erased_to")
        if ends[0] <= begin:
            return
        starts = {0: max(begin, self._offsets.starts(self._topic)[0])}
        records = read(self._kafka_servers, self._topic, starts, ends)
        while some := list(islice(records, RECORDS_AT_ONCE)):
            told = [(each.offset, of_value(each.value or b"")) for each in some]
            self._state.take_erased(told, some[-1].offset + 1, clock_ms())
