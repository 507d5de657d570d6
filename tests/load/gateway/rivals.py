"""The same schema and resolvers as other people would serve them: FastAPI's router of Strawberry."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import strawberry
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.extensions.base_extension import SchemaExtension
from strawberry.fastapi import BaseContext, GraphQLRouter
from strawberry.schema.config import StrawberryConfig

from gateway.access.auth.opening import masking_of
from gateway.access.budget.balance import UNLIMITED
from gateway.access.caller import EVERYONE
from gateway.access.signing_keys import signer_of_cursors
from gateway.analytics.cursor import Cursors
from gateway.analytics.questions import Apart
from gateway.execution.context import OperationContext
from gateway.process.clock import EpochMs
from gateway.process.metrics import Metrics
from gateway.settings import Settings
from gateway.store.overload.party import Party
from gateway.store.port import Store
from gateway.wiring.documents import limits_of
from gateway.wiring.operations import ContextMaker
from gateway.wiring.stores import admitted
from graphql_schema.port import Resolvers
from graphql_schema.query import Query
from graphql_schema.scalars import SCALARS

SIGNING_KEY = "the-one-key-of-all-the-contestants"
"""What all contestants sign cursors with: without it each process has its own key, and no two agree."""


class _Context(BaseContext):
    """The gateway's context in the clothes that the router asks for."""

    def __init__(self, operation: OperationContext) -> None:
        super().__init__()
        self._operation = operation

    def resolvers_at(self, path: Sequence[str | int]) -> Resolvers:
        """The resolvers for the field at a path."""
        return self._operation.resolvers_at(path)


def strawberry_app(store: Store, epoch_ms: EpochMs, *, caches: bool) -> ASGIApp:
    """FastAPI with Strawberry's router; `caches`: with its own caches of parsing and validation."""
    extensions: list[Callable[[], SchemaExtension]] = [ParserCache, ValidationCache]
    schema = strawberry.Schema(
        query=Query,
        extensions=extensions if caches else [],
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    settings, counted = Settings(signing_keys=SIGNING_KEY), Metrics()
    masking = masking_of(settings)
    limits = limits_of(settings, UNLIMITED)
    asked = admitted(store, settings, counted, time.monotonic)
    make_context = ContextMaker(
        known_limits=limits,
        anonymous_limits=limits,
        store=asked,
        masking=masking,
        counted=counted,
        epoch_ms=epoch_ms,
        monotonic=time.monotonic,
        tick_ms=1,
        cursors=Cursors(signer_of_cursors(settings, masking, b"")),
    )

    async def context() -> _Context:
        return _Context(
            make_context("benchmark", EVERYONE, Party(["benchmark"]), Apart(True, True))
        )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.open()
        yield
        await store.close()

    app = FastAPI(lifespan=lifespan)
    app.include_router(GraphQLRouter(schema, context_getter=context), prefix="/graphql")
    return app


def constant_app(body: bytes) -> ASGIApp:
    """What no server in Python can beat by much: reads the request, and sends the same bytes."""
    headers = [
        (b"content-type", b"application/graphql-response+json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
