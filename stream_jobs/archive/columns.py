"""Records as Parquet and back: each as Kafka has it, byte for byte, and beside it what it says, in columns of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    schema = pa.unify_schemas([EXACT, said])
    columns: list[list[Any]] = [[] for _ in schema]
    exact, told = columns[: len(EXACT)], columns[len(EXACT) :]
    for each in records:
        cells = (each.offset, each.time_ms, each.key, each.value, _headers(each))
        for column, cell in zip(exact, cells, strict=True):
            column.append(cell)
        body = parsed(each.value) if told else {}
        for column, field in zip(told, said, strict=True):
            column.append(_CELLS[field.type](body.get(field.name)))
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


def _amount(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and _PLAIN_DECIMAL(value) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _int32(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _int64(value: object) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


# A value of its column's type; None where the record says something else.
_CELLS: Final[Mapping[pa.DataType, Callable[[object], Any]]] = {
    AMOUNT: _amount,
    pa.string(): _text,
    pa.int32(): _int32,
    pa.int64(): _int64,
}
