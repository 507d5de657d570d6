"""How soon answers change, by what they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.analytics.field_class import FieldClass, class_of
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.pipeline_plan import EntryCountPlan, ProgressPlan, RejectedPlan
from gateway.analytics.query_plan import DistinctPlan, QueryPlan, SlotsPlan, TopPlan, TotalsPlan
from tests.scopes import NETWORK, of

AS_OF_MS = 1_000_000
CLOSED = Interval(0, AS_OF_MS)
LIVE = Interval(0, AS_OF_MS + 1)


def top(interval: Interval) -> TopPlan:
    return TopPlan(of("a"), Direction.SENT, interval, RankBy.TRANSACTION_COUNT, 10)


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ([], FieldClass.FIXED),
        ([top(CLOSED)], FieldClass.CLOSED),
        ([top(LIVE)], FieldClass.LIVE),
        ([top(CLOSED), DistinctPlan(of("a"), Direction.SENT, LIVE)], FieldClass.LIVE),
        ([top(LIVE), SlotsPlan(of("a"), Direction.SENT, CLOSED, 60_000)], FieldClass.LIVE),
        ([TotalsPlan(NETWORK, frozenset(), CLOSED), ProgressPlan()], FieldClass.PIPELINE),
        ([EntryCountPlan(NETWORK)], FieldClass.PIPELINE),
        ([RejectedPlan(NETWORK, None)], FieldClass.PIPELINE),
        ([RejectedPlan(NETWORK, LIVE)], FieldClass.LIVE),
        ([RejectedPlan(NETWORK, CLOSED)], FieldClass.CLOSED),
    ],
)
def test_an_answer_has_the_class_of_its_part_that_changes_soonest(
    plans: list[QueryPlan[Any]], expected: FieldClass
) -> None:
    assert class_of(plans, AS_OF_MS) is expected
