"""Which raw records' accounts were erased, and by which pseudonyms they are told now."""

from __future__ import annotations

from collections.abc import Iterable

from stream_jobs.events.entries import RECEIVED
from stream_jobs.events.erased_rows import ACCOUNT, COUNTERPARTY, ErasedRows, of_value
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.reader import read


def renamed(
    kafka_servers: str, topic: str, offsets: KafkaOffsets
) -> dict[tuple[int, int], tuple[str, str]]:
    """By raw partition and offset the pseudonyms of sender and receiver, empty where the id stands."""
    records = read(kafka_servers, topic, offsets.starts(topic), offsets.stable_ends(topic))
    return of_records(of_value(record.value or b"") for record in records)


def of_records(records: Iterable[ErasedRows]) -> dict[tuple[int, int], tuple[str, str]]:
    """The same, of what was read."""
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for record in records:
        for row in record.rows:
            place = (row.partition, row.offset)
            payer, payee = found.get(place, ("", ""))
            received = row.direction == RECEIVED
            if row.sides & (COUNTERPARTY if received else ACCOUNT):
                payer = record.pseudonym
            if row.sides & (ACCOUNT if received else COUNTERPARTY):
                payee = record.pseudonym
            found[place] = payer, payee
    return found
