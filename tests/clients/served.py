"""The gateway over sockets in this process, on a store that a test adds to and takes away."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Any

import httpx
import uvicorn

from gateway.__main__ import http_of
from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.app import create_app
from gateway.errors import StoreUnavailableError
from gateway.process.connection import Connection
from gateway.process.connections import Connections, Limits
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from local_stack.settings import StackSettings
from tests.integration.gateway_process import free_port
from tests.store_cases import transfer

UUID = "10000000-0000-4000-8000-{:012d}"


class HeldStore(DuckdbStore):
    """Sample data, and what a test pays in; answers nothing while it is `out`."""

    out = False
    paid = 0

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """As the embedded store, unless it is out."""
        if self.out:
            raise StoreUnavailableError("taken away by the test")
        return await super().fetch(plan, timeout_s)

    def pay(self, receiver: str, sender: str, amount: str, time_ms: int) -> str:
        """One more transfer; returns its id."""
        self.paid += 1
        transaction_id = UUID.format(self.paid)
        self.load(transfer(receiver, sender, transaction_id, Decimal(amount), time_ms))
        return transaction_id


def page_settings(**others: Any) -> Settings:
    """With the chart library where `./dev up` lays it."""
    return Settings(log_level="error", page_assets=str(StackSettings().uplot), **others)


class _Server(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


@asynccontextmanager
async def serving(
    store: DuckdbStore, settings: Settings, port: int | None = None
) -> AsyncIterator[str]:
    """Its address while it serves; at the end connections are cut, streams among them."""
    port = port or free_port()
    config = http_of(create_app(settings, store), Connections(Limits()))
    config.host, config.port, config.timeout_graceful_shutdown = "127.0.0.1", port, 2
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not running.done(), "the gateway did not start"
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        for connection in list(server.server_state.connections):
            assert isinstance(connection, Connection)
            connection.transport.abort()
        await running
        # Of an operation that is stopped graphql-core drops what it had not begun to await.
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            gc.collect()


async def answer(url: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """What the API says, asked as any client does."""
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"query": document, "variables": variables}
        response = await client.post(f"{url}/graphql", json=body)
        told: dict[str, Any] = response.json()
    assert "errors" not in told, told
    return told
