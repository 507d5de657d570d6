"""What one subscriber is told of the snapshots that are taken for it: each that is new, once, numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from gateway.live.event_id import EventId
from gateway.live.still import Rankings, changes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer as subscribers compare it.

    `body`: a JSON object of data, errors or both, without extensions. `mark`: equal for those that say
    the same. `codes`: of its errors. `is_null`: nothing is answered. `extensions`: what it says of itself.
    """

    body: bytes
    mark: bytes
    rankings: Rankings = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    is_null: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)


class Event(NamedTuple):
    """A snapshot to send, and its id."""

    id: str
    body: bytes


class Telling:
    """Numbers what is told to one subscriber, from 1 or from what it had before."""

    def __init__(self, question: bytes, before: EventId | None = None) -> None:
        known = before is not None and before.question == question
        self._question = question
        self._sequence = before.sequence if before is not None and known else 0
        self._mark = before.mark if before is not None and known else None
        self._last: Snapshot | None = None

    @property
    def last(self) -> Snapshot | None:
        """What was told last by this telling."""
        return self._last

    def is_new(self, snapshot: Snapshot) -> bool:
        """Whether it says what the last one did not."""
        return snapshot is not self._last and snapshot.mark != self._mark

    def event(self, snapshot: Snapshot, own: Mapping[str, Any] | None = None) -> Event:
        """The event that tells a snapshot, from now on the last one; `own`: this subscriber's extensions."""
        self._sequence += 1
        told: dict[str, Any] = {"sequence": self._sequence, **snapshot.extensions, **(own or {})}
        if self._last is not None:
            moved = changes(self._last.rankings, snapshot.rankings)
            told |= {"changes": moved} if moved else {}
        self._last, self._mark = snapshot, snapshot.mark
        body = b'%s,"extensions":%s}' % (snapshot.body[:-1], orjson.dumps(told))
        return Event(EventId(self._sequence, self._question, self._mark).text(), body)
