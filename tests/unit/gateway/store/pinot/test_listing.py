"""Lists by amount on a Pinot that compares decimals as doubles where it merges segments."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from gateway.analytics.model import Direction, Entry, Interval, TransactionSort
from gateway.analytics.query_plan import EntriesPlan
from gateway.store.pinot.listing import MOST_ROWS, TIE_CUT, fetch_by_amount
from gateway.store.pinot.response import BrokerAnswer
from tests.reference import evaluate
from tests.scopes import of

pytestmark = pytest.mark.anyio

WHOLE = Interval(0, 1 << 50)
LARGE = "999999999999999999.999999"


def entries(*amounts: str) -> list[Entry]:
    return [
        Entry(
            "alice",
            "bob",
            Direction.RECEIVED,
            f"{number:036d}",
            Decimal(amount),
            number * 7919 % 101,
        )
        for number, amount in enumerate(amounts)
    ]


def cells(each: Entry) -> list[Any]:
    return [
        *(each.counterparty_id, each.direction.value, each.transaction_id, str(each.amount)),
        *(each.event_time_ms, each.kind.value, ""),
    ]


class Merging:
    """A broker that orders as 0.11 does over segments of one row each."""

    def __init__(self, data: list[Entry]) -> None:
        self.data, self.limits = data, list[int]()

    async def ask(self, statement: str) -> BrokerAnswer:
        (limit,) = re.findall(r"LIMIT (\d+)$", statement)
        self.limits.append(int(limit))
        ordered = sorted(
            self.data,
            key=lambda e: (float(e.amount), e.event_time_ms, e.transaction_id),
            reverse="amount DESC" in statement,
        )
        rows = tuple(cells(each) for each in ordered[: int(limit)])
        return BrokerAnswer(rows, len(self.data), len(rows), 1, groups_cut=False)


def plan(order: TransactionSort, limit: int) -> EntriesPlan:
    return EntriesPlan(of("alice"), None, None, WHOLE, None, limit, order=order)


SMALL = entries("1", "10", "10", "10", "0.00000001", "-3", "9999999.99999999", "9999999.99999998")
CLOSE = entries(*(f"{LARGE}{number:02d}" for number in (7, 3, 9, 1, 5, 4, 8, 2)), "5", "-2")


@pytest.mark.parametrize(
    "order", [TransactionSort.AMOUNT_ASCENDING, TransactionSort.AMOUNT_DESCENDING]
)
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9, 20])
@pytest.mark.parametrize("data", [SMALL, CLOSE])
async def test_amounts_that_are_one_double_are_told_apart(
    data: list[Entry], limit: int, order: TransactionSort
) -> None:
    asked = plan(order, limit)
    broker = Merging(data)
    found = await fetch_by_amount(asked, broker.ask)
    assert list(found.rows) == evaluate(asked, data)
    assert found.inexact is None
    if data is SMALL:  # equal doubles are equal amounts, however many there are
        assert broker.limits == [limit + 1]


async def test_a_tie_without_end_is_told_as_inexact() -> None:
    data = entries(*(f"{LARGE}{number % 100:02d}" for number in range(MOST_ROWS + 5)))
    broker = Merging(data)
    found = await fetch_by_amount(plan(TransactionSort.AMOUNT_DESCENDING, 2), broker.ask)
    assert len(found.rows) == 2
    assert found.inexact == TIE_CUT
    assert broker.limits == [3, 30, 300, 3_000, MOST_ROWS]
