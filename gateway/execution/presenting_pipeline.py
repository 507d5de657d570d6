"""From the model of the pipeline's state to GraphQL types; pure."""

from __future__ import annotations

from strawberry import ID

from gateway.analytics import pipeline_model as p
from gateway.execution.presenting import utc
from graphql_schema import enums, system
from graphql_schema.scalars import Long

LIVE_S, DELAYED_S = 30, 60


def pipeline_of(status: p.PipelineStatus, currency: str | None) -> system.Pipeline:
    """The pipeline's state, named by how far it is behind."""
    state = enums.PipelineState.STALLED
    if status.freshness_s <= DELAYED_S:
        state = enums.PipelineState.DELAYED
    if status.freshness_s <= LIVE_S:
        state = enums.PipelineState.LIVE
    return system.Pipeline(
        as_of=utc(status.as_of_ms),
        freshness_seconds=status.freshness_s,
        currency=currency,
        state=state,
        data_source=enums.DataSource.SAMPLE if status.sample_data else enums.DataSource.PIPELINE,
    )


def audit_of(status: p.AuditStatus) -> system.PipelineAudit:
    """The audit's state; instants are null before the first comparison."""
    report = status.report
    compared = report is not None and report.through_ms > 0
    return system.PipelineAudit(
        state=enums.AuditState[status.state.name],
        consistent_through=utc(report.consistent_through_ms) if report and compared else None,
        compared_through=utc(report.through_ms) if report and compared else None,
        checked_intervals=Long(report.checked_intervals if report else 0),
        inconsistent_intervals=Long(report.open_intervals if report else 0),
        conflicting_duplicates=Long(report.conflicts if report else 0),
        open_mismatches=[mismatch_of(each) for each in report.mismatches] if report else [],
    )


def mismatch_of(mismatch: p.AuditMismatch) -> system.AuditMismatch:
    """One way in which one interval differs."""
    return system.AuditMismatch(
        start=utc(mismatch.interval.start_ms),
        end=utc(mismatch.interval.end_ms),
        tier=enums.AuditTier[mismatch.tier],
        kind=enums.AuditMismatchKind[mismatch.kind],
        count=Long(mismatch.count),
        transaction_ids=[ID(each) for each in mismatch.transaction_ids],
    )
