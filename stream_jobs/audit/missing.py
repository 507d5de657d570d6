"""What a repair writes for raw records without an outcome: what the job would have written; pure.

What counted before is known by `Ids`: a record whose id has counted is a duplicate, whatever the job remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from stream_jobs.audit.expected import RECEIVED_SIDE, SENT_SIDE, Expected
from stream_jobs.audit.history import REVERSAL, REVERSED, TRANSFER, keys_about
from stream_jobs.audit.ids import key_of
from stream_jobs.audit.outcomes import DUPLICATE, HELD
from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection, rejection
from stream_jobs.events.rules import TransactionEvent
from stream_jobs.topics.names import Names


@dataclass(frozen=True, slots=True)
class Written:
    """One record of one of the outcomes' topics; entries have a key."""

    topic: str
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """A raw record without its outcome, and what the outcome is."""

    expected: Expected
    outcome: str
    records: tuple[Written, ...]


def keys_of(lost: Iterable[Expected]) -> list[int]:
    """Everything that must be known of what counted before."""
    return [key for each in lost for key in keys_about(each)]


def missing(lost: Sequence[Expected], known: Mapping[int, int], names: Names) -> list[Missing]:
    """What is to be written for each of them, in the order of their offsets; transfers before their reversals."""
    counted = dict(known)
    in_order = sorted(lost, key=lambda each: (each.is_reversal, each.source))
    return [_missing(each, counted, names) for each in in_order]


def _missing(each: Expected, counted: dict[int, int], names: Names) -> Missing:
    event = each.event
    if event is None:
        assert each.rejection is not None  # one of the two
        return _rejected(each, each.rejection, names)
    if each.sides:  # the other entry is there, so it has counted
        return _counts(each, event, names)
    if event.reverses is not None:
        return _reversal(each, event, event.reverses, counted, names)
    key = key_of(TRANSFER, event.transaction_id)
    if key in counted:
        return _uncounted(each, DUPLICATE, names)
    counted[key] = each.content
    return _counts(each, event, names)


def _reversal(
    each: Expected, event: TransactionEvent, undone: str, counted: dict[int, int], names: Names
) -> Missing:
    own, reversed_ = key_of(REVERSAL, event.transaction_id), key_of(REVERSED, undone)
    original = counted.get(key_of(TRANSFER, undone))
    payload = each.value or b""
    if own in counted:
        return _uncounted(each, DUPLICATE, names)
    if original is None:
        return _uncounted(each, HELD, names)
    if original != each.content:
        detail = "the accounts or the amount are not those of the transfer"
        return _rejected(each, rejection(payload, RejectReason.REVERSAL_DIFFERS, detail), names)
    if reversed_ in counted:
        detail = "another reversal of this transfer has taken effect"
        return _rejected(each, rejection(payload, RejectReason.ALREADY_REVERSED, detail), names)
    counted[own] = each.content
    counted[reversed_] = own
    return _counts(each, event, names)


def _counts(each: Expected, event: TransactionEvent, names: Names) -> Missing:
    sides = (
        (RECEIVED_SIDE, event.to_account_id, each.received),
        (SENT_SIDE, event.from_account_id, each.sent),
    )
    records = (
        Written(names.entries_topic, account.encode(), value)
        for side, account, value in sides
        if not each.sides & side
    )
    return Missing(each, "COUNTED", tuple(records))


def _uncounted(each: Expected, outcome: str, names: Names) -> Missing:
    body = {
        "outcome": outcome,
        "transaction_id": each.id,
        "kafka_partition": each.partition,
        "kafka_offset": each.offset,
    }
    return Missing(each, outcome, (Written(names.uncounted_topic, None, orjson.dumps(body)),))


def _rejected(each: Expected, judged: Rejection, names: Names) -> Missing:
    body = {
        "reason": judged.reason.value,
        "detail": judged.detail,
        "payload": judged.payload,
        "payload_base64": judged.payload_base64,
        "payload_bytes": judged.payload_bytes,
        "topic": names.transactions_topic,
        "kafka_partition": each.partition,
        "kafka_offset": each.offset,
        "event_time_ms": each.recorded_ms,
        # They are beside the value, which is all that is judged.
        "key_base64": None,
        "headers": None,
    }
    value = orjson.dumps(body)
    return Missing(each, "REJECTED", (Written(names.rejected_topic, None, value),))
