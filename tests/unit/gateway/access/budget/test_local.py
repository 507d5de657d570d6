"""A bucket fills at its rate, gives what it holds, and says how long to wait for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.budget.balance import Balance, Rate, balance
from gateway.access.budget.local import LocalBudget
from gateway.access.budget.subjects import Budgets
from gateway.access.caller import EVERYONE, Caller, Role


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_gives_what_it_holds_and_fills_again() -> None:
    clock = Clock()
    budget = LocalBudget(Rate(per_s=10, burst=100), clock)
    assert budget.charge("a", 60) == Balance(60, 100, 40, 6, 0)
    assert budget.charge("a", 60) == Balance(60, 100, 40, 6, 2)
    assert budget.charge("a", 40) == Balance(40, 100, 0, 10, 0)
    clock.now_s += 6
    assert budget.charge("a", 60) == Balance(60, 100, 0, 10, 0)
    clock.now_s += 1_000
    assert budget.charge("a", 1) == Balance(1, 100, 99, 1, 0)


def test_a_refused_charge_takes_nothing() -> None:
    budget = LocalBudget(Rate(1, 10), Clock())
    budget.charge("a", 6)
    for _ in range(5):
        assert budget.charge("a", 5).remaining == 4
    assert budget.charge("a", 4).granted


def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    budget = LocalBudget(Rate(3, 10), clock)
    budget.charge("a", 10)
    refused = budget.charge("a", 7)
    assert (refused.granted, refused.retry_after_s) == (False, 3)
    clock.now_s += refused.retry_after_s
    assert budget.charge("a", 7).granted


def test_callers_have_buckets_of_their_own() -> None:
    budget = LocalBudget(Rate(1, 10), Clock())
    assert budget.charge("a", 10).granted
    assert budget.charge("b", 10).granted
    assert not budget.charge("a", 1).granted


def test_more_than_a_bucket_holds_takes_a_full_one() -> None:
    clock = Clock()
    budget = LocalBudget(Rate(10, 100), clock)
    assert budget.charge("a", 500) == Balance(500, 100, 0, 10, 0)
    assert budget.charge("a", 500).retry_after_s == 10
    clock.now_s += 10
    assert budget.charge("a", 500).granted


def test_without_a_rate_there_is_no_limit() -> None:
    budget = LocalBudget(Rate(0, 1), Clock())
    assert budget.charge("a", 10**9) == Balance(10**9, None, None, 0, 0)
    assert budget.charge("a", 5).extensions() == {"requested": 5, "budget": None, "remaining": None}


def test_the_least_recently_charged_is_forgotten() -> None:
    budget = LocalBudget(Rate(1, 10), Clock(), max_subjects=2)
    for subject in ("a", "b", "a", "c"):
        budget.charge(subject, 5)
    assert budget.charge("b", 10).granted
    assert not budget.charge("c", 10).granted


def test_a_balance_never_tells_of_points_that_are_not_there() -> None:
    assert balance(Rate(10, 100), 5, -0.4, granted=False) == Balance(5, 100, 0, 11, 1)
    assert balance(Rate(10, 100), 5, 99.9, granted=True).remaining == 99
    assert balance(Rate(10, 100), 5, 100.0, granted=True).extensions() == {
        "requested": 5,
        "budget": 100,
        "remaining": 100,
        "resetSeconds": 0,
    }


def test_unknown_callers_are_told_apart_by_address_known_ones_by_name() -> None:
    known, anonymous = LocalBudget(Rate(1, 10), Clock()), LocalBudget(Rate(1, 20), Clock())
    budgets = Budgets(known, anonymous)
    owner = Caller("key-1", Role.OWNER, frozenset({"a"}), True)
    assert budgets.charge(owner, "10.0.0.1", 10) == Balance(10, 10, 0, 10, 0)
    refused = budgets.charge(owner, "10.0.0.2", 10)
    assert isinstance(refused, Balance)
    assert not refused.granted
    for address in ("10.0.0.1", "10.0.0.2"):
        assert budgets.charge(EVERYONE, address, 20) == Balance(20, 20, 0, 20, 0)


def test_two_known_callers_have_two_buckets() -> None:
    budgets = Budgets(LocalBudget(Rate(1, 10), Clock()), LocalBudget(Rate(1, 20), Clock()))
    for subject in ("key-1", "key-2"):
        caller = Caller(subject, Role.OWNER, frozenset({"a"}), True)
        assert budgets.charge(caller, "10.0.0.1", 10) == Balance(10, 10, 0, 10, 0)
