"""The application: GraphQL in front, and around it what operators and browsers ask for."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.exceptions import HTTPException
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

from gateway.access.auth.authenticator import Authenticator
from gateway.access.auth.opening import masking_of, open_door, scraping_of
from gateway.access.auth.told import tell_of_credentials
from gateway.access.caller import EVERYONE, SCOPE_KEY, Caller, Role
from gateway.access.signing_keys import signer_of_cursors
from gateway.analytics.cursor import Cursors
from gateway.analytics.pipeline_plan import ProgressPlan
from gateway.errors import FailedLoginsError, GatewayError, UnauthenticatedError
from gateway.execution.sdl import sdl
from gateway.http import negotiation
from gateway.http.export.view import PATH as EXPORT
from gateway.http.forwarded import Forwarded
from gateway.http.hosts import Hosts, allowed_names
from gateway.http.origins import Origins
from gateway.http.request import RequestIds, address_of
from gateway.http.traced import TracedOperations
from gateway.http.web_socket import WebSockets
from gateway.live.stream import Sleep
from gateway.pages import files, graphiql, live
from gateway.pages.docs import page as docs_page
from gateway.pages.elsewhere import Elsewhere, not_found
from gateway.pages.metrics import log_refused, metrics_route
from gateway.process import logs, traces
from gateway.process.addresses import is_loopback
from gateway.process.clock import EpochMs, Monotonic, system_epoch_ms
from gateway.process.drain import ClosingConnections
from gateway.process.shared import Process
from gateway.settings import Settings, SettingsError
from gateway.store.port import Store
from gateway.store.traced import TracedStore
from gateway.wiring.documents import told_of
from gateway.wiring.endpoints import make_export, make_view
from gateway.wiring.operations import make_context_maker
from gateway.wiring.redis import tell_of_certificates
from gateway.wiring.stores import admitted, make_store

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

READY_TIMEOUT_S = 2.0


GRAPHQL = "/graphql"


def create_app(
    settings: Settings,
    store: Store | None = None,
    epoch_ms: EpochMs = system_epoch_ms,
    monotonic: Monotonic = time.monotonic,
    process: Process | None = None,
    provider: TracerProvider | None = None,
    sleep: Sleep = asyncio.sleep,
) -> ASGIApp:
    """The gateway as an ASGI application; its store is open while it runs, and so is `provider`.

    Raises `SettingsError` for authentication or tracing that cannot work.
    """
    process = process or Process()
    counted = process.metrics
    door = open_door(settings, epoch_ms, monotonic)
    scraping = scraping_of(settings, door, monotonic)
    trusted = [*door.watch.files, *scraping.watch.files]
    tell_of_credentials(door, trusted, counted, epoch_ms)
    tell_of_certificates(settings, counted, monotonic)
    provider = provider or _exporting(settings)
    tracer = None if provider is None else provider.get_tracer("gateway")
    store = store or make_store(settings)
    if tracer is not None:
        store = TracedStore(store, tracer, settings.store)
    chosen = admitted(store, settings, counted, monotonic)
    masking = masking_of(settings)
    cursors = Cursors(signer_of_cursors(settings, masking, process.secret))
    make_context = make_context_maker(
        settings, chosen, masking, counted, epoch_ms, monotonic, cursors
    )
    live = process.drain, sleep
    view = make_view(settings, make_context, door, *live, traced=tracer is not None)
    endpoint = TracedOperations(view, tracer) if tracer is not None else view
    export: ASGIApp = make_export(settings, view, make_context, *live)
    export = TracedOperations(export, tracer, EXPORT) if tracer is not None else export
    heartbeat_s = view.streams.audience.limits.heartbeat_s
    sockets = WebSockets(
        endpoint, door, view.record, view.request_ids, monotonic, sleep, heartbeat_s
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.configure(settings.log_level)
        for file in trusted:
            file.warn()
        await chosen.open()
        view.open()
        logs.logger().info("started", store=settings.store, port=settings.port, auth=settings.auth)
        yield
        await view.close()
        await chosen.close()
        if provider is not None:
            await traces.end(provider)
        logs.logger().info("stopped")

    def tell_refused(scope: Scope, request_id: str, status: int) -> None:
        if _path_of(scope) in {GRAPHQL, EXPORT}:
            view.record.not_let_in(request_id, address_of(scope), status)

    request_ids = RequestIds()
    elsewhere = Elsewhere(request_ids)
    app = FastAPI(
        title="Payment analytics gateway",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: elsewhere, Exception: elsewhere},
    )
    app.router.routes += [*_page_routes(settings), *_schema_routes(settings, door)]
    app.router.routes += [Route(EXPORT, export)] if settings.exports else []
    app.router.routes += [*_health_routes(chosen, process), metrics_route(scraping, counted)]
    front = Origins(
        _Front(endpoint, sockets, elsewhere, app, settings),
        settings.origins,
        settings.page_headers,
        request_ids,
        tell_refused,
    )
    names = allowed_names(settings.hosts, on_loopback=is_loopback(settings.host))
    known = ClosingConnections(Hosts(front, names, request_ids, tell_refused), process.drain)
    return Forwarded(known, settings.proxies) if settings.proxies else known


def _exporting(settings: Settings) -> TracerProvider | None:
    if not settings.traces:
        return None
    try:
        return traces.exporting()
    except traces.TracingMissingError as error:
        raise SettingsError(str(error)) from None


class _Front:
    """`/graphql` before all else: GraphiQL for a browser that asks for a page, GraphQL for others.

    A `/` at a path's end makes no difference.
    """

    def __init__(
        self,
        view: ASGIApp,
        sockets: ASGIApp,
        elsewhere: Elsewhere,
        app: ASGIApp,
        settings: Settings,
    ) -> None:
        self._view = view
        self._sockets = sockets
        self._elsewhere = elsewhere
        self._app = app
        self._graphiql = settings.graphiql
        self._assets = settings.graphiql_assets_path

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        path = scope["path"] = _path_of(scope)
        if scope["type"] == "websocket":
            at = self._sockets if path == GRAPHQL else self._elsewhere.of_socket
            return at(scope, receive, send)
        if path != GRAPHQL:
            return self._app(scope, receive, send)
        if scope["method"] == "GET" and self._graphiql and _is_page_request(scope):
            return graphiql.page(self._assets)(scope, receive, send)
        return self._view(scope, receive, send)


def _path_of(scope: Scope) -> str:
    path: str = scope["path"]
    if path != GRAPHQL and len(path) > 1 and path.endswith("/"):
        return path[:-1]
    return path


def _is_page_request(scope: Scope) -> bool:
    request = Request(scope)
    asks = {"query", "documentId", "extensions"} & request.query_params.keys()
    return not asks and negotiation.prefers_html(request.headers.get("accept"))


def _page_routes(settings: Settings) -> list[Route]:
    async def asset(request: Request) -> Response:
        return graphiql.asset(request, settings.graphiql_assets_path)

    async def page_file(request: Request) -> Response:
        return graphiql.page_file(request)

    async def front_page(_: Request) -> Response:
        return RedirectResponse("/graphql" if settings.graphiql else "/docs")

    assets = [Route("/graphiql/assets/{name}", asset)] if settings.graphiql else []
    front = (
        live.routes(settings.page_assets_path, graphiql=settings.graphiql)
        if settings.page
        else [Route("/", front_page)]
    )
    return [*assets, Route("/graphiql/{name}", page_file), *front, live.look_route()]


def _schema_routes(settings: Settings, door: Authenticator) -> list[Route]:
    told = told_of(settings)
    text = sdl(told)
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    async def may_read(request: Request) -> bool:
        """Everybody if introspection is on; else callers who proved to be operators."""
        if settings.introspection:
            return True
        caller: Caller | None = request.scope.get(SCOPE_KEY)
        try:
            address = address_of(request.scope)
            caller = caller or await door.authenticate(request.headers.raw, address)
        except (UnauthenticatedError, FailedLoginsError) as error:
            log_refused(request, error)
            return False
        return caller is not EVERYONE and caller.role is Role.OPERATOR

    async def schema_graphql(request: Request) -> Response:
        if not await may_read(request):
            raise not_found()
        vary = "Authorization, X-API-Key"
        headers = {"ETag": etag, "Cache-Control": "private, max-age=60", "Vary": vary}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/plain; charset=utf-8", headers=headers)

    async def docs(request: Request) -> Response:
        if not await may_read(request):
            raise not_found()
        text = docs_page.page(told, graphiql=settings.graphiql)
        return HTMLResponse(text, headers=live.PAGE_HEADERS)

    async def docs_file(request: Request) -> Response:
        return files.file(request, docs_page.FOLDER)

    return [
        Route("/docs", docs),
        Route("/docs/{name}", docs_file),
        Route("/schema.graphql", schema_graphql),
    ]


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
