"""The pipeline's state and the limits: one call to the rules, and back; no rules here."""

from __future__ import annotations

from dataclasses import asdict

from gateway.access.account_id import MAX_ACCOUNT_ID_LENGTH
from gateway.analytics import limits, pipeline
from gateway.execution import presenting_pipeline as presenting
from gateway.execution.arguments import calendar_of, choice_of
from gateway.execution.field_resolvers import FieldResolvers
from graphql_schema import inputs, system
from graphql_schema.scalars import Long, TimeZone


class SystemResolvers(FieldResolvers):
    """The resolvers of the pipeline's state and of the limits."""

    __slots__ = ()

    async def pipeline(self) -> system.Pipeline:
        """How far the pipeline has come."""
        return presenting.pipeline_of(
            await pipeline.status(self.rules), self.rules.limits.currency or None
        )

    async def reject_flood(self) -> bool:
        """Whether most events of the last minute were rejected."""
        return await pipeline.reject_flood(self.rules)

    async def audit(self) -> system.PipelineAudit:
        """Whether the pipeline's tiers agree."""
        return presenting.audit_of(await pipeline.audit(self.rules))

    async def entry_count(self) -> int:
        """All entries."""
        return await pipeline.entry_count(self.rules)

    async def rejected(
        self,
        window: inputs.WindowInput | None,
        time_zone: TimeZone,
        calendar: inputs.CalendarInput | None,
    ) -> list[system.RejectedCount]:
        """Rejected events by reason."""
        choice = None if window is None else choice_of(window)
        rows = await pipeline.rejected(self.rules, choice, calendar_of(time_zone, calendar))
        return [system.RejectedCount(reason=row.reason, count=Long(row.count)) for row in rows]

    def limits(self) -> system.Limits:
        """What may be asked for."""
        bounds = asdict(self.rules.limits)
        return system.Limits(
            deadline_milliseconds=bounds.pop("deadline_ms"),
            final_after_days=bounds.pop("final_after_days") or None,
            currency=bounds.pop("currency") or None,
            max_account_id_length=MAX_ACCOUNT_ID_LENGTH,
            max_compared_rank=limits.MAX_COMPARED_RANK,
            max_rank=limits.MAX_RANK,
            max_series=limits.MAX_SERIES,
            **bounds,
        )
