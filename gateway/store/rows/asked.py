"""What the memory of rows asks of a store: all entries of some accounts, or those that arrived since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gateway.access.caller import Scope
from gateway.analytics.query_plan import QueryPlan

ID_BYTES = 16


class Row(NamedTuple):
    """One entry as it is kept: ids as 16 bytes, the amount in units of 10^-8.

    `reverses` is empty but for a reversal. `arrived_ms`: when the store took the entry in, by its own
    clock; 0: not known. It is no part of what the entry says: replicas of a store differ in it.
    """

    counterparty_id: str
    is_sent: bool
    transaction_id: bytes
    units: int
    event_time_ms: int
    is_reversal: bool
    reverses: bytes
    arrived_ms: int

    @property
    def said(self) -> tuple[object, ...]:
        """What the entry says."""
        return self[:-1]


@dataclass(frozen=True, slots=True)
class AccountRows:
    """Rows of one account, in any order, out of a prefix of what the store has ever taken in of it.

    `snapshot`: as `StoreResult` has it, of this account. `cut`: there may be more rows, or some cannot
    be kept; then `rows` is of no use.
    """

    account_id: str
    rows: tuple[Row, ...]
    snapshot: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the store told of one account, of event times from when on, as of when, when it was asked, after how many erasures."""

    rows: AccountRows
    start_ms: int
    as_of_ms: int
    asked_s: float
    erasures: int = 0


@dataclass(frozen=True, slots=True)
class RowsPlan(QueryPlan[AccountRows]):
    """One `AccountRows` an account, in any order: its entries of event times from `start_ms` on.

    `arrived_since_ms` keeps those that arrived then or later, or of which that is not known. A store
    that has more than `limit` of them for several accounts together may say that all are cut.
    """

    scope: Scope
    start_ms: int
    arrived_since_ms: int | None
    limit: int

    @property
    def account_ids(self) -> frozenset[str]:
        """The accounts."""
        if self.scope.account_ids is None:
            raise TypeError("rows are of accounts, not of the network")
        return self.scope.account_ids


def id_bytes(text: str) -> bytes | None:
    """The 16 bytes of a UUID in the form that events have; `None` for any other text."""
    digits = text.replace("-", "", 4)
    if len(digits) != 32 or text[8::5][:4] != "----" or text != text.lower():
        return None
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return None
    return found if len(found) == ID_BYTES else None


def id_text(raw: bytes) -> str:
    """The UUID as events have it."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def tells_rows(store: object) -> bool:
    """Whether a store answers `RowsPlan`; those that say nothing about it do not."""
    return getattr(store, "tells_rows", False) is True
