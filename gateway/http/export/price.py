"""What a page of an export costs: what the same page costs by GraphQL, as the committed document asks for it."""

from __future__ import annotations

from pathlib import Path

import graphql_schema
from gateway.documents.cost.pricing import Pricing

_DOCUMENT = Path(graphql_schema.__file__).parent / "operations" / "transactions_page.graphql"
_ANY = {"between": {"start": "1970-01-01T00:00:00Z", "end": "1970-01-02T00:00:00Z"}}
"""The price is the same for every window and account."""


def page_cost(pricing: Pricing, rows: int) -> int:
    """The points of a page of up to so many rows."""
    variables = {"accountId": "any", "window": _ANY, "first": rows}
    return pricing.price_of(_DOCUMENT.read_text("utf-8"), variables).points
