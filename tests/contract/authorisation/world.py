"""A gateway on the embedded store, four accounts, and callers of every kind."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import httpx

from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import EntryCountPlan, ProgressPlan, RejectedPlan
from gateway.analytics.query_plan import AccountPlan, QueryPlan, TotalsPlan
from gateway.store.duckdb.store import DuckdbStore
from gateway.store.rows.asked import RowsPlan
from tests.identity_provider import NOW_S

UUID = "00000000-0000-0000-0000-{:012d}"
ACCOUNTS = ("alice", "bobby", "carol", "nobod")
"""The last one has never had a transaction; ids are of one length, so that answers compare."""
AMOUNTS = {"alice": "1111.11", "bobby": "2222.22", "carol": "3333.33"}
"""An amount that only transfers of this account have."""


class WatchedStore(DuckdbStore):
    """The embedded store, which remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(epoch_ms=lambda: NOW_S * 1000)
        self.plans: list[QueryPlan[Any]] = []

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        """The answer."""
        self.plans.append(plan)
        return await super().fetch(plan, timeout_s)


@dataclass
class World:
    """A gateway, the callers that it knows, and what it has logged."""

    store: WatchedStore
    client: httpx.AsyncClient
    credentials: dict[str, str]
    log: StringIO = field(default_factory=StringIO)

    def headers(self, caller: str) -> dict[str, str]:
        sent = self.credentials.get(caller)
        given = {} if sent is None else {"authorization": f"Bearer {sent}"}
        return {**given, "x-request-id": "request-1"}

    async def post(self, caller: str, query: str, **body: Any) -> httpx.Response:
        self.store.plans.clear()
        asked = {"query": query, **body}
        return await self.client.post("/graphql", json=asked, headers=self.headers(caller))


READS: dict[str, frozenset[str]] = {
    "owner": frozenset({"alice"}),
    "partner": frozenset({"alice", "bobby"}),
    "masked partner": frozenset({"alice", "bobby"}),
    "partner by token": frozenset({"bobby"}),
    "operator": frozenset(ACCOUNTS),
}
STRANGERS = ("nobody", "wrong token", "expired token", "wrong key")


def read_accounts(plans: list[QueryPlan[Any]]) -> set[str | None]:
    """Whose figures plans are about; `None` for the network's."""
    found: set[str | None] = set()
    for plan in plans:
        if isinstance(plan, TotalsPlan | AccountPlan):
            found |= plan.account_ids if plan.account_ids is not None else {None}
        elif isinstance(plan, RowsPlan):
            found |= plan.account_ids
        elif isinstance(plan, EntryCountPlan | RejectedPlan):
            found.add(None)
        elif not isinstance(plan, ProgressPlan):
            found.add(plan.account_id)  # type: ignore[attr-defined]
    return found


def without_balance(response: httpx.Response) -> tuple[object, ...]:
    """A response to the byte, but for what is left of a budget that each request makes smaller."""
    body = response.json()
    del body["extensions"]["cost"]
    return json.dumps(body), *sorted(
        (name, value) for name, value in response.headers.items() if name != "content-length"
    )
