"""What is told of the pipeline itself: how far it has come, and what its audit found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gateway.analytics.model import Interval


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """How far the pipeline has come."""

    as_of_ms: int
    freshness_s: float
    sample_data: bool


@dataclass(frozen=True, slots=True)
class AuditMismatch:
    """What differs in one way, at one tier, in one interval; `transaction_ids` are the first few."""

    tier: str
    kind: str
    interval: Interval
    count: int
    transaction_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the audit last said; everything that arrived before `through_ms` was compared."""

    recorded_at_ms: int
    through_ms: int
    consistent_through_ms: int
    checked_intervals: int
    open_intervals: int
    conflicts: int
    mismatches: tuple[AuditMismatch, ...]


class AuditState(Enum):
    """Whether the tiers of the pipeline agree."""

    CONSISTENT = "CONSISTENT"
    INCONSISTENT = "INCONSISTENT"
    BEHIND = "BEHIND"
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """The audit's report as it is to be read now; `report` is None where there is none."""

    state: AuditState
    report: AuditReport | None
