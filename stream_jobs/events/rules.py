"""The event rules: what makes a record of `transactions` an event, or why it is rejected; pure, no Flink.

What they cannot see in one record alone, whether a reversal fits its original, is in reversals.py.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final, NamedTuple

import orjson

from stream_jobs.events.account_ids import account_id_fault, is_account_id
from stream_jobs.events.field_names import ONLY_REQUIRED, REQUIRED, look_at
from stream_jobs.events.instants import END_EVENT_TIME_MS, MIN_EVENT_TIME_MS, milliseconds
from stream_jobs.events.reasons import RejectReason
from stream_jobs.events.rejection import Rejection, rejection
from stream_jobs.events.settings import DEFAULT, EventRules

TRANSFER: Final = "transfer"
REVERSAL: Final = "reversal"
MAX_EVENT_BYTES: Final = 16 * 1024

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
# The group is what goes beyond the eighth decimal.
_AMOUNT = re.compile(
    r"(?:0|[1-9][0-9]{0,17})(?:\.(?:[0-9]{8}(0+)|[0-9]{1,8}))?",
).fullmatch
_MILLISECOND: Final = timedelta(milliseconds=1)


# A tuple, because one is made for every event: a frozen dataclass takes twice as long.
class TransactionEvent(NamedTuple):
    """A transfer or a reversal: ids in lower case, `amount` a positive decimal.

    The amount is digit for digit as sent, but for zeros after the eighth decimal. `event_time_ms` is `occurred_at`, or the
    record's timestamp. `reverses` is the id of the transfer that a reversal undoes, and None of a transfer.
    """

    transaction_id: str
    from_account_id: str
    to_account_id: str
    amount: str
    event_time_ms: int
    reverses: str | None = None


class _BrokenRuleError(Exception):
    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail


def judge(
    payload: bytes | None, recorded_ms: int, rules: EventRules = DEFAULT
) -> TransactionEvent | Rejection:
    """The verdict on one record's value and timestamp; never raises, whatever the bytes.

    Of two equal keys in one object the last counts, unknown fields are allowed unless their names come near known
    ones, an absent `type` means "transfer"; `reverses` of a transfer, `currency` and `occurred_at` may be null, which
    is as if absent. The first broken rule, in the order of `RejectReason`, is the reason.
    """
    try:
        return _event(_object(payload or b"", recorded_ms), recorded_ms, rules)
    except _BrokenRuleError as broken:
        return rejection(payload or b"", broken.reason, broken.detail)


def _object(payload: bytes, recorded_ms: int) -> dict[str, Any]:
    if not payload:
        raise _BrokenRuleError(RejectReason.EMPTY, "the record has no bytes")
    if len(payload) > MAX_EVENT_BYTES:
        detail = f"{len(payload)} bytes, at most {MAX_EVENT_BYTES} are allowed"
        raise _BrokenRuleError(RejectReason.TOO_LARGE, detail)
    if not MIN_EVENT_TIME_MS <= recorded_ms < END_EVENT_TIME_MS:
        detail = f"the timestamp is {recorded_ms} ms"
        raise _BrokenRuleError(RejectReason.TIME_OUT_OF_RANGE, detail)
    try:
        said: Any = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise _unreadable(payload, error) from None
    if type(said) is not dict:
        raise _BrokenRuleError(RejectReason.NOT_AN_OBJECT, f"it is {_json_kind(said)}")
    return said


def _event(said: dict[str, Any], recorded_ms: int, rules: EventRules) -> TransactionEvent:
    names = ONLY_REQUIRED if len(said) == len(REQUIRED) else look_at(tuple(said))
    if names.misspelt:
        raise _misspelt(*names.misspelt)
    try:
        transaction_id = said["transaction_id"]
        from_account_id = said["from_account_id"]
        to_account_id = said["to_account_id"]
        amount = said["amount"]
    except KeyError as missing:
        found = look_at(tuple(said)).misspelt
        if found:
            raise _misspelt(*found) from None
        detail = f"{missing.args[0]} is missing"
        raise _BrokenRuleError(RejectReason.MISSING_FIELD, detail) from None
    if type(transaction_id) is not str or not _UUID(transaction_id):
        raise _BrokenRuleError(RejectReason.TRANSACTION_ID_INVALID, "transaction_id is no UUID")
    if not is_account_id(from_account_id):
        raise _no_account("from_account_id", from_account_id)
    if not is_account_id(to_account_id):
        raise _no_account("to_account_id", to_account_id)
    amount, transaction_id = _amount(amount), transaction_id.lower()
    reverses, event_time_ms = None, recorded_ms
    if names.optional:
        reverses = _reverses(said, transaction_id)
        if "currency" in said:
            _check_currency(said["currency"], rules)
        if "occurred_at" in said:
            event_time_ms = _event_time_ms(said["occurred_at"], recorded_ms, rules)
    return TransactionEvent(
        transaction_id, from_account_id, to_account_id, amount, event_time_ms, reverses
    )


def _unreadable(payload: bytes, error: orjson.JSONDecodeError) -> _BrokenRuleError:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as invalid:
        detail = f"at byte {invalid.start}: {invalid.reason}"
        return _BrokenRuleError(RejectReason.NOT_UTF8, detail)
    return _BrokenRuleError(RejectReason.NOT_JSON, error.msg)


def _misspelt(name: str, meant: str) -> _BrokenRuleError:
    detail = f"{name[:40]!a} may stand for {meant}"
    return _BrokenRuleError(RejectReason.FIELD_MISSPELT, detail)


def _no_account(field: str, value: object) -> _BrokenRuleError:
    fault = account_id_fault(value) if isinstance(value, str) else f"is {_json_kind(value)}"
    return _BrokenRuleError(RejectReason.ACCOUNT_ID_INVALID, f"{field} {fault}")


def _amount(amount: object) -> str:
    if type(amount) is not str:
        detail = f"amount is {_json_kind(amount)}"
        raise _BrokenRuleError(RejectReason.AMOUNT_NOT_A_STRING, detail)
    found = _AMOUNT(amount)
    if not found:
        raise _BrokenRuleError(RejectReason.AMOUNT_MALFORMED, "amount is no plain decimal")
    if not amount.strip("0."):
        raise _BrokenRuleError(RejectReason.AMOUNT_NOT_POSITIVE, "amount is zero")
    return amount[: found.start(1)] if found.lastindex else amount


def _reverses(said: dict[str, Any], transaction_id: str) -> str | None:
    kind, reverses = said.get("type", TRANSFER), said.get("reverses")
    if kind == TRANSFER:
        if reverses is None:
            return None
        detail = "it has reverses, but its type is no reversal"
        raise _BrokenRuleError(RejectReason.REVERSES_INVALID, detail)
    if kind != REVERSAL:
        detail = "type is neither transfer nor reversal"
        raise _BrokenRuleError(RejectReason.TYPE_UNKNOWN, detail)
    if type(reverses) is not str or not _UUID(reverses):
        raise _BrokenRuleError(RejectReason.REVERSES_INVALID, "reverses is no UUID")
    if reverses.lower() == transaction_id:
        raise _BrokenRuleError(RejectReason.REVERSES_INVALID, "it reverses itself")
    return reverses.lower()


def _check_currency(currency: object, rules: EventRules) -> None:
    if currency is None or currency == rules.currency:
        return
    wanted = rules.currency or "none, since no currency is set"
    detail = f"currency is not the one of this deployment: {wanted}"
    raise _BrokenRuleError(RejectReason.CURRENCY_UNKNOWN, detail)


def _event_time_ms(occurred_at: object, recorded_ms: int, rules: EventRules) -> int:
    if occurred_at is None:
        return recorded_ms
    time_ms = milliseconds(occurred_at) if type(occurred_at) is str else None
    if time_ms is None:
        detail = "occurred_at is no RFC 3339 instant with its offset"
    elif not MIN_EVENT_TIME_MS <= time_ms < END_EVENT_TIME_MS:
        detail = "occurred_at is before 1971-01-02 or not before 2070-01-01"
    elif time_ms < recorded_ms - rules.occurred_back // _MILLISECOND:
        detail = f"occurred_at is more than {rules.occurred_back} before the record"
    elif time_ms > recorded_ms + rules.occurred_ahead // _MILLISECOND:
        detail = f"occurred_at is more than {rules.occurred_ahead} after the record"
    else:
        return time_ms
    raise _BrokenRuleError(RejectReason.OCCURRED_AT_INVALID, detail)


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
