"""The answers that the documentation shows: each committed document, asked on sample data at one fixed instant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from gateway.app import create_app
from gateway.process import logs
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from local_stack.settings import CHECKOUT

SCHEMA = CHECKOUT / "graphql_schema"
ANSWERS = SCHEMA / "answers"
FOLDERS = ("operations", "subscriptions", "refusals")
NOW_MS = 1_763_800_000_000
TRANSFERS = 2_000
SETTINGS = Settings(log_level="error", signing_keys="only-for-the-answers-in-the-documentation")
"""The keys are no secret: they make cursors that are the same each time."""

VARIABLES: dict[str, Any] = {
    "accountId": "acct-000001",
    "otherId": "acct-000002",
    "transactionId": "00000000-0000-4000-8000-000000000000",
    "accountIds": ["acct-000001", "acct-000002"],
    "window": {"last": {"count": 7, "unit": "DAY"}},
    "first": 3,
    "latest": 3,
    "timeZone": "Asia/Ho_Chi_Minh",
}
"""Short answers are read: three rows of each list, a week of each series."""


def stale() -> Iterator[tuple[Path, str]]:
    """The files of answers that are not what the gateway says now, with what they should hold."""
    current = asyncio.run(_answers({path.stem: path.read_text() for path in documents()}))
    for path, text in current.items():
        if not path.is_file() or path.read_text() != text:
            yield path, text


def left_over() -> list[Path]:
    """Answers whose document is gone."""
    named = {path.stem for path in documents()}
    return [path for path in sorted(ANSWERS.glob("*.json")) if path.stem not in named]


def documents() -> list[Path]:
    """All of them: no two have one name."""
    return sorted(path for folder in FOLDERS for path in (SCHEMA / folder).glob("*.graphql"))


async def _answers(texts: dict[str, str]) -> dict[Path, str]:
    logs.configure("error")
    store = DuckdbStore(TRANSFERS, epoch_ms=lambda: NOW_MS)
    await store.open()
    app = create_app(SETTINGS, store, epoch_ms=lambda: NOW_MS)
    transport = httpx.ASGITransport(app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return {
                ANSWERS / f"{name}.json": await _answer(client, text)
                for name, text in texts.items()
            }
    finally:
        await store.close()


async def _answer(client: httpx.AsyncClient, text: str) -> str:
    variables = {name: value for name, value in VARIABLES.items() if f"${name}:" in text}
    # What a subscription is told first is what the query of the same fields is answered.
    query = text.replace("\nsubscription ", "\nquery ", 1)
    body = {"query": query, "variables": variables}
    headers = {"Accept": "application/graphql-response+json", "X-Request-Id": "yours"}
    response = await client.post("/graphql", json=body, headers=headers)
    told = {"variables": variables, "status": response.status_code, "answer": response.json()}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
