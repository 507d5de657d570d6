"""What the audit found wrong: a closed list of kinds, and one value for each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_TOLD_TOGETHER_MS: Final = 3_600_000

log = logging.getLogger("audit")


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
    """One thing that is wrong, of the raw record at a kafka partition and offset where it is of one.

    `time_ms` is the event's, or the hour's beginning; `transaction_id` is empty where no id is known.
    """

    tier: Tier
    kind: Kind
    time_ms: int
    partition: int
    offset: int
    transaction_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """All findings of one kind in one interval of event time, with the first few ids."""

    tier: Tier
    kind: Kind
    start_ms: int
    count: int
    transaction_ids: tuple[str, ...]
    detail: str


NOWHERE = -1
"""The partition and offset of what is of no raw record."""


def tell(findings: Sequence[Finding]) -> None:
    """One line for all findings of one kind in one hour: a lost segment has a hundred thousand."""
    groups: dict[tuple[Tier, Kind, int], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.tier, each.kind, each.time_ms // _TOLD_TOGETHER_MS), []).append(
            each
        )
    for group in groups.values():
        log.error("mismatch", extra={"findings": group})
