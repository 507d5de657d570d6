"""Archived records of a kafka partition in the order of their offsets, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from stream_jobs.archive.columns import ERASED, records_of
from stream_jobs.archive.layout import Part
from stream_jobs.archive.store import Store
from stream_jobs.audit.readers import Record


def read(
    store: Store, topic: str, partition: int, start: int, rows: int
) -> Iterator[tuple[Part, bool, list[Record]]]:
    """From an offset on, up to so many of a file at once; whether the file was rewritten by an erasure."""
    for part in store.parts(topic, partition):
        if part.end <= start:
            continue
        with store.open(part) as file:
            opened = pq.ParquetFile(file)
            erased = ERASED in (opened.schema_arrow.metadata or {})
            for batch in opened.iter_batches(rows):
                table = pa.Table.from_batches([batch])
                records = [each for each in records_of(part, table) if each.offset >= start]
                if records:
                    yield part, erased, records
