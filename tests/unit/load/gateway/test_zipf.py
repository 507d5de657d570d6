"""The distribution of accounts, and the share of hits that is reckoned from it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.load.gateway import zipf


def simulated_share(exponent: float, accounts: int, rate: int, ttl_s: float) -> float:
    """Hits of a cache that forgets everything every `ttl_s`, over many lives."""
    chance = random.Random(5)
    lives, hits, asked = 400, 0, 0
    for _ in range(lives):
        drawn = zipf.ranks(chance, accounts, exponent, round(rate * ttl_s))
        hits += len(drawn) - len(set(drawn))
        asked += len(drawn)
    return hits / asked


def test_ranks_come_as_often_as_their_weight() -> None:
    drawn = Counter(zipf.ranks(random.Random(1), 100, 1.0, 200_000))
    whole = sum(1 / rank for rank in range(1, 101))
    for rank in (1, 2, 10, 50):
        assert drawn[rank] / 200_000 == pytest.approx(1 / rank / whole, rel=0.1)


def test_an_exponent_of_zero_makes_all_accounts_alike() -> None:
    drawn = Counter(zipf.ranks(random.Random(1), 10, 0.0, 100_000))
    assert set(drawn) == set(range(1, 11))
    assert all(count == pytest.approx(10_000, rel=0.1) for count in drawn.values())


def test_the_same_seed_draws_the_same_accounts() -> None:
    drawn = [zipf.ranks(random.Random(9), zipf.ACCOUNTS, 1.05, 50) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert max(drawn[0]) <= zipf.ACCOUNTS


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_the_share_of_hits_is_what_a_cache_would_see(exponent: float) -> None:
    reckoned = zipf.hit_share(exponent, 500, rate=300, ttl_s=1.0)
    assert reckoned == pytest.approx(simulated_share(exponent, 500, 300, 1.0), abs=0.01)


def test_documents_make_keys_of_their_own() -> None:
    alone = zipf.hit_share(1.0, 1_000, 500, 1.0)
    halves = zipf.hit_share(1.0, 1_000, 500, 1.0, (0.5, 0.5))
    assert halves == pytest.approx(zipf.hit_share(1.0, 1_000, 250, 1.0))
    assert halves < alone


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.95, 0.99])
def test_the_exponent_gives_the_wanted_share(wanted: float) -> None:
    shares = (0.6, 0.3, 0.1)
    exponent = zipf.exponent_for(wanted, zipf.ACCOUNTS, 5_000, 0.5, shares)
    found = zipf.hit_share(exponent, zipf.ACCOUNTS, 5_000, 0.5, shares)
    assert found == pytest.approx(wanted, abs=0.001)


def test_no_skew_is_needed_where_the_accounts_are_few() -> None:
    assert zipf.exponent_for(0.9, 10, 5_000, 1.0) == 0.0


def test_the_life_of_an_entry_is_told_from_the_share_of_hits() -> None:
    counted = zipf.hit_share(1.2, 10_000, 1_000, 0.7)
    assert zipf.life_for(counted, 1.2, 10_000, 1_000) == pytest.approx(0.7, rel=0.001)
