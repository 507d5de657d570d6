"""What the time of a store query is compared with."""

from __future__ import annotations

import pytest

from gateway.model import Direction, Interval
from gateway.overload.store import kind_of
from gateway.query_plan import EntryCountPlan, TotalsPlan
from tests.scopes import NETWORK, of


@pytest.mark.parametrize(
    ("accounts", "kind"),
    [
        (1, "TotalsPlan of up to 1"),
        (2, "TotalsPlan of up to 2"),
        (3, "TotalsPlan of up to 4"),
        (16, "TotalsPlan of up to 16"),
        (17, "TotalsPlan of up to 32"),
    ],
)
def test_totals_are_compared_with_those_of_about_as_many_accounts(accounts: int, kind: str) -> None:
    """A query for sixteen that takes longer than one for one is no sign of a busy store."""
    scope = of(*map(str, range(accounts)))
    assert kind_of(TotalsPlan(scope, frozenset(Direction), Interval(0, 1))) == kind


def test_totals_of_all_and_other_plans_are_kinds_of_their_own() -> None:
    assert kind_of(TotalsPlan(NETWORK, frozenset(Direction), Interval(0, 1))) == "TotalsPlan of all"
    assert kind_of(EntryCountPlan(of("alice"))) == "EntryCountPlan"
