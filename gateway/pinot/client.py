"""Pinot's broker over HTTP: one connection pool a process, a deadline on every statement."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from pinotdb.db import AsyncCursor
from pinotdb.exceptions import DataError
from pinotdb.exceptions import Error as PinotdbError
from pinotdb.native import (
    NativeQueryResult,
    decode_query_response,
)

from gateway.errors import DeadlineExceededError, StoreUnavailableError
from gateway.pinot import response
from gateway.pinot.response import BrokerAnswer

_BROKER_HEAD_START_S = 0.1
"""The broker gives up this much before we do, so that its own message arrives."""


class _ExactCursor(AsyncCursor):  # type: ignore[misc]  # pinotdb has no types
    """A cursor that changes nothing on the way.

    pinotdb's formatting of parameters damages `%` in text, and its reading of JSON takes
    BIG_DECIMAL numbers for floats.
    """

    def finalize_query_payload(
        self,
        operation: str,
        _parameters: object = None,
        queryOptions: str | None = None,  # noqa: N803 - pinotdb's name
    ) -> dict[str, str]:
        """The request's body."""
        return {"sql": operation, "queryOptions": queryOptions or ""}

    def _normalize_native_response(
        self, query: dict[str, str], response: httpx.Response, _allow_partial: bool
    ) -> NativeQueryResult:
        response.raise_for_status()
        try:
            payload = exact_json(response.content)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise DataError("the broker's answer is not a broker's JSON") from error
        return decode_query_response(payload, sql=query["sql"])


class PinotClient:
    """Runs SQL statements; keeps no state but its connections."""

    def __init__(self, broker_url: str, transport: httpx.AsyncBaseTransport) -> None:
        address = urlsplit(broker_url)
        self._session = httpx.AsyncClient(transport=transport, trust_env=False)
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
        cursor = _ExactCursor(session=self._session, **self._address)
        try:
            native = await cursor.execute_native(
                sql,
                query_options=";".join(f"{name}={value}" for name, value in given.items()),
                allow_partial=True,
                timeout=httpx.Timeout(timeout_s),
            )
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            if is_timeout(error):
                raise DeadlineExceededError(f"no answer in {timeout_s:.3f} s") from error
            raise StoreUnavailableError(f"the broker cannot be reached: {error!r}") from error
        except PinotdbError as error:
            raise StoreUnavailableError(f"the broker's answer is malformed: {error!r}") from error
        return response.read(native)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()


def is_timeout(error: Exception) -> bool:
    """Whether time ran out; httpx-aiohttp calls a refused or broken connection a timeout too."""
    cause = error.__cause__
    return isinstance(error, httpx.TimeoutException) and (
        cause is None or isinstance(cause, TimeoutError)
    )


def exact_json(content: bytes) -> Any:
    """JSON with fractions as their text, but in columns of doubles as the doubles they are."""
    payload = json.loads(content, parse_float=str)
    table = payload.get("resultTable") if isinstance(payload, dict) else None
    if not isinstance(table, dict):
        return payload
    types = table.get("dataSchema", {}).get("columnDataTypes", ())
    for column, name in enumerate(types):
        if name in ("DOUBLE", "FLOAT"):
            for row in table.get("rows", ()):
                row[column] = float(row[column])
    return payload
