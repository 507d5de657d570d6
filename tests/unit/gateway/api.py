"""The API over the reference store, asked as a client asks it."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.analytics.model import Entry
from gateway.app import create_app
from gateway.settings import Settings
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore


class Api:
    """The API over the reference store."""

    def __init__(self, data: list[Entry], store: ReferenceStore | None = None) -> None:
        self.store = store or ReferenceStore(data)
        app = create_app(Settings(), self.store, epoch_ms=lambda: NOW_MS)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        body = {"query": query, "variables": variables}
        answer = (await self.client.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def account(self, fields: str, **variables: Any) -> dict[str, Any]:
        """Fields of alice."""
        answer: dict[str, Any] = (
            await self.ask('{ account(id: "alice") { %s } }' % fields, **variables)  # noqa: UP031
        )["account"]
        return answer
