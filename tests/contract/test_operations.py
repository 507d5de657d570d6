"""Every document that the project shows or sends is answered by the embedded store."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, parse

from gateway.app import create_app
from gateway.pages import graphiql
from gateway.settings import Settings
from gateway.store.duckdb.store import DuckdbStore
from tests.patience import PATIENCE_MS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "graphql_schema" / "operations"
SUBSCRIPTIONS = ROOT / "graphql_schema" / "subscriptions"
NOW_MS = 1_763_800_000_000
VARIABLES = {
    "accountId": "acct-000001",
    "otherId": "acct-000002",
    "transactionId": "00000000-0000-4000-8000-000000000000",
    "accountIds": ["acct-000001", "acct-000002"],
    "window": {"last": {"count": 30, "unit": "DAY"}},
    "zone": "Asia/Ho_Chi_Minh",
    "timeZone": "Europe/Berlin",
}


def ask(document: str) -> dict[str, Any]:
    """The whole answer, from a gateway of its own."""
    used = {name: value for name, value in VARIABLES.items() if f"${name}:" in document}
    return send(json.dumps({"query": document, "variables": used}), 2_000)


def send(body: str, transfers: int) -> dict[str, Any]:
    """The answer to a request's body, on so many sample transfers."""

    async def run() -> dict[str, Any]:
        store = DuckdbStore(transfers, epoch_ms=lambda: NOW_MS)
        await store.open()
        settings = Settings(log_level="error", deadline_ms=PATIENCE_MS)
        app = create_app(settings, store, epoch_ms=lambda: NOW_MS)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"Content-Type": "application/json"}
            response = await client.post("/graphql", content=body, headers=headers)
            answer: dict[str, Any] = response.json()
        await store.close()
        return answer

    return asyncio.run(run())


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_committed_operation_is_answered(path: Path) -> None:
    assert_is_whole(ask(path.read_text()))


@pytest.mark.parametrize("path", sorted(SUBSCRIPTIONS.iterdir()), ids=lambda path: path.stem)
def test_a_committed_subscription_asks_what_a_query_is_answered(path: Path) -> None:
    assert_is_whole(ask(path.read_text().replace("\nsubscription ", "\nquery ", 1)))


def assert_is_whole(answer: dict[str, Any]) -> None:
    assert "errors" not in answer
    shown = json.dumps(answer["data"])
    # A counterparty that is new has no earlier rank, sample data is not audited and in no currency,
    # nobody has a budget.
    absent = "previousRank|rankChange|consistentThrough|comparedThrough|budgetBurst|budgetPerSecond|currency"
    assert "null" not in re.sub(rf'"({absent})": null', "", shown)


def test_an_operation_is_named_as_its_file() -> None:
    for path in (*FOLDER.iterdir(), *SUBSCRIPTIONS.iterdir()):
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


def test_the_readmes_first_query_has_the_readmes_answer() -> None:
    """As a shell sends it, and on as much sample data as `./dev up --embedded` has."""
    readme = (ROOT / "README.md").read_text()
    command = readme.partition("curl ")[2].partition("```")[0]
    shown = readme.partition("```json\n")[2].partition("```")[0]
    body = shlex.split(f"curl {command}")[-1]
    assert send(body, Settings().sample_transfers)["data"] == json.loads(shown)
