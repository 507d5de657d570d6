"""The gateway's parts as the settings want them, each made of what it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from graphql import build_schema

from gateway import documents
from gateway.admission import Admission
from gateway.analytics import Analytics
from gateway.auth.authenticator import Authenticator
from gateway.budget.balance import Rate
from gateway.budget.local import LocalBudget
from gateway.budget.subjects import Budgets
from gateway.caller import EVERYONE, Caller
from gateway.caps import Caps
from gateway.clock import Deadline, EpochMs, Monotonic
from gateway.compiled.compiler import Compiler
from gateway.context import OperationContext
from gateway.cost.pricing import Pricing
from gateway.cost.sizes import estimates
from gateway.cost.weights import read as read_weights
from gateway.execution import Execution
from gateway.gathering import Gathering
from gateway.http_request import RequestIds
from gateway.limits import Limits
from gateway.logs import OperationLog
from gateway.masking import Masking
from gateway.metrics import Metrics
from gateway.operation_record import OperationRecord
from gateway.overload.breaker import Breaker
from gateway.overload.gate import Gate
from gateway.overload.lag import LoopLag
from gateway.overload.limit import AdaptiveLimit
from gateway.overload.shedding import Shedding
from gateway.overload.store import AdmittedStore
from gateway.preparation import Preparation
from gateway.reading import Reading
from gateway.resolvers import GatewayResolvers
from gateway.response_cache.wiring import make_cache
from gateway.schema import make_schema
from gateway.sdl import sdl
from gateway.settings import Settings
from gateway.sharing import OperationStore
from gateway.store import Store
from gateway.view import GraphQLView

BREAKER_FAILURES = 10
BREAKER_REST_S = 0.5


def make_store(settings: Settings) -> Store:
    """The store that the settings name; only that one is imported."""
    if settings.store == "duckdb":
        from gateway.duckdb.store import DuckdbStore

        return DuckdbStore(settings.sample_transfers)
    from gateway.pinot.store import PinotStore

    return PinotStore(settings)


def admitted(
    store: Store, settings: Settings, counted: Metrics, monotonic: Monotonic
) -> AdmittedStore:
    """The store behind its gate."""
    limit = AdaptiveLimit(
        settings.store_queries_least, settings.store_queries_most, settings.store_queries_start
    )
    gate = Gate(limit, monotonic)
    counted.store_gate.watch("limit", lambda: gate.limit)
    counted.store_gate.watch("running", lambda: gate.running)
    counted.store_gate.watch("queued", lambda: gate.queued)
    breaker = Breaker(BREAKER_FAILURES, BREAKER_REST_S, monotonic)
    return AdmittedStore(store, gate, breaker, monotonic)


def caps_of(settings: Settings) -> Caps:
    """What a document may have at most."""
    return Caps(**{each.name: getattr(settings, each.name) for each in fields(Caps)})


def limits_of(settings: Settings, rate: Rate) -> Limits:
    """The limits that the rules check and `limits` tells to a caller of that rate."""
    same = [each.name for each in fields(Limits) if not each.name.startswith("budget_")]
    return Limits(
        **{name: getattr(settings, name) for name in same},
        budget_per_second=rate.per_s if rate.limited else None,
        budget_burst=rate.burst if rate.limited else None,
    )


def make_budgets(settings: Settings, counted: Metrics, monotonic: Monotonic) -> Budgets:
    """The budgets, shared through Redis if one is named."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    if not settings.budget_redis_url:
        return Budgets(LocalBudget(known, monotonic), LocalBudget(anonymous, monotonic))
    from gateway.budget import shared

    client = shared.connect(settings.budget_redis_url)
    return Budgets(
        shared.SharedBudget(known, client, monotonic, counted.budget),
        shared.SharedBudget(anonymous, client, monotonic, counted.budget),
    )


