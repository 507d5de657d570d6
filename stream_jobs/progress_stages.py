"""The instants on their way to being proven: which has passed which stage; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from stream_jobs.offsets import Offsets

MAX_WAITING: Final = 64

Instant = TypeVar("Instant", "Sent", "Written")


@dataclass(frozen=True, slots=True)
class Sent:
    """An instant, and where `transactions` ended right after it."""

    as_of_ms: int
    ends: Offsets


@dataclass(frozen=True, slots=True)
class Written:
    """An instant whose events the job has finished, and where each result topic ended right after that."""

    as_of_ms: int
    ends: Mapping[str, Offsets]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Instants by stage, oldest first."""

    sent: tuple[Sent, ...] = ()
    written: tuple[Written, ...] = ()

    def with_sent(self, instant: Sent) -> Waiting:
        """One more instant at the first stage."""
        return replace(self, sent=thinned((*self.sent, instant)))

    def newest_sent(self, passes: Callable[[Sent], bool]) -> Sent | None:
        """The newest instant that passes the first stage: what holds for it holds for all before it."""
        return newest(self.sent, passes)

    def newest_written(self, passes: Callable[[Written], bool]) -> Written | None:
        """The newest instant that passes the second stage."""
        return newest(self.written, passes)

    def finished(self, passed: Sent, instant: Written) -> Waiting:
        """`passed` and all before it leave the first stage, `instant` enters the second."""
        later = tuple(waiting for waiting in self.sent if waiting.as_of_ms > passed.as_of_ms)
        return Waiting(later, thinned((*self.written, instant)))

    def served(self, passed: Written) -> Waiting:
        """`passed` and all before it leave the second stage."""
        later = tuple(waiting for waiting in self.written if waiting.as_of_ms > passed.as_of_ms)
        return replace(self, written=later)


def newest(instants: tuple[Instant, ...], passes: Callable[[Instant], bool]) -> Instant | None:
    """The last instant that passes. Ends only grow with time, so the search stops at the first that does."""
    return next((instant for instant in reversed(instants) if passes(instant)), None)


def thinned(instants: tuple[Instant, ...]) -> tuple[Instant, ...]:
    """At most 64 instants: of more, every second is left out, never the oldest nor the newest."""
    if len(instants) <= MAX_WAITING:
        return instants
    return instants[:-1:2] + instants[-1:]
