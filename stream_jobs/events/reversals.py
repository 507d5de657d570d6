"""What becomes of a reversal: it takes effect, is held until its original comes, or is rejected; pure, no Flink.

A reversal undoes one transfer, whole: it repeats the transfer's accounts and amount. The first that does
so takes effect, whichever of the two comes first. What differs is rejected and does not stand in the way of a
later one that fits. Which of two that fit is the first is told by the order in which they reach the job.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from stream_jobs.events.erased_accounts import Names, refusal, renamed, without_ids
from stream_jobs.events.reasons import MAX_REVERSALS, RejectReason
from stream_jobs.events.rejection import Rejection, rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import DEFAULT, EventRules

# Between the fields that are hashed; no account id may hold it.
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reversal's record as it stood in the raw topic, and its content by the rules of then.

    `key_base64` and `headers` are as a rejected record keeps them (rejection.py). `erased` are the accounts that it names
    and that were erased before it came; `refused`: it is for that, and may be a transfer as well.
    """

    payload: bytes
    recorded_ms: int
    kafka_partition: int
    kafka_offset: int
    content: int
    key_base64: str | None = None
    headers: str | None = None
    erased: Names = field(default_factory=dict)
    refused: bool = False

    def packed(self) -> str:
        """As text without a comma, since Flink joins the arrivals of one transfer with commas."""
        fields = (
            self.payload.decode(),
            self.recorded_ms,
            self.kafka_partition,
            self.kafka_offset,
            self.content,
            self.key_base64,
            self.headers,
            # Nothing more of what names no erased account, as it was always packed.
            *((self.erased, self.refused) if self.erased else ()),
        )
        return base64.b64encode(orjson.dumps(fields)).decode("ascii")


@dataclass(frozen=True, slots=True)
class Settled:
    """A reversal whose fate is decided: an event that takes effect, or a rejection."""

    arrival: Arrival
    verdict: TransactionEvent | Rejection


def content(event: TransactionEvent) -> int:
    """64 bits of what a reversal repeats: both accounts, and the amount whatever its trailing zeros.

    It is in the job's state for as long as the dedup window: another way to make it would fit nothing that is there.
    """
    amount = event.amount
    if "." in amount:
        amount = amount.rstrip("0").removesuffix(".")
    text = _SEPARATOR.join((event.from_account_id, event.to_account_id, amount))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def effective(original: int, reversals: Sequence[int | None]) -> int | None:
    """Which of the reversals of a transfer, in their order, takes effect; all given by their contents."""
    return reversals.index(original) if original in reversals else None


def settle(
    arrival: str | None, original: int | None, arrivals: str | None, rules: EventRules = DEFAULT
) -> Iterator[Settled]:
    """What one more event decides of the reversals of a transfer.

    The event is a reversal, `arrival`, or the transfer itself; or either of them if it is refused, which decides nothing
    else. `original` is the transfer's content if it has come, `arrivals` all its reversals so far that are kept, as packed
    and joined by Flink, the new one last.

    Which one takes effect is told by what each said when it came: were it judged anew, rules that are stricter by now
    could let a second one take effect. One that was refused has not come. One that waited and breaks the rules is
    rejected, and nothing comes in its place.
    """
    kept = arrivals.split(",") if arrivals else []
    newest = None if arrival is None else _unpacked(arrival)
    if newest is not None and newest.refused:
        yield Settled(newest, refusal(newest.payload, newest.erased))
    elif newest is not None and (not kept or kept[-1] != arrival):
        yield _rejected(
            newest,
            RejectReason.TOO_MANY_REVERSALS,
            f"at most {MAX_REVERSALS} reversals of one transfer are looked at",
        )
    elif original is not None:
        came = [_unpacked(each) for each in kept]
        first = effective(original, [None if each.refused else each.content for each in came])
        for number in range(0 if arrival is None else len(kept) - 1, len(kept)):
            each = came[number]
            if each.refused:
                continue
            if number == first:
                yield _told(each, judge(each.payload, each.recorded_ms, rules))
            elif each.content == original:
                detail = "another reversal of this transfer has taken effect"
                yield _rejected(each, RejectReason.ALREADY_REVERSED, detail)
            else:
                detail = "the accounts or the amount are not those of the transfer"
                yield _rejected(each, RejectReason.REVERSAL_DIFFERS, detail)


def _unpacked(packed: str) -> Arrival:
    payload, *where = orjson.loads(base64.b64decode(packed))
    return Arrival(payload.encode(), *where)


def _rejected(arrival: Arrival, reason: RejectReason, detail: str) -> Settled:
    return _told(arrival, rejection(arrival.payload, reason, detail))


def _told(arrival: Arrival, verdict: TransactionEvent | Rejection) -> Settled:
    names = arrival.erased
    if names and isinstance(verdict, Rejection):
        return Settled(arrival, without_ids(verdict, arrival.payload, names))
    if names and isinstance(verdict, TransactionEvent):
        return Settled(arrival, renamed(verdict, names))
    return Settled(arrival, verdict)
