"""What is asked: the committed documents in a realistic mix, as ready HTTP requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from local_stack.settings import CHECKOUT

OPERATIONS = CHECKOUT / "graphql_schema" / "operations"
MIX = {
    "top_senders": 0.30,
    "account_totals": 0.177,
    "top_counterparties": 0.115,
    "time_series": 0.10,
    "transactions_page": 0.08,
    "one_transaction": 0.003,
    "largest_transactions": 0.002,
    "net_flow": 0.06,
    "dashboard": 0.06,
    "counterparty_changes": 0.03,
    "accounts_overview": 0.01,
    "network_totals": 0.01,
    "pipeline_state": 0.005,
    "pipeline_age": 0.005,
    "network_overview": 0.004,
    "network_changes": 0.0005,
    "network_rank": 0.0005,
    "api_limits": 0.005,
    "reversals": 0.005,
    "month_to_date": 0.005,
    "one_counterparty": 0.005,
    "last_full_weeks": 0.005,
    "ranking_page": 0.002,
    "one_rank": 0.002,
    "stacked_series": 0.002,
    "series_over_the_last": 0.002,
    "account_set": 0.002,
    "amounts": 0.001,
    "hours_of_the_week": 0.001,
    "any_two_windows": 0.001,
}
"""Shares of requests: lists and totals of one's own account mostly, the whole network seldom."""

PLACEHOLDER = "account-000000"
"""As long as every account's id, so that all requests of a document are equally long."""

OTHERS = {
    "transactionId": "00000000-0000-4000-8000-000000000000",
    "otherId": "account-000001",
    "accountIds": [PLACEHOLDER, "account-000001", "account-000002"],
    "compareTo": "PREVIOUS_PERIOD",
    "granularity": "DAY",
    "direction": "RECEIVED",
    "orderBy": "TRANSACTION_AMOUNT",
    "order": "DESCENDING",
    "internalTransfers": "EXCLUDED",
    "percentiles": [50, 95, 99],
    "buckets": 10,
    "campaign": {
        "between": {"start": "2025-11-10T00:00:00+07:00", "end": "2025-11-15T00:00:00+07:00"}
    },
    "earlier": {
        "between": {"start": "2025-11-03T00:00:00+07:00", "end": "2025-11-08T00:00:00+07:00"}
    },
    "maxAmount": "1000",
    "latest": 10,
    "first": 10,
    "timeZone": "Asia/Ho_Chi_Minh",
}
"""Every variable is given: graphql-jit refuses a non-null one that is left to its default."""

LAST_30_DAYS = {"last": {"count": 30, "unit": "DAY"}}
FIXED_WINDOW = {
    "between": {"start": "2025-10-20T00:00:00+07:00", "end": "2025-11-20T12:34:56+07:00"}
}


def account(rank: int) -> str:
    """The account of a rank: `account-000001` is the busiest."""
    return f"account-{rank:06d}"


@dataclass(frozen=True, slots=True)
class Template:
    """A request in two parts, the account's number between them; `None`: it has no account."""

    head: bytes
    tail: bytes | None

    def of(self, rank: int) -> bytes:
        """The request about one account."""
        return self.head if self.tail is None else b"%s%06d%s" % (self.head, rank, self.tail)


def body(name: str, window: dict[str, Any]) -> dict[str, Any]:
    """A document of `graphql_schema/operations/` with its variables, about the placeholder."""
    text = (OPERATIONS / f"{name}.graphql").read_text()
    values = {"accountId": PLACEHOLDER, "window": window, **OTHERS}
    return {
        "query": text,
        "variables": {key: value for key, value in values.items() if f"${key}:" in text},
    }


def template(name: str, window: dict[str, Any], headers: dict[str, str]) -> Template:
    """The HTTP request of a document."""
    whole = post(body(name, window), headers).decode()
    head, found, tail = whole.partition(PLACEHOLDER)
    if not found:
        return Template(head.encode(), None)
    return Template((head + PLACEHOLDER.rstrip("0")).encode(), tail.encode())


def post(body: dict[str, Any], headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The HTTP request of an operation."""
    content = json.dumps(body)
    lines = [
        "POST /graphql HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Accept: application/graphql-response+json, application/json;q=0.9",
        *(f"{key}: {value}" for key, value in headers.items()),
        f"Content-Length: {len(content)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()
