"""Records as Parquet and back: each as Kafka has it, byte for byte, and beside it what it says, in columns of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stream_jobs.archive.layout import Part
from stream_jobs.audit.outcomes import parsed
from stream_jobs.audit.readers import Record
from stream_jobs.topics.names import Names

AMOUNT: Final = pa.decimal128(38, 8)
_HEADERS: Final = pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))
EXACT: Final = pa.schema(
    [
        ("offset", pa.int64()),
        ("time", pa.timestamp("ms", "UTC")),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", _HEADERS),
    ]
)
"""What a record is; `time` is the timestamp that Kafka has of it, in milliseconds."""
_SOURCE: Final = [("kafka_partition", pa.int32()), ("kafka_offset", pa.int64())]
ENTRY: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("account_id", "counterparty_id", "direction")),
        ("transaction_id", pa.string()),
        ("amount", AMOUNT),
        ("event_time_ms", pa.int64()),
        *((name, pa.string()) for name in ("kind", "reverses")),
        *_SOURCE,
    ]
)
"""What an entry says, named as in Pinot's table; empty where a record is none."""
_REJECTED: Final = pa.schema([("reason", pa.string()), *_SOURCE])
_UNCOUNTED: Final = pa.schema([("outcome", pa.string()), ("transaction_id", pa.string()), *_SOURCE])
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,29}(?:\.[0-9]{1,8})?").fullmatch
# Of what the file covers, beside its name.
FROM, TO, LOST, ERASED = b"from", b"to", b"lost", b"erased"


def says(names: Names) -> dict[str, pa.Schema]:
    """By topic, what is told in columns of its own."""
    return {
        names.transactions_topic: pa.schema([]),
        names.entries_topic: ENTRY,
        names.rejected_topic: _REJECTED,
        names.uncounted_topic: _UNCOUNTED,
    }


def packed(part: Part, records: Sequence[Record], said: pa.Schema, erased: int = 0) -> bytes:
    """The file of some records of one kafka partition, in their order; `erased` of them are not as Kafka had them."""
    columns: list[list[Any]] = [
        [each.offset for each in records],
        [each.time_ms for each in records],
        [each.key for each in records],
        [each.value for each in records],
        [_headers(each) for each in records],
    ]
    if len(said):
        bodies = [parsed(each.value) for each in records]
        columns += [[_cell(body.get(field.name), field.type) for body in bodies] for field in said]
    schema = pa.unify_schemas([EXACT, said])
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    more = {ERASED: str(erased).encode()} if erased else {}
    return _written(part, pa.table(arrays, schema=schema), more)


def lost(part: Part, said: pa.Schema) -> bytes:
    """A file without records, of offsets that Kafka deleted before they were read."""
    return _written(part, pa.unify_schemas([EXACT, said]).empty_table(), {LOST: b"1"})


def records_of(part: Part, table: pa.Table) -> Iterator[Record]:
    """The records of a file, or of some rows of it."""
    exact = [table.column(name) for name in EXACT.names]
    exact[1] = exact[1].cast(pa.int64())
    for offset, time_ms, key, value, headers in zip(
        *(column.to_pylist() for column in exact), strict=True
    ):
        told = None if headers is None else [(each["name"], each["value"]) for each in headers]
        yield Record(part.topic, part.partition, offset, time_ms, key, value, told)


def _written(part: Part, table: pa.Table, more: Mapping[bytes, bytes]) -> bytes:
    covered = {FROM: str(part.start).encode(), TO: str(part.end).encode(), **more}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(covered), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _headers(record: Record) -> list[dict[str, Any]] | None:
    if record.headers is None:
        return None
    return [{"name": name, "value": value} for name, value in record.headers]


def _cell(value: object, kind: pa.DataType) -> Any:
    """A value of its column's type; None where the record says something else."""
    if kind == AMOUNT:
        return Decimal(value) if isinstance(value, str) and _PLAIN_DECIMAL(value) else None
    if pa.types.is_integer(kind):
        fits = type(value) is int and -(2 ** (kind.bit_width - 1)) <= value < 2 ** (
            kind.bit_width - 1
        )
        return value if fits else None
    return value if type(value) is str else None
