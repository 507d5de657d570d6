"""The one place where the gateway is wired together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import docs_page, documents, graphiql, logs, negotiation
from gateway.analytics import Analytics
from gateway.caller import Caller
from gateway.clock import Deadline, EpochMs, Monotonic, system_epoch_ms
from gateway.context import OperationContext
from gateway.drain import ClosingConnections, Drain
from gateway.errors import GatewayError
from gateway.execution import Execution
from gateway.http_request import RequestIds
from gateway.limits import Limits
from gateway.logs import OperationLog
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.operation_record import OperationRecord
from gateway.overload.breaker import Breaker
from gateway.overload.gate import Gate
from gateway.overload.limit import AdaptiveLimit
from gateway.overload.store import AdmittedStore
from gateway.query_plan import ProgressPlan
from gateway.reading import Reading
from gateway.resolvers import GatewayResolvers
from gateway.response_cache.wiring import make_cache
from gateway.schema import executable, make_schema, parsed_documents
from gateway.sdl import sdl
from gateway.settings import Settings
from gateway.sharing import OperationStore
from gateway.store import Store
from gateway.view import GraphQLView
from gateway.worker_metrics import SharedMetrics

READY_TIMEOUT_S = 2.0
BREAKER_FAILURES = 10
BREAKER_REST_S = 0.5


def create_app(
    settings: Settings,
    store: Store | None = None,
    epoch_ms: EpochMs = system_epoch_ms,
    monotonic: Monotonic = time.monotonic,
    metrics: Metrics | None = None,
    drain: Drain | None = None,
    shared_metrics: SharedMetrics | None = None,
) -> ASGIApp:
    """The gateway as an ASGI application; its store is open while it runs."""
    counted = metrics if metrics is not None else Metrics()
    draining = drain if drain is not None else Drain()
    chosen = admitted(
        store if store is not None else make_store(settings), settings, counted, monotonic
    )
    make_context = ContextMaker(
        limits_of(settings), chosen, counted, epoch_ms, monotonic, settings.cache_tick_ms
    )
    view = make_view(settings, make_context)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.configure(settings.log_level)
        await chosen.open()
        logs.logger().info("started", store=settings.store, port=settings.port)
        yield
        await view.close()
        await chosen.close()
        logs.logger().info("stopped")

    app = FastAPI(
        title="Payment analytics gateway",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.router.routes += _graphiql_routes(settings)
    told = partial(_all_metrics, counted, shared_metrics)
    app.router.routes += _operator_routes(chosen, told, draining)
    return ClosingConnections(_Front(view, app, settings), draining)


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
    counted.admission.watch("limit", lambda: gate.limit)
    counted.admission.watch("running", lambda: gate.running)
    counted.admission.watch("queued", lambda: gate.queued)
    return AdmittedStore(
        store, gate, Breaker(BREAKER_FAILURES, BREAKER_REST_S, monotonic), monotonic
    )


def limits_of(settings: Settings) -> Limits:
    """The limits that the rules check and `limits` tells."""
    return Limits(
        max_first=settings.max_first,
        max_accounts=settings.max_accounts,
        max_points=settings.max_points,
        max_window_days=settings.max_window_days,
        max_depth=settings.max_depth,
        max_fields=settings.max_fields,
        max_store_queries=settings.max_store_queries,
        max_body_bytes=settings.max_body_bytes,
        deadline_ms=settings.deadline_ms,
    )


@dataclass(frozen=True, slots=True)
class ContextMaker:
    """Makes the context of an operation: one now, one deadline, one view of the store.

    `now` is rounded down to `tick_ms`, so that what a page asks for together has the same windows.
    """

    limits: Limits
    store: AdmittedStore
    counted: Metrics
    epoch_ms: EpochMs
    monotonic: Monotonic
    tick_ms: int

    def __call__(self, request_id: str, _caller: Caller) -> OperationContext:
        """A fresh context."""
        deadline = Deadline.after(self.limits.deadline_ms / 1000, self.monotonic)
        observe = self.counted.store_seconds.observe
        most = self.limits.max_store_queries
        shared = OperationStore(self.store, deadline, most, observe, self.store.admit)
        clock_ms = self.epoch_ms()
        now_ms = clock_ms - clock_ms % self.tick_ms
        rules = Analytics(shared, now_ms, self.limits, self.store.sample_data, clock_ms)
        return OperationContext(request_id, rules, GatewayResolvers)


def make_view(settings: Settings, make_context: ContextMaker) -> GraphQLView:
    """GraphQL over HTTP, with its guards, the documents it knows by name, and its cache."""
    known = documents.Documents(
        settings.persisted_queries,
        settings.persisted_queries_max,
        documents.read_manifest(settings.trusted_documents_manifest),
        settings.trusted_documents,
        make_context.counted,
    )
    parsed = parsed_documents(
        settings.max_depth,
        settings.max_fields,
        settings.max_tokens,
        introspection=settings.introspection,
    )
    counted, monotonic = make_context.counted, make_context.monotonic
    return GraphQLView(
        reading=Reading(known, parsed, settings.max_body_bytes, settings.cache_max_bytes // 4),
        cache=make_cache(settings, counted, monotonic) if settings.cache else None,
        execution=Execution(
            executable(make_schema()), make_context, hide_suggestions=not settings.introspection
        ),
        record=OperationRecord(counted, OperationLog(settings.log_every), known.judges),
        request_ids=RequestIds(),
        monotonic=monotonic,
        max_body_bytes=settings.max_body_bytes,
    )


class _Front:
    """`/graphql` before all else: GraphiQL for a browser that asks for a page, GraphQL for others."""

    def __init__(self, view: ASGIApp, app: ASGIApp, settings: Settings) -> None:
        self._view = view
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await self._app(scope, receive, send)
        elif self._settings.graphiql and _is_page_request(scope):
            response = graphiql.page(self._settings.graphiql_assets_path)
            await response(scope, receive, send)
        else:
            await self._view(scope, receive, send)


def _is_page_request(scope: Scope) -> bool:
    if scope["method"] != "GET":
        return False
    request = Request(scope)
    asks = {"query", "documentId", "extensions"} & request.query_params.keys()
    return not asks and negotiation.prefers_html(request.headers.get("accept"))


def _graphiql_routes(settings: Settings) -> list[Route]:
    async def asset(request: Request) -> Response:
        return graphiql.asset(request, settings.graphiql_assets_path)

    async def page_file(request: Request) -> Response:
        return graphiql.page_file(request)

    assets = [Route("/graphiql/assets/{name}", asset)] if settings.graphiql else []
    return [*assets, Route("/graphiql/{name}", page_file)]


def _all_metrics(counted: Metrics, shared: SharedMetrics | None) -> str:
    return counted.text() if shared is None else shared.all(counted.text())


def _operator_routes(store: Store, told: Callable[[], str], drain: Drain) -> list[Route]:
    text = sdl()
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        if drain.begun:
            return JSONResponse({"ready": False, "message": "This process is about to end."}, 503)
        try:
            result = await store.fetch(ProgressPlan(), READY_TIMEOUT_S)
        except GatewayError as error:
            logs.logger().warning("not_ready", cause=str(error))
            body = {"ready": False, "code": error.code.name, "message": error.public_message}
            return JSONResponse(body, 503)
        return JSONResponse({"ready": True, "asOfMs": result.as_of_ms})

    async def prometheus(_: Request) -> Response:
        return Response(told(), media_type=CONTENT_TYPE)

    async def schema_graphql(request: Request) -> Response:
        headers = {"ETag": etag, "Cache-Control": "public, max-age=60"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/plain; charset=utf-8", headers=headers)

    async def docs(_: Request) -> Response:
        return HTMLResponse(docs_page.page(), headers=graphiql.PAGE_HEADERS)

    return [
        Route("/docs", docs),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", prometheus),
        Route("/schema.graphql", schema_graphql),
    ]
