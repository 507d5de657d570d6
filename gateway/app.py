"""The application: GraphQL in front, and around it what operators and browsers ask for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import docs_page, graphiql, logs, negotiation, wiring
from gateway.auth.authenticator import Authenticator
from gateway.auth.opening import masking_of, open_door, scraping_of
from gateway.caller import EVERYONE, SCOPE_KEY, Caller, Role
from gateway.clock import EpochMs, Monotonic, system_epoch_ms
from gateway.drain import ClosingConnections
from gateway.errors import GatewayError, UnauthenticatedError
from gateway.hosts import Hosts, allowed_names
from gateway.http_request import RequestIds
from gateway.metrics_page import metrics_route
from gateway.origins import Origins
from gateway.process import Process
from gateway.query_plan import ProgressPlan
from gateway.sdl import sdl
from gateway.setting_values import is_loopback
from gateway.settings import Settings
from gateway.store import Store

READY_TIMEOUT_S = 2.0


def create_app(
    settings: Settings,
    store: Store | None = None,
    epoch_ms: EpochMs = system_epoch_ms,
    monotonic: Monotonic = time.monotonic,
    process: Process | None = None,
) -> ASGIApp:
    """The gateway as an ASGI application; its store is open while it runs.

    Raises `SettingsError` for authentication that cannot work.
    """
    process = process or Process()
    counted = process.metrics
    door = open_door(settings, epoch_ms, monotonic)
    scraping = scraping_of(settings, door)
    chosen = wiring.admitted(store or wiring.make_store(settings), settings, counted, monotonic)
    make_context = wiring.make_context_maker(
        settings, chosen, masking_of(settings), counted, epoch_ms, monotonic
    )
    view = wiring.make_view(settings, make_context, door)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.configure(settings.log_level)
        await chosen.open()
        view.open()
        logs.logger().info("started", store=settings.store, port=settings.port, auth=settings.auth)
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
    app.router.routes += [*_graphiql_routes(settings), *_schema_routes(settings, door)]
    app.router.routes += [*_health_routes(chosen, process), metrics_route(scraping, process)]
    front = Origins(_Front(view, app, settings), settings.origins)
    names = allowed_names(settings.hosts, on_loopback=is_loopback(settings.host))
    return ClosingConnections(Hosts(front, names, RequestIds()), process.drain)


class _Front:
    """`/graphql` before all else: GraphiQL for a browser that asks for a page, GraphQL for others."""

    def __init__(self, view: ASGIApp, app: ASGIApp, settings: Settings) -> None:
        self._view = view
        self._app = app
        self._graphiql = settings.graphiql
        self._assets = settings.graphiql_assets_path

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != "/graphql":
            return self._app(scope, receive, send)
        if scope["method"] == "GET" and self._graphiql and _is_page_request(scope):
            return graphiql.page(self._assets)(scope, receive, send)
        return self._view(scope, receive, send)


def _is_page_request(scope: Scope) -> bool:
    request = Request(scope)
    asks = {"query", "documentId", "extensions"} & request.query_params.keys()
    return not asks and negotiation.prefers_html(request.headers.get("accept"))


def _graphiql_routes(settings: Settings) -> list[Route]:
    async def asset(request: Request) -> Response:
        return graphiql.asset(request, settings.graphiql_assets_path)

    async def page_file(request: Request) -> Response:
        return graphiql.page_file(request)

    async def front_page(_: Request) -> Response:
        return RedirectResponse("/graphql" if settings.graphiql else "/docs")

    assets = [Route("/graphiql/assets/{name}", asset)] if settings.graphiql else []
    return [*assets, Route("/graphiql/{name}", page_file), Route("/", front_page)]


def _schema_routes(settings: Settings, door: Authenticator) -> list[Route]:
    text = sdl()
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    async def may_read(request: Request) -> bool:
        """Everybody if introspection is on; else callers who proved to be operators."""
        if settings.introspection:
            return True
        caller: Caller | None = request.scope.get(SCOPE_KEY)
        try:
            caller = caller or await door.authenticate(request.headers.raw)
        except UnauthenticatedError:
            return False
        return caller is not EVERYONE and caller.role is Role.OPERATOR

    async def schema_graphql(request: Request) -> Response:
        if not await may_read(request):
            return PlainTextResponse("Not found\n", 404)
        headers = {"ETag": etag, "Cache-Control": "private, max-age=60"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/plain; charset=utf-8", headers=headers)

    async def docs(request: Request) -> Response:
        if not await may_read(request):
            return PlainTextResponse("Not found\n", 404)
        return HTMLResponse(docs_page.page(), headers=graphiql.PAGE_HEADERS)

    return [Route("/docs", docs), Route("/schema.graphql", schema_graphql)]


def _health_routes(store: Store, process: Process) -> list[Route]:
    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        if process.drain.begun:
            return JSONResponse({"ready": False, "message": "This process is about to end."}, 503)
        try:
            result = await store.fetch(ProgressPlan(), READY_TIMEOUT_S)
        except GatewayError as error:
            logs.logger().warning("not_ready", cause=str(error))
            body = {"ready": False, "code": error.code.name, "message": error.public_message}
            return JSONResponse(body, 503)
        return JSONResponse({"ready": True, "asOfMs": result.as_of_ms})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
