"""What a plan's answer must be over the rows that were uploaded: whole numbers added in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from gateway.analytics.model import Direction, RankBy
from gateway.analytics.query_plan import (
    GroupRow,
    QueryPlan,
    SlotRow,
    SlotsPlan,
    TopPlan,
    TotalsPlan,
    TotalsRow,
)
from tests.load.startree.rows import (
    DIRECTIONS,
    Numbers,
    Rows,
    account_number,
    amount,
    counterparty_id,
)

Measures = dict[int, list[int]]
"""Count and hundred-millionths by key."""


def expected(plan: QueryPlan[Any], segments: Sequence[Rows], copies: int) -> list[Any]:
    """The plan's rows, each segment being there so many times; totals in the order of directions."""
    match plan:
        case TotalsPlan(scope, directions, interval):
            sides = sorted(directions, key=lambda each: each.value)
            chosen = _chosen(segments, scope.account_ids, sides, interval.start_ms, interval.end_ms)
            found = _grouped((each.direction, each) for each in chosen)
            return [
                TotalsRow(
                    scope.account_id, Direction(DIRECTIONS[side]), *_told(found[side], copies)
                )
                for side in sorted(found)
            ]
        case SlotsPlan(scope, Direction() as side, interval, slot_ms, ()):
            chosen = _chosen(
                segments, scope.account_ids, [side], interval.start_ms, interval.end_ms
            )
            found = _grouped((each.time_ms // slot_ms, each) for each in chosen)
            return [SlotRow(slot * slot_ms, *_told(found[slot], copies)) for slot in sorted(found)]
        case TopPlan(scope, side, interval, RankBy.TRANSACTION_AMOUNT, limit):
            chosen = _chosen(
                segments, scope.account_ids, [side], interval.start_ms, interval.end_ms
            )
            found = _grouped((each.counterparty, each) for each in chosen)
            first = sorted(
                found, key=lambda one: (-found[one][1], -found[one][0], counterparty_id(one))
            )
            return [
                GroupRow(counterparty_id(one), *_told(found[one], copies)) for one in first[:limit]
            ]
    raise TypeError(f"nothing is expected of {plan}")


def _chosen(
    segments: Sequence[Rows],
    accounts: frozenset[str] | None,
    sides: Sequence[Direction],
    start_ms: int,
    end_ms: int,
) -> Iterable[Rows]:
    places = [DIRECTIONS.index(side.value) for side in sides]
    for rows in segments:
        is_in = (
            (rows.time_ms >= start_ms) & (rows.time_ms < end_ms) & np.isin(rows.direction, places)
        )
        if accounts is not None:
            is_in &= np.isin(rows.account, [account_number(each) for each in accounts])
        yield rows.where(is_in)


def _grouped(chosen: Iterable[tuple[Numbers, Rows]]) -> Measures:
    grouped: Measures = defaultdict(lambda: [0, 0])
    for keys, rows in chosen:
        for key, units in zip(keys.tolist(), rows.units.tolist(), strict=True):
            measures = grouped[key]
            measures[0] += 1
            measures[1] += units
    return grouped


def _told(measures: Sequence[int], copies: int) -> tuple[int, Decimal]:
    count, units = measures
    return count * copies, amount(units * copies)
