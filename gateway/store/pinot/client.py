"""Pinot's broker, asked through pinotdb: one session a process, a deadline on every statement."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pinotdb.db import AsyncCursor
from pinotdb.exceptions import Error as PinotdbError

from gateway.errors import StoreUnavailableError
from gateway.process import traces
from gateway.store.pinot import response
from gateway.store.pinot.broker_session import BrokerReply, BrokerSession
from gateway.store.pinot.response import BrokerAnswer
from gateway.store.pinot.sql import of_pipeline

_BROKER_HEAD_START_S = 0.1
"""The broker gives up this much before we do, so that its own message arrives."""


class _Cursor(AsyncCursor):  # type: ignore[misc]  # pinotdb has no types
    """pinotdb's cursor, but statements go as they are: its formatting damages `%` where there are no parameters."""

    def finalize_query_payload(
        self,
        operation: str,
        _parameters: object = None,
        queryOptions: str | None = None,  # noqa: N803 - pinotdb's name
    ) -> dict[str, str]:
        """The request's body."""
        return {"sql": operation, "queryOptions": queryOptions or ""}


class _Statement:
    """The session as the cursor of one statement has it: keeps the reply, whose rows pinotdb is not shown."""

    def __init__(self, session: BrokerSession) -> None:
        self.headers: dict[str, str] = {}
        self.reply: BrokerReply
        self._session = session

    async def post(
        self, url: str, *, json: Mapping[str, str], headers: Mapping[str, str], timeout_s: float
    ) -> BrokerReply:
        self.reply = await self._session.post(
            url, json=json, headers={**self.headers, **headers}, timeout_s=timeout_s
        )
        return self.reply


class PinotClient:
    """Runs SQL statements over one pipeline's tables; keeps no state but its connections and their number."""

    def __init__(self, broker_url: str, session: BrokerSession, pipeline: str = "") -> None:
        address = urlsplit(broker_url)
        self._pipeline = pipeline
        self._session = session
        self._numbers = itertools.count()
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
        headers = {}
        if correlation_id := traces.correlation_id():
            # With a number: Pinot accounts for and cancels statements by it, so no two may share one.
            correlation_id += f"-{next(self._numbers)}"
            given["clientQueryId"] = headers["X-Correlation-Id"] = correlation_id
        statement = _Statement(self._session)
        cursor = _Cursor(session=statement, **self._address)
        try:
            native = await cursor.execute_native(
                of_pipeline(sql, self._pipeline),
                query_options=";".join(f"{name}={value}" for name, value in given.items()),
                allow_partial=True,
                headers=headers,
                timeout_s=timeout_s,
            )
        except (PinotdbError, UnicodeError) as error:
            kind = type(error).__name__  # its words may quote the answer
            raise StoreUnavailableError(f"the broker's answer is malformed: {kind}") from error
        return response.read(native, statement.reply.rows)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.aclose()
