"""Who opens the app, and what each then asks: users, partners with 50 accounts, a few operators; pure."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.load.gateway import zipf

ZONE = "Asia/Ho_Chi_Minh"
KINDS = {"user": 0.95, "partner": 0.04, "operator": 0.01}
"""Shares of the sessions."""

FURTHER = (3, 8)
"""So many questions follow the first one, each number as likely as the others."""

OPERATIONS_A_SESSION = 1 + sum(FURTHER) / 2
PARTNERS, PARTNER_ACCOUNTS = 20, 50
"""Of partners there are few, each with customers of its own, and each comes again and again."""

SAME_AGAIN = 0.1
USERS_ASK = {
    "account_totals": 0.28,
    "top_counterparties": 0.22,
    "time_series": 0.22,
    "transactions_page": 0.22,
    "net_flow": 0.06,
}
OPERATORS_ASK = {"network_totals": 0.5, "network_overview": 0.2, "pipeline_state": 0.3}
OVERVIEW_AGAIN = 0.4
"""Of a partner's further questions; the others are a user's, about one of the accounts."""

WINDOWS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"last": {"count": 30, "unit": "DAY"}}, "DAY"),
    ({"last": {"count": 7, "unit": "DAY"}}, "DAY"),
    ({"last": {"count": 24, "unit": "HOUR"}}, "HOUR"),
    ({"calendar": "TODAY"}, "HOUR"),
    ({"calendar": "THIS_WEEK"}, "DAY"),
    ({"calendar": "THIS_MONTH"}, "DAY"),
    ({"calendar": "LAST_MONTH"}, "DAY"),
)
"""What a timeframe's menu offers, with the bars of its chart."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Sessions of so many operations a second together, over accounts that Zipf's exponent skews.

    `think_s`: between two questions of a session, on average. `prefix`: of the accounts' names.
    """

    rate: float
    seconds: float
    accounts: int = zipf.ACCOUNTS
    exponent: float = 1.0
    think_s: float = 12.0
    seed: int = 1
    prefix: str = "account"

    def account(self, rank: int) -> str:
        """The name of the account of a rank; 1 is whose owner comes most often."""
        return f"{self.prefix}-{rank:06d}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: when it is meant to be sent, by a session of which kind, about which ranks."""

    due_s: float
    kind: str
    document: str
    variables: dict[str, Any]
    ranks: tuple[int, ...]


def questions(crowd: Crowd) -> list[Asked]:
    """What all sessions ask from second 0 on, in its order; some of them began before."""
    chance = random.Random(f"{crowd.seed} {crowd.exponent}")
    longest_s = 2 * crowd.think_s * (1 + FURTHER[1])
    sessions_per_s = crowd.rate / OPERATIONS_A_SESSION
    count = chance_of(chance, sessions_per_s * (crowd.seconds + longest_s))
    weights = zipf.cumulative_weights(crowd.accounts, crowd.exponent)
    ranks = range(1, crowd.accounts + 1)
    asked: list[Asked] = []
    for _ in range(count):
        began_s = chance.uniform(-longest_s, crowd.seconds)
        (kind,) = chance.choices(list(KINDS), weights=list(KINDS.values()))
        if kind == "partner":
            own = _customers(crowd, chance.randrange(PARTNERS))
        else:
            own = tuple(chance.choices(ranks, cum_weights=weights, k=kind == "user"))
        asks = _SESSIONS[kind](crowd, chance, own)
        asked += _timed(crowd, chance, began_s, kind, asks)
    return sorted(
        (each for each in asked if 0 <= each.due_s < crowd.seconds), key=lambda each: each.due_s
    )


def _customers(crowd: Crowd, partner: int) -> tuple[int, ...]:
    """The ranks of a partner's accounts: whoever they are, always the same."""
    chance = random.Random(f"partner {partner} {crowd.seed}")
    return tuple(chance.sample(range(1, crowd.accounts + 1), PARTNER_ACCOUNTS))


def chance_of(chance: random.Random, mean: float) -> int:
    """A whole number around a mean, as independent arrivals have it."""
    return max(0, round(chance.gauss(mean, mean**0.5)))


Ask = tuple[str, dict[str, Any], tuple[int, ...]]


def _timed(
    crowd: Crowd, chance: random.Random, began_s: float, kind: str, asks: Iterator[Ask]
) -> Iterator[Asked]:
    due_s = began_s
    last: Ask | None = None
    for document, variables, ranks in itertools.islice(asks, 1 + chance.randint(*FURTHER)):
        ask = document, variables, ranks
        if last is not None and chance.random() < SAME_AGAIN:
            ask = last
        last = ask
        yield Asked(due_s, kind, *ask)
        due_s += chance.expovariate(1 / crowd.think_s)


def _user(crowd: Crowd, chance: random.Random, own: tuple[int, ...]) -> Iterator[Ask]:
    account_id = crowd.account(own[0])
    yield "dashboard", {"accountId": account_id, "timeZone": ZONE}, own
    while True:
        yield _about_one(chance, account_id, own)


def _partner(crowd: Crowd, chance: random.Random, own: tuple[int, ...]) -> Iterator[Ask]:
    ids = [crowd.account(rank) for rank in own]
    while True:
        window, _ = chance.choice(WINDOWS)
        yield "accounts_overview", {"accountIds": ids, "window": window, "timeZone": ZONE}, own
        while chance.random() >= OVERVIEW_AGAIN:
            rank = chance.choice(own)
            yield _about_one(chance, crowd.account(rank), (rank,))


def _operator(_: Crowd, chance: random.Random, __: tuple[int, ...]) -> Iterator[Ask]:
    while True:
        (document,) = chance.choices(list(OPERATORS_ASK), weights=list(OPERATORS_ASK.values()))
        window, granularity = chance.choice(WINDOWS)
        yield document, _of(document, {"window": window, "granularity": granularity}), ()


def _about_one(chance: random.Random, account_id: str, ranks: tuple[int, ...]) -> Ask:
    (document,) = chance.choices(list(USERS_ASK), weights=list(USERS_ASK.values()))
    window, granularity = chance.choice(WINDOWS)
    given = {
        "accountId": account_id,
        "window": window,
        "granularity": granularity,
        "direction": chance.choice(("RECEIVED", "SENT")),
        "timeZone": ZONE,
    }
    return document, _of(document, given), ranks


_DECLARED = {
    "account_totals": {"accountId", "window", "direction", "timeZone"},
    "top_counterparties": {"accountId", "window", "direction", "timeZone"},
    "time_series": {"accountId", "window", "granularity", "direction", "timeZone"},
    "transactions_page": {"accountId", "window", "timeZone"},
    "net_flow": {"accountId", "window", "timeZone"},
    "network_totals": {"window"},
    "network_overview": {"window", "granularity"},
    "pipeline_state": set[str](),
}


def _of(document: str, given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in _DECLARED[document]}


_SESSIONS = {"user": _user, "partner": _partner, "operator": _operator}
