"""The gateway's parts as the settings want them, each made of what it is given."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from graphql import build_schema

from gateway.access.auth.authenticator import Authenticator
from gateway.access.budget.balance import Rate
from gateway.access.budget.local import LocalBudget
from gateway.access.budget.subjects import Budgets
from gateway.access.caller import EVERYONE, Caller
from gateway.access.masking import Masking
from gateway.access.signing_keys import signer_of_answers
from gateway.analytics.cursor import Cursors
from gateway.analytics.limits import MAX_SERIES, Limits
from gateway.analytics.questions import Analytics, Apart
from gateway.analytics.weekly import MAX_HOURS
from gateway.documents import manifest
from gateway.documents.admission import Admission
from gateway.documents.caps import Caps
from gateway.documents.cost.pricing import Pricing
from gateway.documents.cost.sizes import estimates, lengths_below, made
from gateway.documents.cost.weights import read as read_weights
from gateway.documents.manifest import ManifestError
from gateway.documents.named import Documents
from gateway.documents.preparation import Preparation
from gateway.execution import told_limits
from gateway.execution.context import OperationContext
from gateway.execution.operation import Execution
from gateway.execution.outcome import Outcome
from gateway.execution.resolvers import GatewayResolvers
from gateway.execution.schema import make_schema
from gateway.execution.sdl import sdl
from gateway.execution.told_limits import Told
from gateway.http.answering import Answering
from gateway.http.event_stream import EventStreams
from gateway.http.export.pages import Bounds as ExportBounds
from gateway.http.export.pages import Means
from gateway.http.export.price import page_cost
from gateway.http.export.view import TransactionExport
from gateway.http.operation_record import OperationRecord
from gateway.http.reading import Reading
from gateway.http.request import RequestIds
from gateway.http.view import GraphQLView
from gateway.http.watching import Snapshots
from gateway.live.audience import Audience
from gateway.live.audience import Limits as LiveLimits
from gateway.live.stream import Sleep
from gateway.pages import live
from gateway.process.audit_log import AuditLog, require_writable
from gateway.process.certificates import CertificateFile
from gateway.process.clock import Deadline, EpochMs, Monotonic
from gateway.process.drain import Drain
from gateway.process.logs import OperationLog
from gateway.process.metrics import Metrics
from gateway.process.places import Places
from gateway.process.redis_tls import RedisTls
from gateway.response_cache.ages import Ages, Lifetime
from gateway.response_cache.cache import ResponseCache
from gateway.response_cache.generation import generation_of
from gateway.response_cache.redis_store import redis_store
from gateway.response_cache.second_level import SecondLevel
from gateway.settings import Settings, SettingsError
from gateway.store.overload.breaker import Breaker
from gateway.store.overload.gate import Gate
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.limit import AdaptiveLimit
from gateway.store.overload.party import Party
from gateway.store.overload.shedding import Shedding
from gateway.store.overload.store import AdmittedStore, PartyStore
from gateway.store.pinot.broker_access import BrokerAccess
from gateway.store.port import Store
from gateway.store.rows.asked import tells_rows
from gateway.store.rows.store import Bounds, KeptRows, RowsStore
from gateway.store.sharing import OperationStore

BREAKER_FAILURES = 10
BREAKER_REST_S = 0.5


def make_store(settings: Settings) -> Store:
    """The store that the settings name; only that one is imported."""
    if settings.store == "duckdb":
        from gateway.store.duckdb.store import DuckdbStore

        return DuckdbStore(settings.sample_transfers)
    from gateway.store.pinot.store import PinotStore

    return PinotStore(settings, access=_broker_access_of(settings))


def _broker_access_of(settings: Settings) -> BrokerAccess:
    """How the broker is reached; raises `SettingsError` for files that are of no use."""
    access = BrokerAccess(
        settings.pinot_username,
        settings.pinot_password_file,
        settings.pinot_token_file,
        settings.pinot_tls_ca_file,
        settings.pinot_tls_cert_file,
        settings.pinot_tls_key_file,
    )
    try:
        access.check()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise SettingsError(f"the files of GATEWAY_PINOT_…_FILE cannot be used: {cause}") from None
    return access


def admitted(
    store: Store, settings: Settings, counted: Metrics, monotonic: Monotonic
) -> AdmittedStore:
    """The store behind its gate."""
    limit = AdaptiveLimit(
        settings.store_queries_least, settings.store_queries_most, settings.store_queries_start
    )
    gate = Gate(limit, monotonic)
    counted.watch(counted.store_queries_limit, lambda: gate.limit)
    counted.watch(counted.store_queries.labels("running"), lambda: gate.running)
    counted.watch(counted.store_queries.labels("queued"), lambda: gate.queued)
    breaker = Breaker(BREAKER_FAILURES, BREAKER_REST_S, monotonic)
    return AdmittedStore(store, gate, breaker, monotonic, counted.store_seconds.observe)


def kept_rows(
    settings: Settings,
    store: AdmittedStore,
    counted: Metrics,
    epoch_ms: EpochMs,
    monotonic: Monotonic,
) -> KeptRows | None:
    """The memory of small accounts' rows, if there is to be one and the store tells rows."""
    if not settings.rows_max_bytes or not tells_rows(store.store):
        return None
    bounds = Bounds(
        settings.rows_max_bytes,
        settings.rows_per_account,
        settings.rows_days,
        settings.rows_fresh_ms / 1000,
        settings.freshness_budget_ms / 1000,
    )
    kept = KeptRows(store, bounds, epoch_ms, monotonic, counted.rows_answers.add)
    counted.watch(counted.rows_bytes, lambda: kept.bytes)
    return kept


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


