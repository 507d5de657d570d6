"""What the shared rules say that one raw record must leave behind; pure."""

from __future__ import annotations

from enum import IntEnum
from zlib import crc32

from stream_jobs.audit.outcomes import REJECTED, Source, Told
from stream_jobs.events.entries import RECEIVED, entry_values
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import DEFAULT, EventRules

RECEIVED_SIDE, SENT_SIDE = 1, 2
BOTH_SIDES = 3


class Waits(IntEnum):
    """What a closed record waits for: its transfer, its outcome that is missing, or that this is decided."""

    HELD = 0
    LOST = 1
    SET_ASIDE = 2


class Expected:
    """One raw record, its two entries if it counts, and which outcome has been seen of it so far.

    `sides` has a bit for each entry that was seen as it should be, `wrong` one for each that was not; `outcome` is
    what else was seen: DUPLICATE, REJECTED or REFUSED. `held`: it was told to wait, and another outcome follows.
    """

    __slots__ = (
        "event",
        "held",
        "offset",
        "outcome",
        "partition",
        "received",
        "recorded_ms",
        "rejection",
        "sent",
        "sides",
        "time_ms",
        "value",
        "wrong",
    )

    def __init__(
        self,
        value: bytes | None,
        partition: int,
        offset: int,
        recorded_ms: int,
        rules: EventRules = DEFAULT,
    ) -> None:
        judged = judge(value, recorded_ms, rules)
        self.value = value
        self.partition = partition
        self.offset = offset
        self.recorded_ms = self.time_ms = recorded_ms
        self.sides = self.wrong = 0
        self.outcome = ""
        self.held = False
        self.event: TransactionEvent | None = None
        self.rejection: Rejection | None = None
        if isinstance(judged, Rejection):
            self.rejection = judged
            self.received = self.sent = b""
        else:
            self.event = judged
            self.time_ms = judged.event_time_ms
            self.received, self.sent = entry_values(judged, partition, offset)

    def forget_bytes(self) -> None:
        """Give back what took most of its memory, once nothing is to be compared byte for byte any more."""
        self.value, self.received, self.sent = None, b"", b""

    @property
    def id(self) -> str:
        """The transaction's id; empty of a rejected record."""
        return "" if self.event is None else self.event.transaction_id

    @property
    def source(self) -> Source:
        """Where it stands in the raw topic."""
        return self.partition, self.offset

    def entry(self, direction: object) -> bytes:
        """The entry of one of both directions as it must be."""
        return self.received if direction == RECEIVED else self.sent

    @property
    def refused(self) -> Told:
        """What is told of a rejected record."""
        if self.rejection is None:
            raise TypeError("an event is not rejected")
        return Told(REJECTED, self.rejection.reason.value, self.rejection.payload_base64)

    @property
    def reverses(self) -> str:
        """The id of the transfer that it undoes; empty of what is no reversal."""
        return "" if self.event is None else self.event.reverses or ""

    @property
    def is_reversal(self) -> bool:
        """Whether its outcome also depends on another transaction."""
        return self.event is not None and self.event.reverses is not None

    @property
    def final(self) -> bool:
        """Whether its last outcome was seen."""
        return self.sides == BOTH_SIDES or self.outcome != ""

    @property
    def counted(self) -> bool:
        """Whether both its entries were seen."""
        return self.sides == BOTH_SIDES

    @property
    def content(self) -> int:
        """What a duplicate has in common with the first of its id, and a reversal with its transfer."""
        event = self.event
        if event is None:
            raise TypeError("a rejected record has no content")
        return content_of(event.from_account_id, event.to_account_id, event.amount)


def content_of(from_account_id: str, to_account_id: str, amount: str) -> int:
    """32 bits of both accounts, and of the amount whatever its trailing zeros."""
    if "." in amount:
        amount = amount.rstrip("0").removesuffix(".")
    return crc32(f"{from_account_id}\x1f{to_account_id}\x1f{amount}".encode())
