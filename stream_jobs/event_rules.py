"""The event rules: what makes a record of `transactions` an event, or why it is rejected; pure, no Flink.

What they cannot see in one record alone, whether a reversal fits its original, is in reversals.py.
"""

from __future__ import annotations

import base64
import codecs
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

TRANSFER: Final = "transfer"
REVERSAL: Final = "reversal"
MAX_EVENT_BYTES: Final = 16 * 1024
MAX_REJECTED_TEXT_BYTES: Final = 1024
MAX_REJECTED_BASE64_BYTES: Final = 1024 * 1024  # of raw bytes, before base64

# What Pinot takes for a segment's time: 1971-01-02 to 2070-01-01, both UTC, the second excluded.
MIN_EVENT_TIME_MS: Final = 31_622_400_000
END_EVENT_TIME_MS: Final = 3_155_760_000_000

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
# 1 to 64 code points, none of Unicode's category Cc and no half of a surrogate pair.
_ACCOUNT_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}").fullmatch
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,8})?").fullmatch


class RejectReason(StrEnum):
    """Why a record does not count; closed: adding one is a change of the API."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    TIME_OUT_OF_RANGE = "TIME_OUT_OF_RANGE"
    NOT_UTF8 = "NOT_UTF8"
    NOT_JSON = "NOT_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    MISSING_FIELD = "MISSING_FIELD"
    TRANSACTION_ID_INVALID = "TRANSACTION_ID_INVALID"
    ACCOUNT_ID_INVALID = "ACCOUNT_ID_INVALID"
    AMOUNT_NOT_A_STRING = "AMOUNT_NOT_A_STRING"
    AMOUNT_MALFORMED = "AMOUNT_MALFORMED"
    AMOUNT_NOT_POSITIVE = "AMOUNT_NOT_POSITIVE"
    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    REVERSES_INVALID = "REVERSES_INVALID"
    ALREADY_REVERSED = "ALREADY_REVERSED"
    REVERSAL_DIFFERS = "REVERSAL_DIFFERS"
    TOO_MANY_REVERSALS = "TOO_MANY_REVERSALS"


# Told by what came before, not by the record alone.
BY_HISTORY: Final = frozenset(
    {
        RejectReason.ALREADY_REVERSED,
        RejectReason.REVERSAL_DIFFERS,
        RejectReason.TOO_MANY_REVERSALS,
    }
)
# More of one transfer than this are refused unseen: each is kept beside it, with its bytes.
MAX_REVERSALS: Final = 20

MEANINGS: Final[dict[RejectReason, str]] = {
    RejectReason.EMPTY: "The record has no value, or one of zero bytes.",
    RejectReason.TOO_LARGE: "The value has more than 16 KiB.",
    RejectReason.TIME_OUT_OF_RANGE: (
        "The record's timestamp is before 1971-01-02 or not before 2070-01-01, UTC."
    ),
    RejectReason.NOT_UTF8: "The value is not valid UTF-8.",
    RejectReason.NOT_JSON: (
        "The value is not one JSON document (RFC 8259), or it is nested over 1,000 deep, has a number "
        "beyond a double or half a surrogate pair."
    ),
    RejectReason.NOT_AN_OBJECT: "The value is JSON, but not an object.",
    RejectReason.MISSING_FIELD: (
        "transaction_id, from_account_id, to_account_id or amount is missing."
    ),
    RejectReason.TRANSACTION_ID_INVALID: (
        "transaction_id is not a string that holds a UUID as 8-4-4-4-12 hexadecimal digits."
    ),
    RejectReason.ACCOUNT_ID_INVALID: (
        "An account id is not a string of 1 to 64 characters without control characters."
    ),
    RejectReason.AMOUNT_NOT_A_STRING: (
        "amount is not a string; a JSON number may already have lost digits."
    ),
    RejectReason.AMOUNT_MALFORMED: (
        "amount is not a plain decimal of up to 18 digits before and 8 after the point."
    ),
    RejectReason.AMOUNT_NOT_POSITIVE: "amount is zero.",
    RejectReason.TYPE_UNKNOWN: 'type is present and neither "transfer" nor "reversal".',
    RejectReason.REVERSES_INVALID: (
        "reverses of a reversal is missing, is no UUID or is its own transaction_id; or something that is "
        "no reversal has one, and its type may have been forgotten."
    ),
    RejectReason.ALREADY_REVERSED: "Another reversal of the same transfer has taken effect.",
    RejectReason.REVERSAL_DIFFERS: (
        "The reversal has other accounts or another amount than its transfer. It undoes the whole; for a "
        "part send a new transfer back, or reverse the whole and send the rest anew."
    ),
    RejectReason.TOO_MANY_REVERSALS: (
        f"More than {MAX_REVERSALS} different reversals of one transfer were sent."
    ),
}


@dataclass(frozen=True, slots=True)
class TransactionEvent:
    """A transfer or a reversal: ids in lower case, `amount` a positive decimal, digit for digit as sent.

    `reverses` is the id of the transfer that a reversal undoes, and None of a transfer.
    """

    transaction_id: str
    from_account_id: str
    to_account_id: str
    amount: str
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that does not count, with as much of it as is kept.

    `payload` is readable text of the first 1 KiB (bytes that are no UTF-8, and NUL, as U+FFFD),
    `payload_base64` the first 1 MiB as it came, `payload_bytes` the whole length.
    """

    reason: RejectReason
    detail: str
    payload: str
    payload_base64: str
    payload_bytes: int


