"""The fields an event has, and the names that are refused because they may stand for one; pure.

What is not known is ignored. A name that says what a known field says must not be: `Type: reversal` would move money
once more instead of back, `currency_code: JPY` would add yen to dollars.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

REQUIRED: Final = ("transaction_id", "from_account_id", "to_account_id", "amount")
OPTIONAL: Final = frozenset({"type", "reverses", "currency", "occurred_at"})

KNOWN: Final = OPTIONAL | {*REQUIRED}

# By known field the names that may stand for it. When a record was written (timestamp, created_at) is not among them.
NEAR: Final[dict[str, tuple[str, ...]]] = {
    "type": (
        "kind", "transaction_type", "transaction_kind", "transfer_type", "event_type", "status", "state",
        "transaction_status", "transaction_state", "transfer_status", "transfer_state", "payment_status",
        "payment_state", "reversed", "is_reversed", "is_reversal", "refunded", "is_refunded", "is_refund",
        "chargeback", "is_chargeback", "cancelled", "canceled", "is_cancelled", "is_canceled", "voided",
        "is_voided", "is_void", "deleted", "is_deleted", "failed", "is_failed", "declined", "is_declined",
        "rejected", "is_rejected", "pending", "is_pending", "success", "is_success", "successful",
        "is_successful",
    ),
    "reverses": (
        "reverse", "reversal", "reversal_of", "reversal_id", "reversal_transaction_id", "reverses_id",
        "reverses_transaction", "reverses_transaction_id", "reversed_id", "reversed_transaction",
        "reversed_transaction_id", "refund", "refunds", "refund_of", "refund_id", "refund_transaction_id",
        "refunded_transaction_id", "cancel", "cancels", "cancellation", "cancellation_of",
        "cancelled_transaction_id", "canceled_transaction_id", "void", "voids", "void_of",
        "chargeback_of", "chargeback_id", "undo", "undoes", "undo_of", "corrects", "correction_of",
        "replaces", "original_id", "original_transaction", "original_transaction_id",
    ),
    "currency": (
        "ccy", "curency", "currrency", "currency_code", "currency_id", "currency_iso", "iso_currency",
        "iso_currency_code", "amount_currency", "transaction_currency", "payment_currency",
    ),
    "occurred_at": (
        "occured_at", "ocurred_at", "occurred", "occurred_on", "occurred_time", "occurred_at_ms",
        "occurrence_time", "happened_at", "event_time", "event_time_ms", "event_timestamp",
        "transaction_time",
    ),
}  # fmt: skip
_SEPARATORS = {ord(each): None for each in map(chr, range(128)) if not each.isalnum()}


def folded(name: str) -> str:
    """What is left of a name without case, compatibility forms and all that is neither letter nor digit."""
    if name.isascii():
        return name.lower().translate(_SEPARATORS)
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


_MEANT: Final = {folded(near): name for name, all_near in NEAR.items() for near in all_near} | {
    folded(name): name for name in KNOWN
}


class Names(NamedTuple):
    """Of an event's names the first that may stand for a known field, with that field; and whether an optional one is there."""

    misspelt: tuple[str, str] | None = None
    optional: bool = False


ONLY_REQUIRED: Final = Names()


@lru_cache(maxsize=256)  # events of one producer have the same names
def look_at(names: tuple[str, ...]) -> Names:
    """What is to be known of an event's names."""
    for name in names:
        if name not in KNOWN and (meant := _MEANT.get(folded(name))):
            return Names((name, meant))
    return Names(optional=not OPTIONAL.isdisjoint(names))
