"""What GraphQL must answer for given transfers, in plain Python; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stream_jobs.tools.counted import Transfer

Direction = Literal["RECEIVED", "SENT"]
DIRECTIONS: tuple[Direction, ...] = ("RECEIVED", "SENT")
RANKINGS = ("TRANSACTION_AMOUNT", "TRANSACTION_COUNT")


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open, epoch milliseconds."""

    start_ms: int
    end_ms: int

    def __contains__(self, time_ms: int) -> bool:
        return self.start_ms <= time_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Totals:
    """Count, sum in units of 10^-8, and distinct counterparties."""

    count: int
    amount: int
    counterparties: int


@dataclass(frozen=True, slots=True)
class Row:
    """One counterparty of a ranking."""

    account_id: str
    count: int
    amount: int


def counterparties(
    transfers: Iterable[Transfer], account_id: str, direction: Direction, window: Window
) -> list[Row]:
    """Every counterparty of the account in the window, in no order."""
    counts: dict[str, int] = defaultdict(int)
    amounts: dict[str, int] = defaultdict(int)
    for transfer in transfers:
        here, there = transfer.to_account_id, transfer.from_account_id
        if direction == "SENT":
            here, there = there, here
        if here == account_id and transfer.time_ms in window:
            counts[there] += 1
            amounts[there] += transfer.amount
    return [Row(name, counts[name], amounts[name]) for name in counts]


def totals(rows: Iterable[Row]) -> Totals:
    """All rows together."""
    rows = list(rows)
    return Totals(sum(r.count for r in rows), sum(r.amount for r in rows), len(rows))


def ranked(rows: Iterable[Row], ranking: str) -> list[Row]:
    """By the chosen measure descending, then the other descending, then account id ascending."""
    if ranking == "TRANSACTION_AMOUNT":
        return sorted(rows, key=lambda r: (-r.amount, -r.count, r.account_id))
    return sorted(rows, key=lambda r: (-r.count, -r.amount, r.account_id))
