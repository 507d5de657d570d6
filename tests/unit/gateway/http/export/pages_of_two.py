"""Exports whose pages have two rows, so that a few transfers are several pages."""

from __future__ import annotations

from typing import Any

from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import EntriesPlan, QueryPlan
from gateway.errors import StoreUnavailableError
from gateway.settings import Settings
from tests.unit.gateway.exported import paid
from tests.unit.gateway.served import Gateway, HeldStore

NO_ROWS_KEPT: dict[str, Any] = {"rows_max_bytes": 0}
TWO = NO_ROWS_KEPT | {"export_page_rows": 2}
"""At a time."""
ONE_QUERY: dict[str, Any] = {
    "store_queries_least": 1,
    "store_queries_start": 1,
    "store_queries_most": 1,
}


class FailingStore(HeldStore):
    """A store whose n-th page fails."""

    fails_at = 0
    failure: Exception = StoreUnavailableError("gone")
    pages = 0

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        if isinstance(plan, EntriesPlan):
            self.pages += 1
            if self.pages == self.fails_at:
                raise self.failure
        return await super().fetch(plan, timeout_s)


def failing(at: int, failure: Exception, **settings: Any) -> Gateway:
    store = FailingStore(paid(7))
    store.fails_at, store.failure = at, failure
    return Gateway(Settings(**(TWO | settings)), store)


async def price(gateway: Gateway, rows: int) -> int:
    """Of the same page by GraphQL."""
    query = """query ($rows: Int!) { account(id: "alice") {
      transactions(first: $rows, window: {last: {count: 1, unit: DAY}}) { asOf window { start end }
      edges { cursor node { transactionId kind time direction counterpartyId amount } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
    cost: int = (await gateway.ask(query, rows=rows))["extensions"]["cost"]["requested"]
    return cost
