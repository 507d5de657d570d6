"""The one place where the gateway is wired together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import docs_page, documents, graphiql, logs, metrics, negotiation
from gateway.analytics import Analytics
from gateway.auth.authenticator import Authenticator
from gateway.auth.opening import masking_of, open_door
from gateway.caller import Caller
from gateway.clock import Deadline, EpochMs, Monotonic, system_epoch_ms
from gateway.context import OperationContext
from gateway.errors import GatewayError
from gateway.limits import Limits
from gateway.masking import Masking
from gateway.query_plan import ProgressPlan
from gateway.resolvers import GatewayResolvers
from gateway.schema import make_schema
from gateway.sdl import sdl
from gateway.settings import Settings
from gateway.sharing import OperationStore
from gateway.store import Store
from gateway.view import GraphQLView

READY_TIMEOUT_S = 2.0


def create_app(
    settings: Settings,
    store: Store | None = None,
    epoch_ms: EpochMs = system_epoch_ms,
    monotonic: Monotonic = time.monotonic,
) -> FastAPI:
    """The gateway as an ASGI application; its store is open while it runs.

    Raises `SettingsError` for authentication that cannot work.
    """
    door = open_door(settings, epoch_ms, monotonic)
    chosen = store if store is not None else make_store(settings)
    counted = metrics.Metrics()
    make_context = ContextMaker(
        limits_of(settings), chosen, masking_of(settings), counted, epoch_ms, monotonic
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.configure(settings.log_level)
        await chosen.open()
        logs.logger().info("started", store=settings.store, port=settings.port, auth=settings.auth)
        yield
        await chosen.close()
        await door.close()
        logs.logger().info("stopped")

    app = FastAPI(
        title="Payment analytics gateway",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    endpoint = _GraphQLOrGraphiQL(make_view(settings, make_context, door), settings)
    app.router.routes += [Route("/graphql", endpoint), *_graphiql_routes(settings)]
    app.router.routes += _operator_routes(chosen, counted)
    return app


def make_store(settings: Settings) -> Store:
    """The store that the settings name; only that one is imported."""
    if settings.store == "duckdb":
        from gateway.duckdb.store import DuckdbStore

        return DuckdbStore(settings.sample_transfers)
    from gateway.pinot.store import PinotStore

    return PinotStore(settings)


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
    """Makes the context of an operation: one now, one deadline, one view of the store."""

    limits: Limits
    store: Store
    masking: Masking
    counted: metrics.Metrics
    epoch_ms: EpochMs
    monotonic: Monotonic

    def __call__(self, request_id: str, caller: Caller) -> OperationContext:
        """A fresh context for this caller."""
        deadline = Deadline.after(self.limits.deadline_ms / 1000, self.monotonic)
        observe = self.counted.store_seconds.observe
        shared = OperationStore(self.store, deadline, self.limits.max_store_queries, observe)
        rules = Analytics(shared, self.epoch_ms(), self.limits, self.store.sample_data, caller)
        shown = self.masking.for_caller(caller)
        return OperationContext(request_id, rules, shown, GatewayResolvers)


def make_view(settings: Settings, make_context: ContextMaker, door: Authenticator) -> GraphQLView:
    """GraphQL over HTTP, with its door, its guards and the documents it knows by name."""
    known = documents.Documents(
        settings.persisted_queries,
        settings.persisted_queries_max,
        documents.read_manifest(settings.trusted_documents_manifest),
        settings.trusted_documents,
        make_context.counted,
    )
    schema = make_schema(
        settings.max_depth, settings.max_fields, settings.max_tokens, settings.introspection
    )
    return GraphQLView(
        door=door,
        schema=schema,
        documents=known,
        make_context=make_context,
        metrics=make_context.counted,
        monotonic=make_context.monotonic,
        max_body_bytes=settings.max_body_bytes,
        max_age_s=settings.cache_max_age_s,
    )


class _GraphQLOrGraphiQL:
    """`/graphql`: GraphiQL for a browser that asks for a page, GraphQL for everyone else."""

    def __init__(self, view: ASGIApp, settings: Settings) -> None:
        self._view = view
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._settings.graphiql and _is_page_request(Request(scope)):
            response = graphiql.page(self._settings.graphiql_assets_path)
            await response(scope, receive, send)
        else:
            await self._view(scope, receive, send)


def _is_page_request(request: Request) -> bool:
    asks = {"query", "documentId", "extensions"} & request.query_params.keys()
    wants_page = negotiation.prefers_html(request.headers.get("accept"))
    return request.method == "GET" and not asks and wants_page


def _graphiql_routes(settings: Settings) -> list[Route]:
    async def asset(request: Request) -> Response:
        return graphiql.asset(request, settings.graphiql_assets_path)

    async def page_file(request: Request) -> Response:
        return graphiql.page_file(request)

    assets = [Route("/graphiql/assets/{name}", asset)] if settings.graphiql else []
    return [*assets, Route("/graphiql/{name}", page_file)]


def _operator_routes(store: Store, counted: metrics.Metrics) -> list[Route]:
    text = sdl()
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        try:
            result = await store.fetch(ProgressPlan(), READY_TIMEOUT_S)
        except GatewayError as error:
            logs.logger().warning("not_ready", cause=str(error))
            body = {"ready": False, "code": error.code.name, "message": error.public_message}
            return JSONResponse(body, 503)
        return JSONResponse({"ready": True, "asOfMs": result.as_of_ms})

    async def prometheus(_: Request) -> Response:
        return Response(counted.text(), media_type=metrics.CONTENT_TYPE)

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
