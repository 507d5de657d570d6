"""The adaptive limit against a store that takes so many at once and no more."""

from __future__ import annotations

import random

import pytest

from gateway.store.overload.limit import WINDOW, AdaptiveLimit
from gateway.store.overload.retry_budget import RetryBudget


def settle(limit: AdaptiveLimit, at_once: int, rounds: int = 300, base_s: float = 0.01) -> int:
    """Keep the limit full on a store that answers `at_once` in `base_s`; what it settles at."""
    for _ in range(rounds * WINDOW):
        running = limit.value
        limit.observe("Top", base_s * max(1.0, running / at_once), running)
    return limit.value


def learnt(least: int = 2, most: int = 200, start: int = 16) -> AdaptiveLimit:
    """A limit that has seen quiet times."""
    limit = AdaptiveLimit(least, most, start)
    for _ in range(WINDOW):
        limit.observe("Top", 0.01, 1)
    return limit


@pytest.mark.parametrize("at_once", [2, 8, 30])
def test_it_settles_a_little_above_what_the_store_takes(at_once: int) -> None:
    settled = settle(learnt(), at_once)
    assert 2 * at_once <= settled <= 4 * at_once + 2


def test_it_comes_down_when_the_store_slows_and_up_again_when_it_is_well() -> None:
    limit = learnt()
    wide = settle(limit, 30)
    narrow = settle(limit, 4)
    assert narrow < wide / 3
    assert settle(limit, 30) >= wide - 2


def test_it_does_not_grow_by_what_does_not_use_it() -> None:
    limit = learnt(start=10)
    for _ in range(100 * WINDOW):
        limit.observe("Top", 0.01, 3)
    assert limit.value == 10


def test_kinds_are_compared_with_their_own_past_only() -> None:
    limit = learnt()
    for _ in range(WINDOW):
        limit.observe("Whale", 1.0, 1)
    before = limit.value
    for _ in range(50 * WINDOW):
        limit.observe("Whale", 1.0, limit.value)
        limit.observe("Top", 0.01, limit.value)
    assert limit.value > before


def test_time_outs_bring_it_down_to_its_floor_and_no_further() -> None:
    limit = learnt(least=3)
    for _ in range(200 * WINDOW):
        limit.observe("Top", 0.01, 1, timed_out=True)
    assert limit.value == 3


def test_least_start_and_most_equal_make_a_fixed_limit() -> None:
    limit = AdaptiveLimit(7, 7, 7)
    settle(limit, 1, rounds=20)
    assert limit.value == 7


def test_retries_are_a_tenth_of_what_succeeds_and_a_few_in_hand() -> None:
    budget = RetryBudget()
    assert [budget.takes_one() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(11):
        budget.succeeded()
    assert [budget.takes_one() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("seed", range(3))
def test_times_that_vary_do_not_look_like_a_store_that_gets_slower(seed: int) -> None:
    """Of many kinds a window has few of each, whose least median would be far below the usual."""
    chance, limit = random.Random(seed), AdaptiveLimit(4, 64, 16)
    kinds = {"often": 50, "sometimes": 15, "now and then": 15, "seldom": 10, "rarely": 10}
    for _ in range(20_000):
        (kind,) = chance.choices(list(kinds), list(kinds.values()))
        limit.observe(kind, 0.01 * chance.lognormvariate(0, 0.6), limit.value)
    assert limit.value > 48


def test_times_of_no_kind_tell_nothing() -> None:
    limit = learnt()
    before = limit.value
    for _ in range(50 * WINDOW):
        limit.observe(None, 10.0, 1)
    assert limit.value == before
