"""Rows as a store tells them, for tests of what is made of them."""

from __future__ import annotations

import uuid

from gateway.store.rows.asked import AccountRows, Row, Told

AS_OF_MS = 1_763_800_000_000
START_MS = AS_OF_MS - 10 * 86_400_000


def row(
    number: int,
    *,
    arrived_ms: int = AS_OF_MS - 3_600_000,
    units: int = 100_000_000,
    time_ms: int = AS_OF_MS - 7_200_000,
    is_reversal: bool = False,
    is_sent: bool = False,
    counterparty_id: str = "bob",
) -> Row:
    """One entry of a transaction of this number."""
    reverses = uuid.UUID(int=number + 1_000).bytes if is_reversal else b""
    id_ = uuid.UUID(int=number).bytes
    return Row(counterparty_id, is_sent, id_, units, time_ms, is_reversal, reverses, arrived_ms)


def told(
    *rows: Row,
    as_of_ms: int = AS_OF_MS,
    asked_s: float = 5.0,
    snapshot: int = 7,
    account_id: str = "alice",
    erasures: int = 0,
) -> Told:
    """What a store told of an account."""
    found = AccountRows(account_id, rows, snapshot, cut=False)
    return Told(found, START_MS, as_of_ms, asked_s, erasures)
