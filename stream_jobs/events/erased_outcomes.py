"""That archived outcomes tell a pseudonym now in place of an erased account's id: the records of `erased-outcomes`; pure.

Whoever has the hash of an outcome as it was, and all of it but the id, could try ids out: so these records, too, are
kept no longer than the raw ones, which hold the id itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

# Well below what Kafka takes.
OUTCOMES_A_RECORD: Final = 5_000


class ErasedOutcome(NamedTuple):
    """One outcome of a raw record, by the hash of what it said, and of what it says now."""

    partition: int
    offset: int
    was: int
    now: int


@dataclass(frozen=True, slots=True)
class ErasedOutcomes:
    """Some outcomes that tell one pseudonym now."""

    pseudonym: str
    outcomes: Sequence[ErasedOutcome]


def values(
    pseudonym: str, outcomes: Iterable[ErasedOutcome], starts: Mapping[int, int]
) -> Iterator[bytes]:
    """The records that say so, of raw records from `starts` on: what Kafka no longer has nobody compares."""
    told = [[*each] for each in outcomes if each.offset >= starts.get(each.partition, 0)]
    for first in range(0, len(told), OUTCOMES_A_RECORD):
        some = told[first : first + OUTCOMES_A_RECORD]
        yield orjson.dumps({"pseudonym": pseudonym, "outcomes": some})


def of_value(record: bytes) -> ErasedOutcomes:
    """What a record says."""
    told = orjson.loads(record)
    return ErasedOutcomes(told["pseudonym"], [ErasedOutcome(*each) for each in told["outcomes"]])
