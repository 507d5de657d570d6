"""When a raw record's outcome can come no more: a check follows one look at the raw topic through the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets, OffsetsOfKafka, Reached, all_at_least


@dataclass(frozen=True, slots=True)
class Closed:
    """Every raw record below `raw` has its outcome below `outcomes`, and both are read, or has none.

    Everything that reached the raw topic before `as_of_ms` lies below; None if it is not known of any later instant than
    the last one.
    `committed` is how far the job had come at most, and at `raw_ends` the raw topic ended after all that. If not `whole`, some
    of the records below `raw` may still get their outcome.
    """

    raw: Offsets
    raw_ends: Offsets
    committed: Offsets
    outcomes: dict[str, Offsets]
    as_of_ms: int | None
    whole: bool = True


@dataclass(slots=True)
class _Check:
    raw: Offsets
    as_of_ms: int | None
    committed: Offsets = field(default_factory=dict)
    outcomes: dict[str, Offsets] = field(default_factory=dict)


class Frontier:
    """One check after the other. `read` tells how far the audit itself has read a topic.

    R is how far the raw topic had been read as the check began. A check is over when (1) the job has committed past
    R: by the reasons in progress/tracker.py all outcomes of what lies below R then lie below E, the ends of their
    topics read after that; (2) all transactions below E are decided; (3) the audit has read the outcomes up to E.
    """

    def __init__(
        self,
        kafka: OffsetsOfKafka,
        names: Names,
        read: Callable[[str], Offsets],
        clock_ms: Callable[[], int],
    ) -> None:
        self._kafka = kafka
        self._names = names
        self._read = read
        self._clock_ms = clock_ms
        self._awaited: tuple[int, Offsets] | None = None
        self._job_has_reached = Reached(names.transactions_topic, kafka.first_records)
        self._check: _Check | None = None

    @property
    def idle(self) -> bool:
        """Whether the next look begins a check."""
        return self._check is None

    def partly(self, raw: Offsets) -> Closed:
        """What is closed below `raw` because it has its outcomes, which have been read; the check goes on."""
        # Outcomes are there before the job's offsets say so: it had come no further than this.
        raw_ends = self._kafka.ends(self._names.transactions_topic)
        outcomes: dict[str, Offsets] = {
            topic: dict(self._read(topic)) for topic in self._names.outcomes
        }
        return Closed(raw, raw_ends, raw_ends, outcomes, None, whole=False)

    def look(self) -> Closed | None:
        """One look at the check under way, or the beginning of one: what is closed, once it is over."""
        if self._check is None:
            self._check = self._begun()
        check = self._check
        if not check.outcomes:
            check.committed = self._kafka.committed(self._names.transactions_topic)
            reached = all_at_least(check.committed, check.raw)
            if not reached and not self._job_has_reached(check.committed, check.raw):
                return None
            check.outcomes = {topic: self._kafka.ends(topic) for topic in self._names.outcomes}
        for topic, ends in check.outcomes.items():
            if not all_at_least(self._read(topic), ends):
                return None
            if not all_at_least(self._kafka.stable_ends(topic), ends):
                return None
        raw_ends = self._kafka.ends(self._names.transactions_topic)
        self._check = None
        return Closed(check.raw, raw_ends, check.committed, check.outcomes, check.as_of_ms)

    def _begun(self) -> _Check:
        # While events flow, all that there is has never been read; what there was a while ago has.
        if self._awaited is None:
            now_ms = self._clock_ms()
            self._awaited = now_ms, self._kafka.stable_ends(self._names.transactions_topic)
        as_of_ms, ends = self._awaited
        read = dict(self._read(self._names.transactions_topic))
        if not all_at_least(read, ends):
            return _Check(read, None)
        self._awaited = None
        return _Check(read, as_of_ms)
