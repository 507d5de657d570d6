"""Why a record does not count: the closed list of reasons, and what each means."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# More of one transfer than this are refused unseen: each is kept beside it, with its bytes.
MAX_REVERSALS: Final = 20


class RejectReason(StrEnum):
    """Closed: adding one is a change of the API. The first that fits, in this order, is told."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    TIME_OUT_OF_RANGE = "TIME_OUT_OF_RANGE"
    NOT_UTF8 = "NOT_UTF8"
    NOT_JSON = "NOT_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    FIELD_MISSPELT = "FIELD_MISSPELT"
    MISSING_FIELD = "MISSING_FIELD"
    TRANSACTION_ID_INVALID = "TRANSACTION_ID_INVALID"
    ACCOUNT_ID_INVALID = "ACCOUNT_ID_INVALID"
    AMOUNT_NOT_A_STRING = "AMOUNT_NOT_A_STRING"
    AMOUNT_MALFORMED = "AMOUNT_MALFORMED"
    AMOUNT_NOT_POSITIVE = "AMOUNT_NOT_POSITIVE"
    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    REVERSES_INVALID = "REVERSES_INVALID"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"
    OCCURRED_AT_INVALID = "OCCURRED_AT_INVALID"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    ALREADY_REVERSED = "ALREADY_REVERSED"
    REVERSAL_DIFFERS = "REVERSAL_DIFFERS"
    TOO_MANY_REVERSALS = "TOO_MANY_REVERSALS"


# Told of reversals by what came before, not by the record alone.
BY_HISTORY: Final = frozenset(
    {
        RejectReason.ALREADY_REVERSED,
        RejectReason.REVERSAL_DIFFERS,
        RejectReason.TOO_MANY_REVERSALS,
    }
)

# Nor are these told by the rules of one record (rules.py).
BY_OTHERS: Final = BY_HISTORY | {RejectReason.ACCOUNT_ERASED}

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
    RejectReason.FIELD_MISSPELT: (
        "A field has a name that is another spelling of a known one (Type, fromAccountId, currency-code) or "
        "says what only a known one may say (status, reversal_of, cancelled): ignored, it would let the "
        "event count as something else."
    ),
    RejectReason.MISSING_FIELD: (
        "transaction_id, from_account_id, to_account_id or amount is missing."
    ),
    RejectReason.TRANSACTION_ID_INVALID: (
        "transaction_id is not a string that holds a UUID as 8-4-4-4-12 hexadecimal digits."
    ),
    RejectReason.ACCOUNT_ID_INVALID: (
        "An account id is not a string of 1 to 64 characters in Unicode's form NFC, or it has a control "
        "character, an invisible one, a blank at either end, or another blank than the space: it would be "
        "another account that looks the same."
    ),
    RejectReason.AMOUNT_NOT_A_STRING: (
        "amount is not a string; a JSON number may already have lost digits."
    ),
    RejectReason.AMOUNT_MALFORMED: (
        "amount is not a plain decimal of up to 18 digits before and 8 after the point; zeros after the "
        "eighth do no harm."
    ),
    RejectReason.AMOUNT_NOT_POSITIVE: "amount is zero.",
    RejectReason.TYPE_UNKNOWN: 'type is present and neither "transfer" nor "reversal".',
    RejectReason.REVERSES_INVALID: (
        "reverses of a reversal is missing, is no UUID or is its own transaction_id; or something that is "
        "no reversal has one, and its type may have been forgotten."
    ),
    RejectReason.CURRENCY_UNKNOWN: (
        "currency is present, not null, and not the one currency that the deployment is set to; it is set "
        "to none by default."
    ),
    RejectReason.OCCURRED_AT_INVALID: (
        "occurred_at is not an RFC 3339 instant with its offset, or is out of bounds: 1971-01-02 to "
        "2070-01-01 UTC, and by default 30 days before to 5 minutes after the record's timestamp."
    ),
    RejectReason.ACCOUNT_ERASED: (
        "It names an account that was erased, and the deployment refuses what comes for one afterwards. The "
        "payload tells the pseudonym."
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
