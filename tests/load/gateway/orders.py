"""What the load generator is told and what it reports: plain values, as JSON between processes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.load.gateway import mix, zipf
from tests.load.gateway.schedule import Phase

SHUFFLED = 1 << 17
"""Choices drawn beforehand; a longer run begins with them anew."""


@dataclass(frozen=True, slots=True)
class Order:
    """One run of the load generator.

    With `phases` of a rate, requests are due at times fixed beforehand (open loop). A rate of 0
    keeps every connection busy instead (closed loop), to find what a server can do at most.
    """

    port: int
    phases: tuple[Phase, ...]
    connections: int
    seed: int = 1
    accounts: int = zipf.ACCOUNTS
    exponent: float = 1.0
    documents: dict[str, float] = field(default_factory=lambda: dict(mix.MIX))
    window: dict[str, Any] = field(default_factory=lambda: dict(mix.LAST_30_DAYS))
    headers: dict[str, str] = field(default_factory=dict)
    grace_s: float = 10.0
    slice_s: float = 0.25
    burst: int = 0
    """If not 0: so many requests for one key at once, each on a connection of its own."""


def read(given: dict[str, Any]) -> Order:
    """An order out of its JSON."""
    return Order(**{**given, "phases": tuple(Phase(**each) for each in given["phases"])})


def requests(order: Order) -> Iterator[bytes]:
    """The requests of an order, without end; all choices are drawn before this returns."""
    chance = random.Random(order.seed)
    templates = [mix.template(name, order.window, order.headers) for name in order.documents]
    ranks = zipf.ranks(chance, order.accounts, order.exponent, SHUFFLED)
    chosen = chance.choices(templates, weights=list(order.documents.values()), k=SHUFFLED)
    return map(_request, itertools.cycle(chosen), itertools.cycle(ranks))


def _request(template: mix.Template, rank: int) -> bytes:
    return template.of(rank)
