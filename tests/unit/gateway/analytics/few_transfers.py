"""A few transfers of two days, whose answers can be worked out by hand."""

from __future__ import annotations

from decimal import Decimal

from gateway.analytics.model import Entry
from tests.store_cases import transfer
from tests.unit.gateway.fakes import NOW_MS

UUID = "00000000-0000-0000-0000-{:012d}"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def entries(*rows: tuple[str, str, str, int]) -> list[Entry]:
    """Transfers as receiver, sender, amount, age in milliseconds."""
    found: list[Entry] = []
    for number, (receiver, sender, amount, age_ms) in enumerate(rows):
        found += transfer(receiver, sender, UUID.format(number), Decimal(amount), NOW_MS - age_ms)
    return found


DATA = entries(
    ("alice", "bob", "10", 1 * HOUR_MS),
    ("alice", "carol", "30", 2 * HOUR_MS),
    ("alice", "erin", "5", 3 * HOUR_MS),
    ("bob", "alice", "4.5", 4 * HOUR_MS),
    ("alice", "alice", "1", 5 * HOUR_MS),
    ("alice", "bob", "20", 25 * HOUR_MS),
    ("alice", "carol", "20", 26 * HOUR_MS),
    ("alice", "dave", "50", 27 * HOUR_MS),
)
LAST_DAY = "window: {last: {count: 1, unit: DAY}}"