def told_of(settings: Settings) -> Told:
    """The limits as descriptions tell them."""
    return told_limits.told_of(limits_of(settings, Rate(0, 0)))


def redis_tls_of(settings: Settings) -> RedisTls:
    """TLS to both Redis; raises `SettingsError` for files that are of no use."""
    tls = RedisTls(
        settings.redis_tls_ca_file, settings.redis_tls_cert_file, settings.redis_tls_key_file
    )
    try:
        tls.check()
    except OSError as error:
        names = (
            "GATEWAY_REDIS_TLS_CA_FILE, GATEWAY_REDIS_TLS_CERT_FILE or GATEWAY_REDIS_TLS_KEY_FILE"
        )
        raise SettingsError(f"{names} cannot be used: {error.strerror or error}") from None
    return tls


def tell_of_certificates(settings: Settings, counted: Metrics, monotonic: Monotonic) -> None:
    """Have the gauge show when each certificate ends that is named in the settings."""
    for name, is_authorities in (("redis_tls_ca_file", True), ("redis_tls_cert_file", False)):
        if path := getattr(settings, name):
            file = CertificateFile(Path(path), monotonic, is_authorities=is_authorities)
            counted.watch(counted.certificate_ends.labels(name), file.ends_s)


def make_budgets(settings: Settings, counted: Metrics, monotonic: Monotonic) -> Budgets:
    """The budgets, shared through Redis if one is named."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    if not settings.budget_redis_url:
        return Budgets(LocalBudget(known, monotonic), LocalBudget(anonymous, monotonic))
    from gateway.access.budget import shared

    client = shared.connect(settings.budget_redis_url, tls=redis_tls_of(settings))
    return Budgets(
        shared.SharedBudget(known, client, monotonic, counted.budget.add),
        shared.SharedBudget(anonymous, client, monotonic, counted.budget.add),
    )


def make_pricing(settings: Settings) -> Pricing:
    """What operations cost, out of the settings and the SDL."""
    schema = make_schema(told_of(settings)).graphql_schema
    weights = read_weights(build_schema(sdl()))
    max_points = settings.max_points
    return Pricing(
        schema,
        weights,
        estimates(settings.max_accounts, max_points),
        lengths_below(max_points),
        made(max_points, MAX_SERIES, MAX_HOURS),
    )


def make_preparation(settings: Settings) -> Preparation:
    """Documents' caps, rules and prices, out of the settings and the SDL."""
    pricing = make_pricing(settings)
    return Preparation(pricing.schema, caps_of(settings), pricing, settings.introspection)


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


def make_cache(
    settings: Settings, masking: Masking, metrics: Metrics, monotonic: Monotonic
) -> ResponseCache[Outcome]:
    """The cache, with its second level if there is one."""
    second, generation = None, b""
    if settings.cache_redis_url:
        timeout_s = settings.cache_redis_timeout_ms / 1000
        store = redis_store(settings.cache_redis_url, timeout_s, redis_tls_of(settings))
        signer = signer_of_answers(settings, masking)
        second = SecondLevel(store, signer, monotonic, metrics.cache_shared.add)
        generation = generation_of(settings, masking)
    cache: ResponseCache[Outcome] = ResponseCache(
        settings.cache_max_bytes,
        ages_of(settings),
        monotonic,
        time.time,
        metrics,
        second,
        generation,
    )
    metrics.watch(metrics.cache_bytes, lambda: cache.kept.bytes)
    metrics.watch(metrics.cache_answers, lambda: len(cache.kept))
    metrics.watch(metrics.cache_flights, lambda: cache.flights)
    return cache


def ages_of(settings: Settings) -> Ages:
    """The lifetimes in seconds."""
    stale_s = settings.cache_stale_ms / 1000
    return Ages(
        pipeline=Lifetime(settings.cache_pipeline_ms / 1000, 0.0),
        live=Lifetime(settings.cache_live_ms / 1000, stale_s),
        closed=Lifetime(settings.cache_closed_ms / 1000, stale_s),
        fixed=Lifetime(settings.cache_fixed_ms / 1000, 0.0),
        rescue_s=settings.cache_stale_if_error_ms / 1000,
        budget_s=settings.freshness_budget_ms / 1000,
    )


