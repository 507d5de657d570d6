"""Pinot's broker over HTTP: one connection pool a process, a deadline on every statement."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from pinotdb.db import AsyncCursor  # type: ignore[import-untyped]
from pinotdb.exceptions import Error as PinotdbError  # type: ignore[import-untyped]

from gateway.errors import DeadlineExceeded, StoreUnavailable
from gateway.pinot import response
from gateway.pinot.response import BrokerAnswer

_BROKER_HEAD_START_S = 0.1
"""The broker gives up this much before we do, so that its own message arrives."""


class _VerbatimCursor(AsyncCursor):  # type: ignore[misc]  # pinotdb has no types
    """A cursor that sends SQL as it is: pinotdb's formatting of parameters damages `%` in text."""

    def finalize_query_payload(
        self, operation: str, parameters: object = None, queryOptions: str | None = None
    ) -> dict[str, str]:
        """The request's body."""
        return {"sql": operation, "queryOptions": queryOptions or ""}


class PinotClient:
    """Runs SQL statements; keeps no state but its connections."""

    def __init__(
        self, broker_url: str, connections: int, transport: httpx.AsyncBaseTransport
    ) -> None:
        address = urlsplit(broker_url)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._session = httpx.AsyncClient(transport=transport, limits=limits, trust_env=False)
        self._address: dict[str, Any] = {
            "scheme": address.scheme or "http",
            "host": address.hostname or "127.0.0.1",
            "port": address.port or 8099,
        }

    async def run(
        self, sql: str, timeout_s: float, options: dict[str, str | int] | None = None
    ) -> BrokerAnswer:
        """The complete answer of one statement, or a `StoreError`."""
        broker_s = max(timeout_s - _BROKER_HEAD_START_S, timeout_s / 2)
        given = {"timeoutMs": max(1, int(broker_s * 1000)), **(options or {})}
        cursor = _VerbatimCursor(session=self._session, **self._address)
        try:
            native = await cursor.execute_native(
                sql,
                query_options=";".join(f"{name}={value}" for name, value in given.items()),
                allow_partial=True,
                timeout=httpx.Timeout(timeout_s),
            )
        except httpx.TimeoutException as error:
            raise DeadlineExceeded(f"the broker did not answer in {timeout_s:.3f} s") from error
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"the broker cannot be reached: {error!r}") from error
        except PinotdbError as error:
            raise StoreUnavailable(f"the broker's answer is malformed: {error!r}") from error
        return response.read(native)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()
