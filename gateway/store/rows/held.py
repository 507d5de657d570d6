"""One account's rows in memory: columns in the order of pages, about 45 bytes a row and its counterparties' names."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.analytics.model import Interval
from gateway.store.rows.asked import ID_BYTES, Row, Told

SKEW_MS = 60_000
"""How far the clock of a store's servers may be behind that of the pipeline's Kafka brokers.

Everything that reached the pipeline before `asOf` is in an answer, so what is not in it reached the store's
servers after that: it arrived then or later, by a clock that is behind by no more than this.
"""
_BETWEEN = "\0"
"""No account id has it."""
_INT64 = 1 << 63
_HELD_BYTES, _RECENT_BYTES = 1_900, 420
"""Of the objects around the columns, and of each row that may come again."""


@dataclass(frozen=True, slots=True)
class Side:
    """Rows of one direction, ascending by time, transaction id and kind: a reversal first.

    `who`: the counterparty's place among the names. `reversals`: by place, what each takes back.
    """

    times_ms: array[int]
    units: Sequence[int]
    who: array[int]
    ids: bytes
    reversals: Mapping[int, bytes]

    def __len__(self) -> int:
        return len(self.times_ms)

    def within(self, interval: Interval) -> tuple[int, int]:
        """The first place in an interval, and the one after the last."""
        first = bisect_left(self.times_ms, interval.start_ms)
        return first, bisect_left(self.times_ms, interval.end_ms, first)

    def id_at(self, place: int) -> bytes:
        """The transaction id of a row."""
        return self.ids[place * ID_BYTES : (place + 1) * ID_BYTES]


@dataclass(frozen=True, slots=True)
class Rows:
    """Both sides; names ascend by code point, so that their places do."""

    joined: str
    received: Side
    sent: Side

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Rows:
        """Rows in any order."""
        ordered = sorted(
            rows, key=lambda row: (row.event_time_ms, row.transaction_id, not row.is_reversal)
        )
        names = sorted({row.counterparty_id for row in ordered})
        places = {name: place for place, name in enumerate(names)}
        sides = (
            _side([row for row in ordered if row.is_sent is is_sent], places)
            for is_sent in (False, True)
        )
        return cls(_BETWEEN.join(names), *sides)

    def __len__(self) -> int:
        return len(self.received) + len(self.sent)

    @property
    def names(self) -> list[str]:
        """The counterparties, ascending."""
        return self.joined.split(_BETWEEN) if self.joined else []

    def __iter__(self) -> Iterator[Row]:
        names = self.names
        for is_sent, side in ((False, self.received), (True, self.sent)):
            for place, time_ms in enumerate(side.times_ms):
                yield Row(
                    names[side.who[place]],
                    is_sent,
                    side.id_at(place),
                    side.units[place],
                    time_ms,
                    place in side.reversals,
                    side.reversals.get(place, b""),
                    0,
                )

    def has(self, row: Row) -> bool:
        """Whether there is a row of the same transaction, kind and direction at its time."""
        side = self.sent if row.is_sent else self.received
        first, last = side.within(Interval(row.event_time_ms, row.event_time_ms + 1))
        return any(
            side.id_at(place) == row.transaction_id and (place in side.reversals) is row.is_reversal
            for place in range(first, last)
        )

    @property
    def bytes(self) -> int:
        """What the columns take."""
        return sys.getsizeof(self.joined) + sum(map(_size, (self.received, self.sent)))


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of all event times from `start_ms` on, as one answer of the store would have them.

    `looked_s`: when that answer was asked for, `loaded_s`: when all of them were. `recent`: how many
    of each row that may come again, since it arrived about when the last answer was made. `erasures`: as `StoreResult`.
    """

    rows: Rows
    start_ms: int
    as_of_ms: int
    snapshot: int
    loaded_s: float
    looked_s: float
    recent: Mapping[tuple[object, ...], tuple[int, int]] = field(default_factory=dict)
    erasures: int = 0

    @classmethod
    def of(cls, told: Told) -> Held:
        """What a store told of an account when it was asked for everything."""
        rows, snapshot = told.rows.rows, told.rows.snapshot
        recent = _recent({}, rows, told.as_of_ms)
        looked = told.start_ms, told.as_of_ms, snapshot, told.asked_s, told.asked_s
        return cls(Rows.of(rows), *looked, recent, told.erasures)

    @property
    def arrived_since_ms(self) -> int:
        """Since when what arrived may not be here."""
        return self.as_of_ms - SKEW_MS

    def with_(self, told: Told) -> Held | None:
        """The rows with those that arrived since; `None` if they do not fit together, and all must be asked for anew.

        Of the rows told, those count that arrived since these were made: the store may have been asked
        for older ones, too, on another account's behalf. A row that is here already comes again where
        another replica answers. One of the last minutes is known by what it says; of an older one it
        cannot be said whether it is the same, or another that says the same. Nor do rows fit to those of
        before an account was erased, which may name it.
        """
        if told.erasures != self.erasures:
            return None
        since_ms, added = self.arrived_since_ms, list[Row]()
        new = [
            each for each in told.rows.rows if each.arrived_ms >= since_ms or not each.arrived_ms
        ]
        copies = Counter(row.said for row in new)
        for row in {row.said: row for row in new}.values():
            known, _ = self.recent.get(row.said, (0, 0))
            if not known and self.rows.has(row):
                return None
            added += [row] * (copies[row.said] - known)
        rows = Rows.of([*self.rows, *added]) if added else self.rows
        return Held(
            rows,
            max(self.start_ms, told.start_ms),
            told.as_of_ms,
            max(self.snapshot, told.rows.snapshot),
            self.loaded_s,
            told.asked_s,
            _recent(self.recent, added, told.as_of_ms),
            self.erasures,
        )

    @property
    def bytes(self) -> int:
        """What all of it takes."""
        return _HELD_BYTES + self.rows.bytes + _RECENT_BYTES * len(self.recent)


def _recent(
    before: Mapping[tuple[object, ...], tuple[int, int]], added: Iterable[Row], as_of_ms: int
) -> dict[tuple[object, ...], tuple[int, int]]:
    """How many of each row, and when it arrived, of those that a replica may date after the next question."""
    # Twice: a row that one replica dates before that and another one after it is still known.
    oldest_ms = as_of_ms - 2 * SKEW_MS
    found = {said: known for said, known in before.items() if known[1] >= oldest_ms or not known[1]}
    for row in added:
        arrived_ms = row.arrived_ms
        if arrived_ms >= oldest_ms or not arrived_ms:
            count, _ = found.get(row.said, (0, 0))
            found[row.said] = count + 1, arrived_ms
    return found


def _side(rows: Sequence[Row], places: Mapping[str, int]) -> Side:
    units = [row.units for row in rows]
    fits = all(-_INT64 <= each < _INT64 for each in units)
    return Side(
        array("q", [row.event_time_ms for row in rows]),
        array("q", units) if fits else tuple(units),
        array(
            "H" if len(places) <= 0x10000 else "L", [places[row.counterparty_id] for row in rows]
        ),
        b"".join([row.transaction_id for row in rows]),
        {place: row.reverses for place, row in enumerate(rows) if row.is_reversal},
    )


def _size(side: Side) -> int:
    columns = (side.times_ms, side.units, side.who, side.ids, side.reversals)
    wide = 0 if isinstance(side.units, array) else 40 * len(side.units)
    return sum(map(sys.getsizeof, columns)) + wide + 120 * len(side.reversals)
