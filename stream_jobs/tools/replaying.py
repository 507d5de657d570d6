"""Which rejected events are shown, written to be corrected, and sent again; knows neither Kafka nor files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import NamedTuple, Protocol

from stream_jobs.events.rules import TransactionEvent
from stream_jobs.events.settings import EventRules
from stream_jobs.tools.rejected_events import (
    Corrected,
    LineError,
    Place,
    RejectedEvent,
    Wanted,
    corrected,
    editable,
    instant,
    verdict,
)

EVENTS_A_TRANSACTION = 1_000
SHOWN_BYTES = 120


class Replayed(NamedTuple):
    """That a rejected event was sent again."""

    kafka_partition: int
    kafka_offset: int
    reason: str
    transaction_id: str
    value_sha256: str
    replayed_at_ms: int
    by: str

    @property
    def place(self) -> Place:
        return Place(self.kafka_partition, self.kafka_offset)

    def __str__(self) -> str:
        return f"sent again by {self.by} at {instant(self.replayed_at_ms)}"


class Rejects(Protocol):
    """Where rejected events are read and corrected ones are sent."""

    def fence(self) -> None:
        """Shut out every other replay."""

    def rejected(self) -> Iterable[RejectedEvent]: ...

    def replayed(self) -> Iterable[Replayed]: ...

    def send(self, events: Sequence[tuple[Corrected, Replayed]]) -> None:
        """Corrected events, and that they were sent, in one transaction."""


@dataclass(slots=True)
class Outcome:
    """What a replay sends, or would, and of what it does not the line's number and why."""

    sent: list[tuple[Corrected, Replayed]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


def replay(
    lines: Iterable[bytes],
    rejects: Rejects,
    rules: EventRules,
    by: str,
    now_ms: int,
    *,
    again: bool,
    dry_run: bool,
) -> Outcome:
    """Send each line that would count, once: not what was sent again before, unless `again`."""
    if not dry_run:
        rejects.fence()
    outcome, read = Outcome(), dict[int, Corrected]()
    for number, line in enumerate(lines, 1):
        try:
            read[number] = corrected(line)
        except LineError as fault:
            outcome.refused.append((number, str(fault)))
    about = _about(read.values(), rejects.rejected())
    taken: dict[Place, str] = {} if again else {r.place: str(r) for r in rejects.replayed()}
    for number, each in read.items():
        rejected = about.get(each.place)
        said = taken.get(each.place) or verdict(each, rejected, rules)
        if isinstance(said, TransactionEvent) and rejected is not None:
            taken[each.place] = f"line {number} is about the same rejected event"
            digest = hashlib.sha256(each.value).hexdigest()
            what = (rejected.reason, said.transaction_id, digest)
            outcome.sent.append((each, Replayed(*each.place, *what, now_ms, by)))
        else:
            outcome.refused.append((number, str(said)))
    outcome.refused.sort()
    if not dry_run:
        for first in range(0, len(outcome.sent), EVENTS_A_TRANSACTION):
            rejects.send(outcome.sent[first : first + EVENTS_A_TRANSACTION])
    return outcome


def listed(rejects: Rejects, wanted: Wanted, most: int) -> Iterator[str]:
    """The newest of those wanted, oldest first, a line each; then how many there are."""
    replayed = {each.place: each for each in rejects.replayed()}
    count = 0

    def counted() -> Iterator[RejectedEvent]:
        nonlocal count
        for event in rejects.rejected():
            if event in wanted:
                count += 1
                yield event

    newest = nlargest(most, counted(), key=lambda each: (each.recorded_ms, each.place))
    for event in reversed(newest):
        yield _shown(event, replayed.get(event.place))
    yield f"{count} rejected events" + (f", the newest {most} shown" if count > most else "")


def to_correct(rejects: Rejects, wanted: Wanted) -> Iterator[bytes]:
    """Those wanted that were not sent again, a line each."""
    replayed = {each.place for each in rejects.replayed()}
    for event in rejects.rejected():
        if event in wanted and event.place not in replayed:
            yield editable(event)


def _about(
    lines: Iterable[Corrected], rejected: Iterable[RejectedEvent]
) -> Mapping[Place, RejectedEvent]:
    places = {each.place for each in lines}
    return {each.place: each for each in rejected if each.place in places}


def _shown(event: RejectedEvent, replayed: Replayed | None) -> str:
    where = f"{event.place.kafka_partition}:{event.place.kafka_offset}"
    text = event.value[:SHOWN_BYTES].decode(errors="replace")
    again = f"  {replayed}" if replayed else ""
    return f"{instant(event.recorded_ms)}  {where}  {event.reason}: {event.detail}  {text!a}{again}"
