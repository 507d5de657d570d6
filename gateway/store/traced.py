"""One client span a store query, by OpenTelemetry's conventions for databases: the same port."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.trace import SpanKind, Tracer

from gateway.analytics.asking import PlanRow, StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.process import traces
from gateway.store.port import Store
from gateway.store.rows.asked import tells_rows


@dataclass(frozen=True, slots=True)
class TracedStore:
    """A store that is asked inside a span; `system` is its name."""

    store: Store
    tracer: Tracer
    system: str

    @property
    def sample_data(self) -> bool:
        """As the store has it."""
        return self.store.sample_data

    @property
    def tells_rows(self) -> bool:
        """As the store does."""
        return tells_rows(self.store)

    async def open(self) -> None:
        """Make the store ready."""
        await self.store.open()

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """The store's answer; whoever asks without an operation, as `/readyz` does, leaves no span."""
        if not traces.here().is_valid:
            return await self.store.fetch(plan, timeout_s)
        name = type(plan).__name__
        known = {"db.system.name": self.system, "db.operation.name": name}
        with traces.span(self.tracer, name, SpanKind.CLIENT, known) as span:
            result = await self.store.fetch(plan, timeout_s)
            told = {
                "db.response.returned_rows": len(result.rows),
                "gateway.as_of_ms": result.as_of_ms,
            }
            span.set_attributes(told)
            return result
