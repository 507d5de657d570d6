"""How operations are executed: each in a context of its own."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.budget.balance import Rate
from gateway.access.caller import EVERYONE, Caller
from gateway.access.masking import Masking
from gateway.analytics.cursor import Cursors
from gateway.analytics.limits import Limits
from gateway.analytics.questions import Analytics, Apart
from gateway.execution.context import OperationContext
from gateway.execution.operation import Execution
from gateway.execution.resolvers import GatewayResolvers
from gateway.execution.schema import make_schema
from gateway.process.clock import Deadline, EpochMs, Monotonic
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.store.overload.party import Party
from gateway.store.overload.store import AdmittedStore, PartyStore
from gateway.store.rows.store import KeptRows, RowsStore
from gateway.store.sharing import OperationStore
from gateway.wiring.documents import limits_of, told_of
from gateway.wiring.stores import kept_rows


@dataclass(frozen=True, slots=True)
class ContextMaker:
    """Makes the context of an operation: one now, one deadline, one view of the store.

    `now` is rounded down to `tick_ms`, so that what a page asks for together has the same windows.
    """

    known_limits: Limits
    anonymous_limits: Limits
    store: AdmittedStore
    masking: Masking
    counted: Metrics
    epoch_ms: EpochMs
    monotonic: Monotonic
    tick_ms: int
    cursors: Cursors
    rows: KeptRows | None = None

    def __call__(
        self, request_id: str, caller: Caller, party: Party, apart: Apart
    ) -> OperationContext:
        """A fresh context for this caller, at the party's expense; `apart`: where reversals are told apart."""
        limits = self.anonymous_limits if caller is EVERYONE else self.known_limits
        deadline = Deadline.after(limits.deadline_ms / 1000, self.monotonic)
        behind = PartyStore(self.store, party)
        store = behind if self.rows is None else RowsStore(self.rows, behind)
        shared = OperationStore(
            store,
            deadline,
            limits.max_store_queries,
            store.admit,
        )
        clock_ms = self.epoch_ms()
        now_ms = clock_ms - clock_ms % self.tick_ms
        sample_data = self.store.sample_data
        rules = Analytics(
            shared,
            now_ms,
            limits,
            sample_data,
            caller,
            self.epoch_ms,
            self.cursors,
            self.masking,
            apart,
        )
        shown = self.masking.for_caller(caller)
        return OperationContext(request_id, shared, rules, shown, GatewayResolvers)


def make_context_maker(
    settings: Settings,
    store: AdmittedStore,
    masking: Masking,
    counted: Metrics,
    epoch_ms: EpochMs,
    monotonic: Monotonic,
    cursors: Cursors,
) -> ContextMaker:
    """The maker of contexts."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    return ContextMaker(
        limits_of(settings, known),
        limits_of(settings, anonymous),
        store,
        masking,
        counted,
        epoch_ms,
        monotonic,
        settings.cache_tick_ms,
        cursors,
        kept_rows(settings, store, counted, epoch_ms, monotonic),
    )


def make_execution(settings: Settings, make_context: ContextMaker) -> Execution:
    """The execution of operations."""
    return Execution(
        make_schema(told_of(settings)).graphql_schema, make_context, not settings.introspection
    )
