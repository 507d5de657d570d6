"""Which account a request is about: Zipf's distribution, and what share of it a cache can answer."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator

ACCOUNTS = 500_000
_STEPS = 40
_EXACT_RANKS = 1_000
_GROWTH = 1.02


def cumulative_weights(accounts: int, exponent: float) -> list[float]:
    """Running sums of `1 / rank ** exponent`; an exponent of 0 makes all accounts alike."""
    return list(itertools.accumulate(rank**-exponent for rank in range(1, accounts + 1)))


def ranks(chance: random.Random, accounts: int, exponent: float, count: int) -> list[int]:
    """`count` ranks from 1 to `accounts`, the low ones the likelier."""
    weights = cumulative_weights(accounts, exponent)
    return chance.choices(range(1, accounts + 1), cum_weights=weights, k=count)


def hit_share(
    exponent: float, accounts: int, rate: float, ttl_s: float, documents: Iterable[float] = (1.0,)
) -> float:
    """The share of requests that a cache can answer whose entries live `ttl_s` seconds.

    Keys are (account, document); `documents` are the documents' shares of the requests. A key
    asked for k times within one life is one miss and k - 1 hits, and the number of requests of a
    key within a life is Poisson-distributed.
    """
    bins = list(_bins(accounts))
    total = sum(middle**-exponent * size for middle, size in bins)
    missed = 0.0
    for share in documents:
        for middle, size in bins:
            per_life = rate * ttl_s * share * middle**-exponent / total
            missed += size * -math.expm1(-per_life)
    return 1 - missed / (rate * ttl_s)


def exponent_for(
    wanted: float, accounts: int, rate: float, ttl_s: float, documents: Iterable[float] = (1.0,)
) -> float:
    """The exponent whose traffic a cache can answer to the wanted share; 0 to 6."""
    shares = tuple(documents)
    low, high = 0.0, 6.0
    if hit_share(low, accounts, rate, ttl_s, shares) >= wanted:
        return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if hit_share(middle, accounts, rate, ttl_s, shares) < wanted:
            low = middle
        else:
            high = middle
    return high


def life_for(
    counted: float, exponent: float, accounts: int, rate: float, documents: Iterable[float] = (1.0,)
) -> float:
    """How long a cache's entries seem to live, in seconds, if it answered the counted share."""
    shares = tuple(documents)
    low, high = 0.001, 3_600.0
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if hit_share(exponent, accounts, rate, middle, shares) < counted:
            low = middle
        else:
            high = middle
    return high


def _bins(accounts: int) -> Iterator[tuple[float, int]]:
    """Ranks put together where they hardly differ: the middle of each bin and its size."""
    first = 1
    while first <= accounts:
        past = first + 1 if first < _EXACT_RANKS else min(accounts + 1, int(first * _GROWTH) + 1)
        yield (first + past - 1) / 2, past - first
        first = past