def make_preparation(settings: Settings) -> Preparation:
    """Documents' caps, rules and prices, out of the settings and the SDL."""
    weights = read_weights(build_schema(sdl()))
    pricing = Pricing(weights, estimates())
    schema = make_schema().graphql_schema
    return Preparation(schema, caps_of(settings), pricing, settings.introspection)


@dataclass(frozen=True, slots=True)
class ContextMaker:
    """Makes the context of an operation: one now, one deadline, one view of the store.

    `now` is rounded down to `tick_ms`, so that what a page asks for together has the same windows.
    What is asked goes through `gathering` to `store`, which lets operations in.
    """

    known_limits: Limits
    anonymous_limits: Limits
    store: AdmittedStore
    gathering: Gathering
    masking: Masking
    counted: Metrics
    epoch_ms: EpochMs
    monotonic: Monotonic
    tick_ms: int

    def __call__(self, request_id: str, caller: Caller, by_kind: bool) -> OperationContext:
        """A fresh context for this caller; `by_kind` tells reversals apart in totals."""
        limits = self.anonymous_limits if caller is EVERYONE else self.known_limits
        deadline = Deadline.after(limits.deadline_ms / 1000, self.monotonic)
        shared = OperationStore(
            self.gathering,
            deadline,
            limits.max_store_queries,
            self.counted.store_seconds.observe,
            self.store.admit,
        )
        clock_ms = self.epoch_ms()
        now_ms = clock_ms - clock_ms % self.tick_ms
        sample_data = self.store.sample_data
        rules = Analytics(shared, now_ms, limits, sample_data, caller, clock_ms, by_kind)
        shown = self.masking.for_caller(caller)
        return OperationContext(request_id, rules, shown, GatewayResolvers)


def make_context_maker(
    settings: Settings,
    store: AdmittedStore,
    masking: Masking,
    counted: Metrics,
    epoch_ms: EpochMs,
    monotonic: Monotonic,
) -> ContextMaker:
    """The maker of contexts."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    gathering = Gathering(
        store,
        lambda: store.gate.is_busy,
        store.admit,
        settings.store_gather_accounts,
        settings.store_gather_ms / 1000,
        monotonic,
        counted.gathering.add,
    )
    return ContextMaker(
        limits_of(settings, known),
        limits_of(settings, anonymous),
        store,
        gathering,
        masking,
        counted,
        epoch_ms,
        monotonic,
        settings.cache_tick_ms,
    )


def make_execution(settings: Settings, make_context: ContextMaker) -> Execution:
    """The execution of operations."""
    schema, hide_suggestions = make_schema().graphql_schema, not settings.introspection
    compiler = Compiler(schema, hide_suggestions) if settings.execution == "compiled" else None
    return Execution(schema, make_context, compiler, hide_suggestions)


def make_view(settings: Settings, make_context: ContextMaker, door: Authenticator) -> GraphQLView:
    """GraphQL over HTTP, with its door, its guards, its budgets and its cache."""
    counted, monotonic = make_context.counted, make_context.monotonic
    known = documents.Documents(
        settings.persisted_queries,
        settings.persisted_queries_max,
        documents.read_manifest(settings.trusted_documents_manifest),
        settings.trusted_documents,
        counted,
    )
    budgets = make_budgets(settings, counted, monotonic)
    admission = Admission(make_preparation(settings), budgets, settings.max_cost)
    memory_bytes = settings.cache_max_bytes // 4
    return GraphQLView(
        door=door,
        admission=admission,
        reading=Reading(known, admission, settings.max_body_bytes, memory_bytes),
        cache=make_cache(settings, counted, monotonic) if settings.cache else None,
        execution=make_execution(settings, make_context),
        shedding=Shedding(
            make_context.store.gate,
            LoopLag(monotonic, settings.shed_late_ms / 1000 or math.inf),
            counted.shed.add,
            lambda: make_context.gathering.saved,
        ),
        record=OperationRecord(counted, OperationLog(settings.log_every), known.judges),
        request_ids=RequestIds(),
        monotonic=monotonic,
        max_body_bytes=settings.max_body_bytes,
    )
