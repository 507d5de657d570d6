"""What those who listen hear of: transfers that arrive, and the questions that tell of them."""

from __future__ import annotations

from decimal import Decimal

from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS
from tests.unit.gateway.served import UUID, Gateway

RANKING = """subscription { account(id: "alice") { topCounterparties(
  window: {last: {count: 1, unit: DAY}}, first: 2) { rows { accountId transactionAmount } } } }"""


def arrives(gateway: Gateway, amount: str = "1", sender: str = "zoe") -> None:
    """One more transfer to alice."""
    number = len(gateway.store.entries)
    gateway.store.entries = [
        *gateway.store.entries,
        *transfer("alice", sender, UUID.format(number), Decimal(amount), NOW_MS - 5_000),
    ]
