"""When an id can change no more: a check follows one look at the raw topic through the job into the entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stream_jobs.offsets import Offsets, OffsetsOfKafka, Reached, all_at_least

TRANSACTIONS: Final = "transactions"
ENTRIES: Final = "account-entries"


@dataclass(frozen=True, slots=True)
class Topics:
    """The two topics that are compared, by the names they have."""

    raw: str = TRANSACTIONS
    entries: str = ENTRIES


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything that reached the raw topic before `as_of_ms` has all its entries below `entry_ends`."""

    round: int
    as_of_ms: int
    entry_ends: Offsets


@dataclass(slots=True)
class _Check:
    round: int
    started_ms: int
    raw_ends: Offsets
    entry_ends: Offsets | None = None


class Frontier:
    """One check after the other. `read` tells how far the audit itself has read a topic.

    A check is over when (1) the job has committed past R, where the raw topic ended as the check began: by the
    reasons in progress_tracker.py all entries of what lies below R then lie below E, the end of the entries read
    after that; (2) all transactions below E are decided; (3) the audit has read both topics up to R and E.
    What was touched before the check began then has all its events and entries, since an entry's event was in the
    raw topic before it.
    """

    def __init__(
        self,
        kafka: OffsetsOfKafka,
        topics: Topics,
        read: Callable[[str], Offsets],
        clock_ms: Callable[[], int],
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._read = read
        self._clock_ms = clock_ms
        self._job_has_reached = Reached(topics.raw, kafka.first_records)
        self._check: _Check | None = None

    def begin(self, round_: int) -> bool:
        """Begin a check, unless one is under way; whether it did."""
        if self._check is not None:
            return False
        now_ms = self._clock_ms()
        self._check = _Check(round_, now_ms, self._kafka.stable_ends(self._topics.raw))
        return True

    def look(self) -> Settled | None:
        """One look at the check under way: what it settled, once it is over."""
        check = self._check
        if check is None:
            return None
        if check.entry_ends is None:
            committed = self._kafka.committed(self._topics.raw)
            reached = all_at_least(committed, check.raw_ends)
            if not reached and not self._job_has_reached(committed, check.raw_ends):
                return None
            check.entry_ends = self._kafka.ends(self._topics.entries)
        if not all_at_least(self._kafka.stable_ends(self._topics.entries), check.entry_ends):
            return None
        if not all_at_least(self._read(self._topics.raw), check.raw_ends):
            return None
        if not all_at_least(self._read(self._topics.entries), check.entry_ends):
            return None
        self._check = None
        return Settled(check.round, check.started_ms, check.entry_ends)
