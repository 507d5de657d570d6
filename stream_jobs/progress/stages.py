"""The instants on their way to being proven: which has passed which stage; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from stream_jobs.topics.offsets import Offsets

MAX_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """An instant, and where `transactions` ended after it."""

    as_of_ms: int
    ends: Offsets


@dataclass(frozen=True, slots=True)
class Written:
    """An instant whose events the job has finished, and where each result topic ended after that."""

    sent: Sent
    ends: Mapping[str, Offsets]


Instant = TypeVar("Instant", Sent, Written)


def newest(instants: list[Instant], passes: Callable[[Instant], bool]) -> Instant | None:
    """The last instant that passes. Ends only grow, so the search stops at the first that does."""
    return next((instant for instant in reversed(instants) if passes(instant)), None)


def after(instants: list[Instant], passed: Instant) -> list[Instant]:
    """What is waiting behind `passed`, in the order of looking: a clock may have jumped between two instants."""
    return instants[instants.index(passed) + 1 :]


def thinned(instants: list[Instant]) -> list[Instant]:
    """At most 64 instants: of more, every second is left out, never the oldest nor the newest."""
    if len(instants) <= MAX_WAITING:
        return instants
    return instants[:-1:2] + instants[-1:]
