"""What one question may ask for, and the checks that say so before anything is fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from gateway.access.account_id import check_account_id
from gateway.errors import BadUserInputError

MAX_COMPARED_RANK = 1_000
MAX_RANK = 10_000
"""How far pages of a ranking go, and the search for one account's rank."""
MAX_SERIES = 20
"""Counterparties in one field of stacked series."""
_AMOUNT_END = Decimal(10) ** 18
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Names that zone files have for a machine's own set-up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds a client can also ask for in `limits`; and the one currency of all amounts, if there is one."""

    max_first: int
    max_accounts: int
    max_points: int
    max_window_days: int
    max_depth: int
    max_fields: int
    max_store_queries: int
    max_body_bytes: int
    deadline_ms: int
    max_tokens: int
    max_aliases: int
    max_root_fields: int
    max_directives: int
    max_fragments: int
    max_operations: int
    max_variables: int
    max_cost: int
    max_values: int
    budget_per_second: int | None
    budget_burst: int | None
    final_after_days: int = 0
    currency: str = ""


def check_account_ids(account_ids: Sequence[str], max_accounts: int) -> tuple[str, ...]:
    """The ids without repetitions, in their order."""
    if len(account_ids) > max_accounts:
        raise BadUserInputError("ids", f"up to {max_accounts} accounts, not {len(account_ids)}")
    return tuple(
        dict.fromkeys(
            check_account_id(each, f"ids[{place}]") for place, each in enumerate(account_ids)
        )
    )


def check_set(account_ids: Sequence[str], max_accounts: int, argument: str) -> tuple[str, ...]:
    """The ids of a set of accounts without repetitions, at least one, in their order."""
    if not 1 <= len(account_ids) <= max_accounts:
        raise BadUserInputError(
            argument, f"a set has 1 to {max_accounts} accounts, not {len(account_ids)}"
        )
    return check_account_ids(account_ids, max_accounts)


def check_first(first: int, max_first: int, argument: str = "first") -> int:
    """The number itself, if that many rows may be asked for."""
    if not 1 <= first <= max_first:
        raise BadUserInputError(argument, f"must be 1 to {max_first}, not {first}")
    return first


def check_amount(amount: Decimal | None, argument: str) -> Decimal | None:
    """The amount, if an event could have it or its reversal."""
    if amount is not None and (abs(amount) >= _AMOUNT_END or amount != round(amount, 8)):
        raise BadUserInputError(argument, "has up to 18 digits before the point and 8 after it")
    return amount


def check_transaction_id(given: str) -> str:
    """The id in lower case, as entries have it."""
    lower = given.lower()
    if _UUID.fullmatch(lower) is None:
        raise BadUserInputError("id", "a transaction id is a UUID: 8-4-4-4-12 hexadecimal digits")
    return lower


def check_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name."""
    zone = _zone(name) if len(name) <= 64 else None
    if zone is None:
        raise BadUserInputError(
            "timeZone", 'is not an IANA time zone name such as "UTC" or "Asia/Ho_Chi_Minh"'
        )
    return zone


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in _zone_names() else None
