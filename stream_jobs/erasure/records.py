"""What is written of erasures to Kafka, without the id: that they were done, and which rows they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import orjson

from stream_jobs.audit.sums import HOUR_MS, Row
from stream_jobs.events import erased_outcomes
from stream_jobs.events.erased_outcomes import ErasedOutcome
from stream_jobs.events.erased_rows import (
    ACCOUNT,
    COUNTERPARTY,
    ROWS_A_RECORD,
    ErasedRow,
    ErasedRows,
    value,
)
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import Names
from stream_jobs.topics.producer import producer_to, publish
from stream_jobs.topics.reader import read


class Stage(StrEnum):
    """How far an erasure is."""

    BEGUN = "BEGUN"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Erasure:
    """That an account was erased; `left` are rows by table that came meanwhile, `tag` is its id's (events/erased_accounts.py)."""

    pseudonym: str
    tag: str
    state: Stage
    at_ms: int
    by: str
    rows: Mapping[str, int]
    left: Mapping[str, int]
    segments: int


def erased_row(row: Row, account_id: str, pseudonym: str) -> ErasedRow:
    """What of a row changes when the pseudonym takes the id's place."""
    account = pseudonym if row.account_id == account_id else row.account_id
    other = pseudonym if row.counterparty_id == account_id else row.counterparty_id
    sides = ACCOUNT * (account != row.account_id) + COUNTERPARTY * (other != row.counterparty_id)
    changed = row._replace(account_id=account, counterparty_id=other)
    hour_ms = row.time_ms - row.time_ms % HOUR_MS
    where = (row.partition, row.offset, hour_ms, row.direction)
    return ErasedRow(*where, sides, changed.mix - row.mix)


class KafkaRecords:
    """The topics of one cluster that are written to."""

    def __init__(self, kafka_servers: str, names: Names) -> None:
        self._kafka_servers = kafka_servers
        self._names = names
        self._offsets = KafkaOffsets(kafka_servers, names.group)
        self._producer = producer_to(kafka_servers)

    def pseudonyms(self) -> frozenset[str]:
        """Those that were given."""
        topic = self._names.erasures_topic
        starts, ends = self._offsets.starts(topic), self._offsets.stable_ends(topic)
        records = read(self._kafka_servers, topic, starts, ends)
        return frozenset(orjson.loads(each.value or b"{}")["pseudonym"] for each in records)

    def write(self, erasure: Erasure) -> None:
        """Raises PublishError or KafkaException."""
        publish(self._producer, self._names.erasures_topic, orjson.dumps(asdict(erasure)))

    def write_rows(self, pseudonym: str, segment: str, rows: Sequence[ErasedRow]) -> None:
        """Raises PublishError or KafkaException."""
        for first in range(0, len(rows), ROWS_A_RECORD):
            some = ErasedRows(pseudonym, segment, rows[first : first + ROWS_A_RECORD])
            publish(self._producer, self._names.erased_rows_topic, value(some))

    def write_outcomes(self, pseudonym: str, outcomes: Sequence[ErasedOutcome]) -> None:
        """Raises KafkaOffsetsError, PublishError or KafkaException."""
        starts = self._offsets.starts(self._names.transactions_topic)
        for each in erased_outcomes.values(pseudonym, outcomes, starts):
            publish(self._producer, self._names.erased_outcomes_topic, each)
