"""That rows of Pinot tell a pseudonym now in place of an erased account's id: the records of `erased-rows`; pure.

`mix` is what the content hash of a row (audit/sums.py) has gained by it. Whoever has that and the row could try ids out,
so these records are kept no longer than the raw ones, which hold the id itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

ACCOUNT, COUNTERPARTY, BOTH = 1, 2, 3
ROWS_A_RECORD: Final = 5_000


class ErasedRow(NamedTuple):
    """One row, by the raw record and the direction; `sides` says of whom the id was."""

    partition: int
    offset: int
    hour_ms: int
    direction: str
    sides: int
    mix: int


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """Some rows of one segment, which change together when it is replaced."""

    pseudonym: str
    segment: str
    rows: Sequence[ErasedRow]


def value(erased: ErasedRows) -> bytes:
    """The record that says so; of at most `ROWS_A_RECORD` rows it is well below what Kafka takes."""
    rows = [(*row[:-1], str(row.mix)) for row in erased.rows]
    return orjson.dumps({"pseudonym": erased.pseudonym, "segment": erased.segment, "rows": rows})


def of_value(record: bytes) -> ErasedRows:
    """What a record says."""
    told = orjson.loads(record)
    rows = [ErasedRow(*row)._replace(mix=int(row[-1])) for row in told["rows"]]
    return ErasedRows(told["pseudonym"], told["segment"], rows)
