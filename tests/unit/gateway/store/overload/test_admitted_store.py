"""What the time of a store query is compared with."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access.caller import Scope
from gateway.analytics.model import Direction, Interval
from gateway.analytics.pipeline_plan import EntryCountPlan
from gateway.analytics.query_plan import QueryPlan, TotalsPlan
from gateway.store.overload.store import kind_of
from tests.scopes import NETWORK, of


def totals(scope: Scope) -> TotalsPlan:
    return TotalsPlan(scope, frozenset(Direction), Interval(0, 1))


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (EntryCountPlan(of("alice")), "EntryCountPlan"),
        (totals(of("alice")), "TotalsPlan"),
        (totals(NETWORK), "TotalsPlan of all"),
        (totals(of("alice", "bob")), None),
    ],
)
def test_times_are_compared_with_those_of_the_same_kind(
    plan: QueryPlan[Any], kind: str | None
) -> None:
    """A query for sixteen accounts that takes longer than one for one is no sign of a busy store."""
    assert kind_of(plan) == kind
