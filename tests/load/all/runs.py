"""What `./dev bench all` runs, in this order: each benchmark with its options at full size and quickly, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.load.all import figures

Told = Callable[[Mapping[str, Any]], str]


class Place(Enum):
    """What a benchmark runs on."""

    ALONE = "a machine without a stack"
    KEPT = "a stack with the data that is there"
    STACK = "a fresh stack, which those before it may have filled"
    FRESH = "a fresh stack of its own; quickly, that of those before it"

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `./dev up`."""
        return ("--no-load",) if self is Place.KEPT else ("--fresh", "--no-load")


@dataclass(frozen=True, slots=True)
class Run:
    """One row: `name` is also that of the file of its figures, `told` says in words what they are."""

    words: str
    what: str
    told: Told
    full: str = ""
    quick: str = ""
    place: Place = Place.ALONE

    @property
    def name(self) -> str:
        return self.words.replace(" ", "-")

    @property
    def module(self) -> str:
        """The benchmark's, with its `parser` and its `measure`."""
        return "tests.load." + self.words.replace(" ", ".").replace("-", "_")

    def options(self, *, quick: bool) -> list[str]:
        return (self.quick if quick else self.full).split()

    def command(self, *, quick: bool) -> str:
        """What measures this row alone, given the stack that it needs."""
        return " ".join(["./dev bench", self.words, *self.options(quick=quick)])


RUNS = (
    Run(
        "gateway cached",
        "An answer out of the cache beside a constant one and stock FastAPI + Strawberry",
        figures.cached,
        quick="--turn 2 --rounds 1",
    ),
    Run(
        "gateway service-level",
        "5,000 queries/s at 95 % hits, store stubbed",
        figures.service_level,
        quick="--seconds 10",
    ),
    Run(
        "gateway uncached",
        "An answer that is not in the cache, store stubbed, beside Strawberry with its caches and Mercurius",
        figures.uncached,
        quick="--turn 2 --rounds 1",
    ),
    Run(
        "gateway statement",
        "CPU of a store statement in the gateway, beside pinotdb on httpx",
        figures.statement,
        quick="--statements 600",
    ),
    Run(
        "gateway overload",
        "A store asked for more than it can do",
        figures.overload,
        quick="--factors 2 --seconds 4",
    ),
    Run(
        "gateway stampede",
        "Clients that ask for one cold key at once",
        figures.stampede,
        quick="--clients 2000 --seconds 3",
    ),
    Run(
        "live",
        "Subscribers, idle and active, beside clients that poll each second",
        figures.live,
        quick="--idle 500 --active 200 --polling 200 --seconds 5",
    ),
    Run(
        "documents",
        "CPU to check a hostile document, beside stock Strawberry",
        figures.documents,
        quick="--documents 1000 --stock 60",
    ),
    Run(
        "hostile",
        "Hostile documents, 250 a second, with good users beside them",
        figures.hostile,
        full="--attacks-per-s 250",
        quick="--attacks-per-s 250 --documents 3000",
    ),
    Run(
        "held",
        "For how long the largest answers hold the event loop",
        figures.held,
        quick="--rounds 1",
    ),
    Run(
        "existence",
        "Whether time tells that an account exists",
        figures.existence,
        quick="--requests 300",
    ),
    Run(
        "audit",
        "Corruptions planted and found, and what an event costs the audit",
        figures.audit,
        quick="--corruptions 100",
    ),
    Run(
        "progress",
        "A look of the progress tracker at 64 partitions, by what a call takes",
        figures.progress,
    ),
    Run(
        "state",
        "The memory of transaction ids as it grows",
        figures.state,
        full="--keys 1e6,5e6",
        quick="--keys 2e5,4e5",
    ),
    Run(
        "stack",
        "Starting the whole stack to its first answer, and its memory after minutes of 500 events/s",
        figures.stack,
        quick="--minutes 1",
    ),
    Run(
        "cost",
        "What each kind of question takes, one at a time",
        figures.cost,
        quick="--repeat 4",
        place=Place.KEPT,
    ),
    Run(
        "sessions",
        "Sessions of users, partners and operators by Zipf, with and without accounts' own rows",
        figures.sessions,
        quick="--quick",
        place=Place.STACK,
    ),
    Run(
        "gateway end-to-end",
        "The real Pinot at several shares of hits",
        figures.end_to_end,
        quick="--transfers 40000 --seconds 4 --warm 2 --hits 0 0.9",
        place=Place.STACK,
    ),
    Run(
        "gateway sharing",
        "What each layer that shares store queries gains: CPU without it",
        figures.sharing,
        quick="--transfers 0 --seconds 2 --rounds 1 --cases misses stub-hits",
        place=Place.STACK,
    ),
    Run(
        "plans",
        "The top 10 of the largest account: as served, the first time, in one statement",
        figures.plans,
        quick="--sizes small middle --repeat 3",
        place=Place.STACK,
    ),
    Run(
        "segments",
        "A question about one account on many segments",
        figures.segments,
        quick="--segments 256 --partitions 8 --repeat 100 --pruned 2048",
        place=Place.STACK,
    ),
    Run(
        "startree",
        "Months of history with star-trees and without them, answers equal to the last digit",
        figures.startree,
        quick="--quick",
        place=Place.STACK,
    ),
    Run(
        "stores",
        "The same events and questions to Pinot and other stores",
        figures.stores,
        quick="--transfers 30000 --questions 60 --seconds 2",
        place=Place.STACK,
    ),
    Run(
        "job",
        "The job out of a backlog",
        figures.job,
        quick="--events 100000",
        place=Place.STACK,
    ),
    Run(
        "freshness",
        "Event sent → in a GraphQL answer, at 2,000 events/s",
        figures.freshness,
        full="--segment-rows 50000 --seconds 120",
        quick="--seconds 20",
        place=Place.FRESH,
    ),
    Run(
        "pipeline",
        "The rate that everything together carries with freshness holding",
        figures.pipeline,
        full="--rate 10000 --search",
        quick="--rate 10000 --seconds 30 --warm-up 0",
        place=Place.FRESH,
    ),
)
