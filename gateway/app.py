"""The one place where the gateway is wired together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields

from fastapi import FastAPI
from graphql import build_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import docs_page, documents, graphiql, logs, metrics, negotiation
from gateway.admission import Admission
from gateway.analytics import Analytics
from gateway.auth.authenticator import Authenticator
from gateway.auth.opening import masking_of, open_door
from gateway.budget.balance import UNLIMITED, Rate
from gateway.budget.local import LocalBudget
from gateway.budget.subjects import Budgets
from gateway.caller import EVERYONE, Caller, Role
from gateway.caps import Caps
from gateway.clock import Deadline, EpochMs, Monotonic, system_epoch_ms
from gateway.context import OperationContext
from gateway.cost.pricing import Pricing
from gateway.cost.sizes import estimates
from gateway.cost.weights import read as read_weights
from gateway.errors import GatewayError, UnauthenticatedError
from gateway.limits import Limits
from gateway.masking import Masking
from gateway.origins import Origins
from gateway.preparation import Preparation
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
        settings, chosen, masking_of(settings), counted, epoch_ms, monotonic
    )
    view = make_view(settings, make_context, door)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.configure(settings.log_level)
        await chosen.open()
        logs.logger().info("started", store=settings.store, port=settings.port, auth=settings.auth)
        yield
        await chosen.close()
        await door.close()
        await view.admission.budgets.close()
        logs.logger().info("stopped")

    app = FastAPI(
        title="Payment analytics gateway",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    endpoint = _GraphQLOrGraphiQL(view, settings)
    app.router.routes += [Route("/graphql", endpoint), *_graphiql_routes(settings)]
    app.router.routes += _operator_routes(settings, view, chosen, counted)
    app.add_middleware(Origins, allowed=settings.origins)
    return app


def make_store(settings: Settings) -> Store:
    """The store that the settings name; only that one is imported."""
    if settings.store == "duckdb":
        from gateway.duckdb.store import DuckdbStore

        return DuckdbStore(settings.sample_transfers)
    from gateway.pinot.store import PinotStore

    return PinotStore(settings)


def caps_of(settings: Settings) -> Caps:
    """What a document may have at most."""
    return Caps(**{each.name: getattr(settings, each.name) for each in fields(Caps)})


def limits_of(settings: Settings, rate: Rate = UNLIMITED) -> Limits:
    """The limits that the rules check and `limits` tells to a caller of that rate."""
    same = [each.name for each in fields(Limits) if not each.name.startswith("budget_")]
    return Limits(
        **{name: getattr(settings, name) for name in same},
        budget_per_second=rate.per_s if rate.limited else None,
        budget_burst=rate.burst if rate.limited else None,
    )


def rate_of(settings: Settings, caller: Caller) -> Rate:
    """How much a caller may ask for."""
    if caller is EVERYONE:
        return Rate(settings.anonymous_budget_per_s, settings.anonymous_budget_burst)
    return Rate(settings.budget_per_s, settings.budget_burst)


def make_budgets(settings: Settings, counted: metrics.Metrics, monotonic: Monotonic) -> Budgets:
    """The budgets, shared through Redis if one is named."""
    known = Rate(settings.budget_per_s, settings.budget_burst)
    anonymous = rate_of(settings, EVERYONE)
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
    """Makes the context of an operation: one now, one deadline, one view of the store."""

    settings: Settings
    store: Store
    masking: Masking
    counted: metrics.Metrics
    epoch_ms: EpochMs
    monotonic: Monotonic

    def __call__(self, request_id: str, caller: Caller) -> OperationContext:
        """A fresh context."""
        limits = limits_of(self.settings, rate_of(self.settings, caller))
        deadline = Deadline.after(limits.deadline_ms / 1000, self.monotonic)
        observe = self.counted.store_seconds.observe
        shared = OperationStore(self.store, deadline, limits.max_store_queries, observe)
        rules = Analytics(shared, self.epoch_ms(), limits, self.store.sample_data, caller)
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
    counted, monotonic = make_context.counted, make_context.monotonic
    budgets = make_budgets(settings, counted, monotonic)
    return GraphQLView(
        door=door,
        schema=make_schema(),
        documents=known,
        admission=Admission(make_preparation(settings), budgets, settings.max_cost),
        make_context=make_context,
        metrics=counted,
        monotonic=monotonic,
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


async def _may_read_schema(request: Request, view: GraphQLView, introspection: bool) -> bool:
    """Everybody if introspection is on; else callers who proved to be operators."""
    if introspection:
        return True
    try:
        caller = await view.caller(request)
    except UnauthenticatedError:
        return False
    return caller is not EVERYONE and caller.role is Role.OPERATOR


def _operator_routes(
    settings: Settings, view: GraphQLView, store: Store, counted: metrics.Metrics
) -> list[Route]:
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
        if not await _may_read_schema(request, view, settings.introspection):
            return PlainTextResponse("Not found\n", 404)
        headers = {"ETag": etag, "Cache-Control": "private, max-age=60"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/plain; charset=utf-8", headers=headers)

    async def docs(request: Request) -> Response:
        if not await _may_read_schema(request, view, settings.introspection):
            return PlainTextResponse("Not found\n", 404)
        return HTMLResponse(docs_page.page(), headers=graphiql.PAGE_HEADERS)

    return [
        Route("/docs", docs),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", prometheus),
        Route("/schema.graphql", schema_graphql),
    ]
