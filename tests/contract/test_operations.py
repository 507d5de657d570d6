"""Every document that the project shows or sends is answered by the embedded store."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, parse

from gateway import graphiql
from gateway.app import create_app
from gateway.duckdb.store import DuckdbStore
from gateway.settings import Settings

FOLDER = Path(__file__).parents[2] / "graphql_schema" / "operations"
NOW_MS = 1_763_800_000_000
VARIABLES = {
    "accountId": "acct-000001",
    "accountIds": ["acct-000001", "acct-000002"],
    "window": {"last": {"count": 30, "unit": "DAY"}},
    "zone": "Asia/Ho_Chi_Minh",
    "timeZone": "Europe/Berlin",
}


def ask(document: str) -> dict[str, Any]:
    """The whole answer, from a gateway of its own."""
    used = {name: value for name, value in VARIABLES.items() if f"${name}:" in document}

    async def run() -> dict[str, Any]:
        store = DuckdbStore(2_000, epoch_ms=lambda: NOW_MS)
        await store.open()
        app = create_app(Settings(log_level="error"), store, epoch_ms=lambda: NOW_MS)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            body = {"query": document, "variables": used}
            answer: dict[str, Any] = (await client.post("/graphql", json=body)).json()
        await store.close()
        return answer

    return asyncio.run(run())


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_committed_operation_is_answered(path: Path) -> None:
    answer = ask(path.read_text())
    assert "errors" not in answer
    shown = json.dumps(answer["data"])
    # A counterparty that is new has no earlier rank, and sample data is not audited.
    absent = r'"(previousRank|rankChange|consistentThrough)": null'
    assert "null" not in re.sub(absent, "", shown)


def test_an_operation_is_named_as_its_file() -> None:
    for path in FOLDER.iterdir():
        operations = [
            each
            for each in parse(path.read_text()).definitions
            if isinstance(each, OperationDefinitionNode)
        ]
        assert [each.name and each.name.value for each in operations] == [
            "".join(part.title() for part in path.stem.split("_"))
        ]


def test_graphiqls_example_tabs_are_answered() -> None:
    script = graphiql.page_script()
    documents = [part.partition("`")[0] for part in script.split("query: `")[1:]]
    assert len(documents) == 4
    for document in documents:
        assert "errors" not in ask(document)
