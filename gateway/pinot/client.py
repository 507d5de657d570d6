"""Pinot's broker, asked through pinotdb: one session a process, a deadline on every statement."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from pinotdb.db import AsyncCursor
from pinotdb.exceptions import DataError
from pinotdb.exceptions import Error as PinotdbError
from pinotdb.native import (
    NativeQueryResult,
    decode_query_response,
)

from gateway.errors import StoreUnavailableError
from gateway.pinot import response
from gateway.pinot.broker_session import BrokerSession, Reply
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
        self, _query: dict[str, str], response: Reply, _allow_partial: bool
    ) -> NativeQueryResult:
        response.raise_for_status()
        try:
            payload = exact_json(response.content)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise DataError("the broker's answer is not a broker's JSON") from error
        return _decoded(payload)


class PinotClient:
    """Runs SQL statements; keeps no state but its connections."""

    def __init__(self, broker_url: str, session: BrokerSession) -> None:
        address = urlsplit(broker_url)
        self._session = session
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
                timeout_s=timeout_s,
            )
        except PinotdbError as error:
            raise StoreUnavailableError(f"the broker's answer is malformed: {error!r}") from error
        return response.read(native)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()


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
                if not isinstance(row[column], bool):
                    row[column] = float(row[column])
    return payload


def _is_evidence(name: str) -> bool:
    """Whether completeness is judged by it, whatever it holds; the other counts nobody reads."""
    return name in response.EVIDENCE or name.endswith("Reached")


def _decoded(payload: Any) -> NativeQueryResult:
    """Pinotdb's reading of the evidence, with the rows as they came.

    pinotdb copies the answer twice, cell by cell, and its rows a third time; each cell is
    judged where it is read.
    """
    table = payload.get("resultTable") if isinstance(payload, dict) else None
    if not isinstance(table, dict):
        return decode_query_response(payload)
    evidence = {name: value for name, value in payload.items() if _is_evidence(name)}
    native = decode_query_response({**evidence, "resultTable": {**table, "rows": []}})
    rows, width = table.get("rows"), len(native.columns)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == width for row in rows
    ):
        raise DataError("the broker's rows are not as wide as its columns")
    native.rows = rows
    return native
