"""What one question may ask for, and the checks that say so before anything is fetched."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from gateway.errors import BadUserInputError

MAX_ACCOUNT_ID_LENGTH = 64
MAX_COMPARED_RANK = 1_000
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Names that zone files have for a machine's own set-up."""
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds a client can also ask for in `limits`."""

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
    budget_per_second: int | None
    budget_burst: int | None


def check_account_id(account_id: str, argument: str) -> str:
    """The id itself, if it is one that an event may carry."""
    if not 1 <= len(account_id) <= MAX_ACCOUNT_ID_LENGTH:
        raise BadUserInputError(
            argument,
            f"an account id has 1 to {MAX_ACCOUNT_ID_LENGTH} characters, not {len(account_id)}",
        )
    # What is printable has none; the characters are looked at one by one only where it is not.
    if not account_id.isprintable() and any(
        unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in account_id
    ):
        raise BadUserInputError(argument, "an account id has no control characters")
    return account_id


def check_account_ids(account_ids: Sequence[str], max_accounts: int) -> tuple[str, ...]:
    """The ids without repetitions, in their order."""
    if len(account_ids) > max_accounts:
        raise BadUserInputError("ids", f"up to {max_accounts} accounts, not {len(account_ids)}")
    return tuple(
        dict.fromkeys(
            check_account_id(each, f"ids[{place}]") for place, each in enumerate(account_ids)
        )
    )


def check_first(first: int, max_first: int) -> int:
    """The number itself, if that many rows may be asked for."""
    if not 1 <= first <= max_first:
        raise BadUserInputError("first", f"must be 1 to {max_first}, not {first}")
    return first


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
