"""What an answer may say while payments arrive: never less than what was there, never more than what was sent."""

from __future__ import annotations

import random
from collections import Counter
from statistics import median

from tests.load.sessions.payments import GIANT, Live, Received, population, received_by
from tests.load.sessions.people import Crowd

CROWD = Crowd(rate=1, seconds=1)


def test_an_answer_is_bounded_by_what_was_surely_there_and_what_can_have_been() -> None:
    known = Received([10, 20, 30], [100, 200, 300])
    known.live = [
        Live(time_ms=25, cents=7, sent_ms=50, there_ms=60),
        Live(time_ms=26, cents=9, sent_ms=70, there_ms=0),
        Live(time_ms=99, cents=1_000, sent_ms=50, there_ms=51),
    ]
    before = (1, 200)
    assert known.bounds(15, 28, as_of_ms=60, answered_ms=49) == (before, before)
    assert known.bounds(15, 28, as_of_ms=60, answered_ms=50) == (before, (2, 207))
    assert known.bounds(15, 28, as_of_ms=61, answered_ms=70) == ((2, 207), (3, 216))
    assert known.bounds(20, 30, as_of_ms=0, answered_ms=0) == (before, before)


def test_history_is_received_by_its_payees_in_order_of_time() -> None:
    people = population(CROWD, [100, 200, 300])
    history = people.history(500, 3, 10**12)
    names = [CROWD.account(rank) for rank in (100, 200, 300)]
    received = received_by(history, names)
    assert sum(len(each.times_ms) for each in received.values()) == 500
    assert all(each.times_ms == sorted(each.times_ms) for each in received.values())
    for name in names:
        mine = [each.cents for each in history if each.payee == name]
        assert sum(received[name].cents) == sum(mine)


def test_those_whom_most_come_for_are_large() -> None:
    people = population(CROWD, [1, *range(1_000, 1_400)])
    chance = random.Random(5)
    payees = Counter(people.transfer(chance, 0).payee for _ in range(20_000))
    usual = median(payees[CROWD.account(rank)] for rank in range(1_000, 1_400))
    assert payees[CROWD.account(1)] > GIANT / 10 * usual > GIANT
