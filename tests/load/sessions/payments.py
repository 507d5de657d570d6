"""The payments of those who are asked about: as many each as accounts have, and what answers must say of them."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from tests.load.sessions.people import Crowd
from tests.load.stores.payments import DAY_MS, Transfer

HISTORY_DAYS = 45
SPREAD = 0.8
"""Of the logarithm of an account's size: one of six has less than half the usual, one of six more than twice."""

GIANTS, GIANT = 30, 300
"""The accounts that most come for are large: the first has so many times the usual, the nth an nth of that."""


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts by rank, and how likely each is a payment's payer or payee."""

    crowd: Crowd
    ranks: Sequence[int]
    weights: Sequence[float]

    def transfer(self, chance: random.Random, time_ms: int) -> Transfer:
        """A payment between two of them."""
        payer, payee = chance.choices(self.ranks, cum_weights=self.weights, k=2)
        digits = f"{chance.getrandbits(128):032x}"
        return Transfer(
            self.crowd.account(payer),
            self.crowd.account(payee),
            f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
            int(chance.paretovariate(1.1) * 500),
            time_ms,
        )

    def history(self, count: int, seed: int, end_ms: int) -> list[Transfer]:
        """Payments of the days before `end_ms`."""
        chance = random.Random(f"history {seed}")
        span_ms = HISTORY_DAYS * DAY_MS
        return [self.transfer(chance, end_ms - 1 - chance.randrange(span_ms)) for _ in range(count)]


def population(crowd: Crowd, ranks: Iterable[int]) -> Population:
    """The accounts of these ranks."""
    chosen = sorted(set(ranks))
    return Population(crowd, chosen, list(accumulate(map(_size, chosen))))


def _size(rank: int) -> float:
    usual = random.Random(f"size {rank}").lognormvariate(0, SPREAD)
    return usual * (GIANT / rank if rank <= GIANTS else 1)


@dataclass(slots=True)
class Received:
    """What one account received: payments of before, and those that came meanwhile with their times.

    `sent_ms`: when it was handed to Kafka; `there_ms`: when Kafka had it, 0 until then.
    """

    times_ms: list[int]
    cents: list[int]
    live: list[Live] = field(default_factory=list)

    def bounds(
        self, start_ms: int, end_ms: int, as_of_ms: int, answered_ms: int
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """The least and the most (count, cents) of a window that an answer as of an instant may tell."""
        first, last = (bisect_left(self.times_ms, each) for each in (start_ms, end_ms))
        count, cents = last - first, sum(self.cents[first:last])
        within = [each for each in self.live if start_ms <= each.time_ms < end_ms]
        sure = [each for each in within if 0 < each.there_ms < as_of_ms]
        possible = [each for each in within if each.sent_ms <= answered_ms]
        return (count + len(sure), cents + sum(each.cents for each in sure)), (
            count + len(possible),
            cents + sum(each.cents for each in possible),
        )


@dataclass(slots=True)
class Live:
    """A payment that came while questions were asked."""

    time_ms: int
    cents: int
    sent_ms: int
    there_ms: int = 0


def received_by(transfers: Iterable[Transfer], accounts: Iterable[str]) -> dict[str, Received]:
    """What each of some accounts received."""
    found: dict[str, list[tuple[int, int]]] = {each: [] for each in accounts}
    for each in transfers:
        if each.payee in found:
            found[each.payee].append((each.time_ms, each.cents))
    made = {}
    for account, payments in found.items():
        payments.sort()
        made[account] = Received([time for time, _ in payments], [cents for _, cents in payments])
    return made
