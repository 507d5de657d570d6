"""Counts, sums and content hashes by hour of event time, raw partition and direction; pure."""

from __future__ import annotations

from hashlib import md5
from typing import Final, NamedTuple

from stream_jobs.audit.expected import Expected, content_of
from stream_jobs.events.entries import RECEIVED, REVERSAL, SENT, TRANSFER
from stream_jobs.events.money import scaled, unscaled

HOUR_MS: Final = 3_600_000
# Between the fields that are hashed; no account id may hold it.
SEPARATOR: Final = "\x1f"


class Cell(NamedTuple):
    """One direction of one raw partition in one hour."""

    hour_ms: int
    partition: int
    direction: str


class Sums(NamedTuple):
    """How many rows, their exact amount in units of 10^-8, and the sum of their hashes times amounts."""

    rows: int = 0
    amount: int = 0
    mix: int = 0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))


CellSums = dict[Cell, Sums]


class Row(NamedTuple):
    """One row of Pinot, as it is or as it should be; `amount` in units of 10^-8, negative of a reversal."""

    account_id: str
    counterparty_id: str
    direction: str
    transaction_id: str
    time_ms: int
    kind: str
    reverses: str
    partition: int
    offset: int
    amount: int

    @property
    def cell(self) -> Cell:
        """Where it is summed up."""
        return Cell(self.time_ms - self.time_ms % HOUR_MS, self.partition, self.direction)

    @property
    def mix(self) -> int:
        """The hash of its event times its amount: summed over rows it changes with any field of any of them.

        Both rows of an event have the same, told as receiver and sender, so that one hash an event is enough.
        """
        return hashed(SEPARATOR.join((*self.sides, *map(str, self[3:-1])))) * self.amount

    @property
    def sides(self) -> tuple[str, str]:
        """Its event's receiver and sender."""
        sides = (self.account_id, self.counterparty_id)
        return sides if self.direction == RECEIVED else sides[::-1]

    @property
    def content(self) -> int:
        """What `Expected.content` is of its event."""
        receiver, sender = self.sides
        return content_of(sender, receiver, unscaled(abs(self.amount)))


def hashed(text: str) -> int:
    """The first 64 bits of a text's MD5 as a number; pinot_tier.ROW_MIX says the same in SQL.

    Nobody needs to be kept from making collisions on purpose.
    """
    digest = md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest[:16], 16)


def rows_of(expected: Expected) -> tuple[Row, Row]:
    """The two rows of an event that counts."""
    event = expected.event
    if event is None:
        raise TypeError("a rejected record has no rows")
    amount, kind = scaled(event.amount), TRANSFER
    if event.reverses is not None:
        amount, kind = -amount, REVERSAL
    what = (event.transaction_id, expected.time_ms, kind, event.reverses or "")
    source = (expected.partition, expected.offset)
    receiver, sender = event.to_account_id, event.from_account_id
    return (
        Row(receiver, sender, RECEIVED, *what, *source, amount),
        Row(sender, receiver, SENT, *what, *source, amount),
    )


class Counted(NamedTuple):
    """What counted in a cell, and between which raw offsets, the last included."""

    sums: Sums
    first: int
    last: int

    def plus(self, other: Counted) -> Counted:
        """Both together."""
        sums = self.sums.plus(other.sums)
        return Counted(sums, min(self.first, other.first), max(self.last, other.last))


class Counting:
    """Sums up what counts, cell by cell; as it is done for every event, no row is made for it."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[int]] = {}

    def add(self, expected: Expected) -> None:
        """Both rows of an event."""
        event, time_ms, offset = expected.event, expected.time_ms, expected.offset
        if event is None:
            return
        amount, kind, reverses = scaled(event.amount), TRANSFER, ""
        if event.reverses is not None:
            amount, kind, reverses = -amount, REVERSAL, event.reverses
        partition = expected.partition
        mix = amount * hashed(
            f"{event.to_account_id}\x1f{event.from_account_id}\x1f{event.transaction_id}\x1f{time_ms}\x1f"
            f"{kind}\x1f{reverses}\x1f{partition}\x1f{offset}"
        )
        key = (time_ms // HOUR_MS, partition)
        into = self._cells.get(key)
        if into is None:
            self._cells[key] = [1, amount, mix, offset, offset]
            return
        into[0] += 1
        into[1] += amount
        into[2] += mix
        if offset < into[3]:
            into[3] = offset
        elif offset > into[4]:
            into[4] = offset

    def cells(self) -> dict[Cell, Counted]:
        """The sums so far, the same in both directions."""
        return {
            Cell(hour * HOUR_MS, partition, direction): Counted(Sums(*into[:3]), into[3], into[4])
            for (hour, partition), into in self._cells.items()
            for direction in (RECEIVED, SENT)
        }
