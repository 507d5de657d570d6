"""What an account id may look like, in questions and in credentials alike."""

from __future__ import annotations

import unicodedata

from gateway.errors import BadUserInputError

MAX_ACCOUNT_ID_LENGTH = 64
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs"})


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
