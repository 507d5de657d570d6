"""What answers over HTTP: GraphQL, subscriptions and exports."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from gateway.access.auth.authenticator import Authenticator
from gateway.analytics.calendars import DAY_MS
from gateway.documents.admission import Admission
from gateway.documents.named import Documents
from gateway.execution.schema import make_schema
from gateway.http.account_digests import AccountDigests
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
from gateway.process.clock import Monotonic
from gateway.process.drain import Drain
from gateway.process.logs import OperationLog
from gateway.process.metrics import Metrics
from gateway.process.places import Places
from gateway.settings import Settings
from gateway.store.overload.lag import LoopLag
from gateway.store.overload.shedding import Shedding
from gateway.wiring.answers import make_cache
from gateway.wiring.documents import make_preparation, told_of, trusted_of
from gateway.wiring.operations import ContextMaker, make_execution
from gateway.wiring.records import make_audit_log
from gateway.wiring.redis import make_budgets


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

    def epoch_s() -> float:
        return make_context.epoch_ms() / 1000

    known = Documents(
        settings.persisted_queries,
        settings.persisted_queries_max,
        trusted_of(settings),
        settings.trusted_documents,
        counted,
        settings.max_document_characters,
    )
    budgets = make_budgets(settings, counted, monotonic)
    admission = Admission(
        make_preparation(settings), budgets, settings.max_cost, settings.max_values
    )
    memory_bytes = settings.cache_max_bytes // 4
    digests = AccountDigests(make_context.masking, make_context.cursors)
    reading = Reading(known, admission, settings.max_body_bytes, memory_bytes, digests)
    cache = (
        make_cache(settings, make_context.masking, counted, monotonic, epoch_s)
        if settings.cache
        else None
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
    """Exports of transactions, with the view's door, prices, budgets, room before the store and record."""
    counted = make_context.counted
    rows = min(settings.export_page_rows, settings.export_rows)
    bounds = ExportBounds(
        rows,
        page_cost(view.answering.admission.preparation.pricing, rows),
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

    def earliest_ms() -> int | None:
        days = settings.entries_kept_days
        return make_context.epoch_ms() - days * DAY_MS if days else None

    return TransactionExport(
        Means(view.door, view.answering, in_pages, drain, make_context.monotonic, sleep, bounds),
        places,
        view.record,
        view.request_ids,
        AccountDigests(make_context.masking, make_context.cursors),
        on_ended,
        earliest_ms,
    )
