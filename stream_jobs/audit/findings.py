"""What the audit found wrong: a closed list of kinds, and one value for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """What was compared with what stands before it."""

    ENTRIES = "ENTRIES"
    PINOT = "PINOT"


class Kind(StrEnum):
    """What is wrong; closed: adding one is a change of the API."""

    LOST = "LOST"
    LOST_SIDE = "LOST_SIDE"
    DOUBLED = "DOUBLED"
    CHANGED = "CHANGED"
    UNKNOWN = "UNKNOWN"
    MISPLACED = "MISPLACED"
    MALFORMED = "MALFORMED"
    UNBALANCED = "UNBALANCED"
    UNEXPLAINED = "UNEXPLAINED"


# What an operator can have put right by `./dev repair`.
REPAIRABLE = frozenset({Kind.LOST, Kind.LOST_SIDE})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; of one interval, and of one id where it has one: of a transfer, or `reversal`."""

    tier: Tier
    kind: Kind
    interval_ms: int
    partition: int | None
    transaction_id: str
    detail: str
    reversal: bool = False


@dataclass(frozen=True, slots=True)
class Mismatch:
    """All findings of one kind in one interval, with the first few ids."""

    tier: Tier
    kind: Kind
    interval_ms: int
    count: int
    transaction_ids: tuple[str, ...]
    detail: str
