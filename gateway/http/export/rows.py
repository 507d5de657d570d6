"""Transactions as lines of a file: each with the cursor that goes on behind it, and whether others follow.

So each line says the same things in both formats, none of them is of another kind, and the last one of
a file tells whether the list is whole, wherever the file came from.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from gateway.execution.outcome import encode
from graphql_schema.scalars import serialize_datetime, serialize_decimal
from graphql_schema.transactions import Transaction

Row = dict[str, Any]

FIELDS = (
    *("transactionId", "kind", "reverses", "time", "direction", "counterpartyId", "amount"),
    *("cursor", "hasNext"),
)
"""Of a row, in this order; all but the last two are those of GraphQL's `Transaction`."""


class Format(NamedTuple):
    """How rows are written: `write` gives the bytes of some of them, `head` what stands before the first."""

    name: str
    media_type: str
    content_type: bytes
    head: bytes
    write: Callable[[Iterable[Row]], bytes]


def row_of(found: Transaction, cursor: str, *, has_next: bool) -> Row:
    """A transaction as GraphQL tells it, with its place: amounts are decimal strings, times RFC 3339."""
    return {
        "transactionId": found.transaction_id,
        "kind": found.kind.value,
        "reverses": found.reverses,
        "time": serialize_datetime(found.time),
        "direction": found.direction.value,
        "counterpartyId": found.counterparty_id,
        "amount": serialize_decimal(found.amount),
        "cursor": cursor,
        "hasNext": has_next,
    }


def _ndjson(rows: Iterable[Row]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    """RFC 4180, with every field in quotes: an id is written as it is, whatever it begins with."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _fields(row: Row) -> list[str]:
    *told, has_next = (row[name] for name in FIELDS)
    return [*(each or "" for each in told), "true" if has_next else "false"]


NDJSON = Format("ndjson", "application/x-ndjson", b"application/x-ndjson", b"", _ndjson)
CSV = Format(
    "csv",
    "text/csv",
    b"text/csv; charset=utf-8; header=present",
    _csv([FIELDS]),
    lambda rows: _csv(map(_fields, rows)),
)
FORMATS = (NDJSON, CSV)