def judge(payload: bytes | None, event_time_ms: int) -> TransactionEvent | Rejection:
    """The verdict on one record's value and timestamp; never raises, whatever the bytes.

    Of two equal keys in one object the last counts, unknown fields are allowed, an absent `type` means
    "transfer", and a transfer's `reverses` may be null. The first broken rule, in the order of
    `RejectReason`, is the reason.
    """
    if not payload:
        return rejection(b"", RejectReason.EMPTY, "the record has no bytes")
    if len(payload) > MAX_EVENT_BYTES:
        return _too_large(payload)
    if not MIN_EVENT_TIME_MS <= event_time_ms < END_EVENT_TIME_MS:
        detail = f"the timestamp is {event_time_ms} ms"
        return rejection(payload, RejectReason.TIME_OUT_OF_RANGE, detail)
    try:
        event: Any = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _unreadable(payload, error)
    if type(event) is not dict:
        return rejection(payload, RejectReason.NOT_AN_OBJECT, f"it is {_json_kind(event)}")
    try:
        transaction_id = event["transaction_id"]
        from_account_id = event["from_account_id"]
        to_account_id = event["to_account_id"]
        amount = event["amount"]
    except KeyError as missing:
        return rejection(payload, RejectReason.MISSING_FIELD, f"{missing.args[0]} is missing")
    broken = _broken_rule(transaction_id, from_account_id, to_account_id, amount)
    kind, reverses = event.get("type", TRANSFER), event.get("reverses")
    if broken is None and (kind != TRANSFER or reverses is not None):
        broken = _broken_reversal(kind, reverses, transaction_id)
    if broken is not None:
        return rejection(payload, *broken)
    return TransactionEvent(
        transaction_id.lower(),
        *(from_account_id, to_account_id, amount),
        None if reverses is None else reverses.lower(),
    )


def _broken_rule(
    transaction_id: object, from_id: object, to_id: object, amount: object
) -> tuple[RejectReason, str] | None:
    if type(transaction_id) is not str or not _UUID(transaction_id):
        return RejectReason.TRANSACTION_ID_INVALID, "transaction_id is no UUID"
    if type(from_id) is not str or not _ACCOUNT_ID(from_id):
        return RejectReason.ACCOUNT_ID_INVALID, _account_id_fault("from_account_id", from_id)
    if type(to_id) is not str or not _ACCOUNT_ID(to_id):
        return RejectReason.ACCOUNT_ID_INVALID, _account_id_fault("to_account_id", to_id)
    if type(amount) is not str:
        return RejectReason.AMOUNT_NOT_A_STRING, f"amount is {_json_kind(amount)}"
    if not _AMOUNT(amount):
        return RejectReason.AMOUNT_MALFORMED, "amount is no plain decimal"
    if not amount.strip("0."):
        return RejectReason.AMOUNT_NOT_POSITIVE, "amount is zero"
    return None


def _broken_reversal(
    kind: object, reverses: object, transaction_id: str
) -> tuple[RejectReason, str] | None:
    if kind == TRANSFER:
        return RejectReason.REVERSES_INVALID, "it has reverses, but its type is no reversal"
    if kind != REVERSAL:
        return RejectReason.TYPE_UNKNOWN, "type is neither transfer nor reversal"
    if type(reverses) is not str or not _UUID(reverses):
        return RejectReason.REVERSES_INVALID, "reverses is no UUID"
    if reverses.lower() == transaction_id.lower():
        return RejectReason.REVERSES_INVALID, "it reverses itself"
    return None


def rejection(payload: bytes, reason: RejectReason, detail: str) -> Rejection:
    """A record refused, whole or as much of it as is kept."""
    return Rejection(
        reason,
        detail,
        _readable(payload),
        base64.b64encode(payload[:MAX_REJECTED_BASE64_BYTES]).decode("ascii"),
        len(payload),
    )


def _too_large(payload: bytes) -> Rejection:
    detail = f"{len(payload)} bytes, at most {MAX_EVENT_BYTES} are allowed"
    return rejection(payload, RejectReason.TOO_LARGE, detail)


def _unreadable(payload: bytes, error: orjson.JSONDecodeError) -> Rejection:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as invalid:
        return rejection(
            payload, RejectReason.NOT_UTF8, f"at byte {invalid.start}: {invalid.reason}"
        )
    return rejection(payload, RejectReason.NOT_JSON, error.msg)


def _readable(payload: bytes) -> str:
    # Not final: a character that the limit cuts in two is left out, not shown as broken.
    cut = len(payload) > MAX_REJECTED_TEXT_BYTES
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(payload[:MAX_REJECTED_TEXT_BYTES], final=not cut)
    return text.replace("\x00", "\ufffd")


def _account_id_fault(field: str, value: object) -> str:
    if not isinstance(value, str):
        return f"{field} is {_json_kind(value)}"
    if not 1 <= len(value) <= 64:
        return f"{field} has {len(value)} characters, 1 to 64 are allowed"
    return f"{field} has a control character"


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
    }
    return kinds.get(type(value), "an object")
