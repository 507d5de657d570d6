"""What is asked of a store about the pipeline: how far it has come, what it rejected, what its audit says."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.caller import Scope
from gateway.analytics.model import Interval
from gateway.analytics.pipeline_model import AuditReport
from gateway.analytics.query_plan import CountRow, QueryPlan


@dataclass(frozen=True, slots=True)
class EntryCountPlan(QueryPlan[CountRow]):
    """Exactly one row: all entries since the beginning."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """How many events were rejected for one reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class RejectedPlan(QueryPlan[ReasonRow]):
    """Rejected events by reason, most first, then by name; `None`: since the beginning."""

    scope: Scope
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """That everything before `as_of_ms` is in the store."""

    as_of_ms: int


@dataclass(frozen=True, slots=True)
class ProgressPlan(QueryPlan[ProgressRow]):
    """Exactly one row: how far the store has come."""


@dataclass(frozen=True, slots=True)
class AuditPlan(QueryPlan[AuditReport]):
    """The newest report of the completeness audit; no row if there is none."""

    scope: Scope
