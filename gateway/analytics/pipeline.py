"""What is told of the pipeline: how far it has come, what it rejected, whether its tiers agree."""

from __future__ import annotations

from gateway.analytics.model import NETWORK, Calendar, Direction, Interval, WindowChoice
from gateway.analytics.pipeline_model import AuditState, AuditStatus, PipelineStatus
from gateway.analytics.pipeline_plan import (
    AuditPlan,
    EntryCountPlan,
    ProgressPlan,
    ReasonRow,
    RejectedPlan,
)
from gateway.analytics.questions import Analytics
from gateway.analytics.totals import measures_of

# A reject flood: at least half of so many events within so long. The job's metrics mean the same by it.
FLOOD_WINDOW_MS = 60_000
FLOOD_LEAST_EVENTS = 1_000
AUDIT_BEHIND_MS = 60_000  # the pipeline's promise; the audit itself takes seconds


async def status(analytics: Analytics) -> PipelineStatus:
    """How far the pipeline has come."""
    as_of_ms = (await analytics.store.fetch(ProgressPlan())).rows[0].as_of_ms
    freshness_s = max(0, analytics.clock() - as_of_ms) / 1000
    return PipelineStatus(as_of_ms, freshness_s, analytics.sample_data)


async def reject_flood(analytics: Analytics) -> bool:
    """Whether of the events in the last minute before `asOf`, if they were many, most were rejected."""
    end_ms = (await analytics.store.fetch(ProgressPlan())).rows[0].as_of_ms
    minute = Interval(end_ms - FLOOD_WINDOW_MS, end_ms)
    reasons = (await analytics.store.fetch(RejectedPlan(analytics.scope(NETWORK), minute))).rows
    rejected = sum(row.count for row in reasons)
    if 2 * rejected < FLOOD_LEAST_EVENTS:
        return False
    counted = await analytics.store.fetch(
        analytics.totals_plan(NETWORK, {Direction.RECEIVED}, minute)
    )
    transfers = measures_of(counted.rows, Direction.RECEIVED).transaction_count
    return rejected >= transfers and rejected + transfers >= FLOOD_LEAST_EVENTS


async def audit(analytics: Analytics) -> AuditStatus:
    """Whether the pipeline's tiers agree. What was found wrong stays so when the audit is behind."""
    scope = analytics.scope(NETWORK)
    if analytics.sample_data:
        return AuditStatus(AuditState.NOT_APPLICABLE, None)
    rows = (await analytics.store.fetch(AuditPlan(scope))).rows
    if not rows:
        return AuditStatus(AuditState.BEHIND, None)
    report = rows[0]
    state = AuditState.CONSISTENT
    if analytics.now_ms - min(report.through_ms, report.recorded_at_ms) > AUDIT_BEHIND_MS:
        state = AuditState.BEHIND
    if report.open_intervals:
        state = AuditState.INCONSISTENT
    return AuditStatus(state, report)


async def entry_count(analytics: Analytics) -> int:
    """All entries since the beginning."""
    return (await analytics.store.fetch(EntryCountPlan(analytics.scope(NETWORK)))).rows[0].count


async def rejected(
    analytics: Analytics, choice: WindowChoice | None, calendar: Calendar
) -> tuple[ReasonRow, ...]:
    """Rejected events by reason; without a window, since the beginning."""
    interval = None if choice is None else analytics.window(choice, calendar).interval
    return (await analytics.store.fetch(RejectedPlan(analytics.scope(NETWORK), interval))).rows
