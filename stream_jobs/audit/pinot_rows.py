"""The entries of one interval, read from Kafka again, as the rows that Pinot should have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from stream_jobs.audit.intervals import start_of
from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.rows import Malformed, id_text, parsed_entry
from stream_jobs.audit.state import State
from stream_jobs.topic_reader import read

# An interval's entries may lie far apart if some came late: more than this is not read again.
MAX_RECORDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EntriesInKafka:
    """Called with an interval's start; None if its entries lie too far apart."""

    kafka_servers: str
    topic: str
    state: State

    def __call__(self, interval_ms: int) -> Counter[Row] | None:
        offsets = self.state.intervals.offsets(interval_ms)
        if sum(last - first for first, last in offsets.values()) > MAX_RECORDS:
            return None
        starts = {partition: first for partition, (first, _) in offsets.items()}
        ends = {partition: last + 1 for partition, (_, last) in offsets.items()}
        rows: Counter[Row] = Counter()
        for record in read(self.kafka_servers, self.topic, starts, ends):
            parsed = parsed_entry(record.value, record.partition, 0, record.time_ms)
            if isinstance(parsed, Malformed):
                continue
            id_, entry = parsed
            transfer = entry.transfer
            if start_of(transfer.time_ms) != interval_ms:
                continue
            row = Row(
                record.partition,
                transfer.account_id(entry.direction),
                transfer.counterparty_id(entry.direction),
                entry.direction,
                id_text(id_),
                transfer.amount,
                transfer.time_ms,
                transfer.kind,
                transfer.reverses,
            )
            rows[row] += 1
        return rows