def _trusted_of(settings: Settings) -> Mapping[str, str]:
    """The manifest's documents, and while the live page is on what that asks: it is ours."""
    own = live.documents() if settings.page else {}
    return {**own, **_manifest_of(settings)}


def _manifest_of(settings: Settings) -> Mapping[str, str]:
    path = settings.trusted_documents_manifest
    try:
        return manifest.read(path)
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except ManifestError as error:
        wrong = str(error)
    raise SettingsError(f"GATEWAY_TRUSTED_DOCUMENTS_MANIFEST names {path!r}, which {wrong}")


def without_audit_log(settings: Settings) -> Settings:
    """The settings of a process that answers nobody; raises what `make_audit_log` would."""
    if settings.audit_log:
        with _audit_log_told(settings):
            require_writable(settings.audit_log)
    return settings.model_copy(update={"audit_log": ""})


def make_audit_log(settings: Settings, counted: Metrics) -> AuditLog | None:
    """The audit log, if there is to be one; raises `SettingsError` for a file that cannot be written."""
    if not settings.audit_log:
        return None
    with _audit_log_told(settings):
        audit = AuditLog(settings.audit_log)
    counted.watch(counted.audit_lost, lambda: audit.lost)
    return audit


@contextmanager
def _audit_log_told(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        wrong = f"which cannot be written ({error.strerror})"
        raise SettingsError(f"GATEWAY_AUDIT_LOG names {settings.audit_log!r}, {wrong}") from None


def make_streams(
    settings: Settings, counted: Metrics, drain: Drain, monotonic: Monotonic, sleep: Sleep
) -> EventStreams:
    """Subscriptions, and how many there may be."""
    limits = LiveLimits(
        settings.live_streams,
        settings.live_streams_per_caller,
        settings.live_interval_ms / 1000,
        settings.live_heartbeat_ms / 1000,
        settings.live_reconnect_ms / 1000,
    )
    audience = Audience(limits, counted.live_ended.add, counted.live_looks.add)
    counted.watch(counted.live_streams, lambda: audience.open)
    snapshots = Snapshots(make_schema(told_of(settings)).graphql_schema)
    return EventStreams(snapshots, audience, drain, monotonic, sleep, random.random)


def make_view(
    settings: Settings,
    make_context: ContextMaker,
    door: Authenticator,
    drain: Drain,
    sleep: Sleep,
    *,
    traced: bool,
) -> GraphQLView:
    """GraphQL over HTTP, with its door, its guards, its budgets and its cache."""
    counted, monotonic = make_context.counted, make_context.monotonic
    known = Documents(
        settings.persisted_queries,
        settings.persisted_queries_max,
        _trusted_of(settings),
        settings.trusted_documents,
        counted,
        settings.max_document_characters,
    )
    budgets = make_budgets(settings, counted, monotonic)
    admission = Admission(
        make_preparation(settings), budgets, settings.max_cost, settings.max_values
    )
    memory_bytes = settings.cache_max_bytes // 4
    digest = make_context.masking.digest
    reading = Reading(known, admission, settings.max_body_bytes, memory_bytes, digest)
    cache = (
        make_cache(settings, make_context.masking, counted, monotonic) if settings.cache else None
    )
    log, audit = OperationLog(settings.log_every), make_audit_log(settings, counted)
    return GraphQLView(
        door=door,
        reading=reading,
        answering=Answering(
            admission,
            reading,
            cache,
            make_execution(settings, make_context),
            Shedding(
                make_context.store.gate,
                LoopLag(monotonic, settings.shed_late_ms / 1000 or math.inf),
                counted.shed.add,
            ),
            lambda points: counted.points.add(amount=points),
        ),
        streams=make_streams(settings, counted, drain, monotonic, sleep),
        record=OperationRecord(counted, log, known.judges, traced, audit),
        request_ids=RequestIds(),
        monotonic=monotonic,
        max_body_bytes=settings.max_body_bytes,
    )


def make_export(
    settings: Settings, view: GraphQLView, make_context: ContextMaker, drain: Drain, sleep: Sleep
) -> TransactionExport:
    """Exports of transactions, with the view's door, budgets, room before the store and record."""
    counted = make_context.counted
    rows = min(settings.export_page_rows, settings.export_rows)
    bounds = ExportBounds(
        rows,
        page_cost(make_pricing(settings), rows),
        settings.export_rows,
        settings.export_wait_ms / 1000,
    )
    in_pages = replace(
        make_context,
        known_limits=replace(make_context.known_limits, max_first=rows),
        anonymous_limits=replace(make_context.anonymous_limits, max_first=rows),
    )
    places = Places("exports", settings.exports, settings.exports_per_caller)
    counted.watch(counted.exports, lambda: places.taken)

    def on_ended(because: str, rows: int) -> None:
        counted.exports_ended.add(because)
        counted.export_rows.add(amount=rows)

    return TransactionExport(
        Means(view.door, view.answering, in_pages, drain, make_context.monotonic, sleep, bounds),
        places,
        view.record,
        view.request_ids,
        make_context.masking.digest,
        on_ended,
    )
