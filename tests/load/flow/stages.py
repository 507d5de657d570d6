"""When probes passed each stage, out of what was observed: counts that only grow; pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

STAGES = ("sent_to_kafka", "kafka_to_pinot", "pinot_to_graphql", "sent_to_graphql", "sent_to_as_of")


@dataclass(frozen=True, slots=True)
class Sighting:
    """An answer at an instant: how many probes of an account it counted; `as_of_s` is what it vouched for."""

    at_s: float
    count: int
    as_of_s: float = 0.0


@dataclass
class Account:
    """The probes of one account, and all that was seen of them; instants in epoch seconds.

    Rows of one account become visible in the order that they have in Kafka, so the count of an answer says
    which of them it holds.
    """

    sent_s: dict[str, float] = field(default_factory=dict)
    committed: list[tuple[str, float]] = field(default_factory=list)  # in Kafka's order
    pinot: list[Sighting] = field(default_factory=list)
    graphql: list[Sighting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Passage:
    """One probe's way; seconds by stage."""

    sent_s: float
    stages: Mapping[str, float]


def passages(account: Account) -> list[Passage]:
    """All probes that were seen in every stage."""
    found = []
    vouched = [(sighting.as_of_s, sighting.at_s) for sighting in account.graphql]
    vouched = _rising(vouched)
    pinot, graphql = _firsts(account.pinot), _firsts(account.graphql)
    for number, (id_, committed_s) in enumerate(account.committed):
        sent_s = account.sent_s[id_]
        instants = [_first(pinot, number + 1), _first(graphql, number + 1), _first(vouched, sent_s)]
        if None in instants:
            continue
        in_pinot_s, in_graphql_s, as_of_s = (each or 0.0 for each in instants)
        # Whoever looks seldom sees late: a stage is never over before the one it follows.
        in_pinot_s = max(in_pinot_s, committed_s)
        in_graphql_s = max(in_graphql_s, in_pinot_s)
        found.append(
            Passage(
                sent_s,
                {
                    "sent_to_kafka": committed_s - sent_s,
                    "kafka_to_pinot": in_pinot_s - committed_s,
                    "pinot_to_graphql": in_graphql_s - in_pinot_s,
                    "sent_to_graphql": in_graphql_s - sent_s,
                    "sent_to_as_of": max(as_of_s, in_graphql_s) - sent_s,
                },
            )
        )
    return found


def _firsts(sightings: Sequence[Sighting]) -> list[tuple[float, float]]:
    return _rising([(sighting.count, sighting.at_s) for sighting in sightings])


def _rising(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The instants at which a value first was as high as it was."""
    kept: list[tuple[float, float]] = []
    for value, at_s in pairs:
        if not kept or value > kept[-1][0]:
            kept.append((value, at_s))
    return kept


def _first(rising: Sequence[tuple[float, float]], value: float) -> float | None:
    where = bisect_left(rising, (value, -math.inf))
    return rising[where][1] if where < len(rising) else None


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p90, p99 and max, by nearest rank."""
    ordered = sorted(values)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 3)

    return {"p50": rank(0.5), "p90": rank(0.9), "p99": rank(0.99), "max": rank(1.0)}


def growth_s(found: Sequence[Passage]) -> float:
    """By how much the median delay of the last quarter is above that of the first: a queue that grows."""
    ordered = sorted(found, key=lambda passage: passage.sent_s)
    bounds = [len(ordered) * number // 4 for number in range(5)]
    medians = [
        quantiles([passage.stages["sent_to_graphql"] for passage in ordered[start:end]])["p50"]
        for start, end in pairwise(bounds)
        if start < end
    ]
    return round(medians[-1] - medians[0], 3)
