"""Values as anybody may be shown them: no secret, and no password in an address."""

from __future__ import annotations

import re

from pydantic.fields import FieldInfo

from gateway.settings.kinds import is_confidential

MASK = "***"

_USER_AND_PASSWORD = re.compile(r"//.*@", re.DOTALL)
"""Up to the last @: a password may hold one that nobody has escaped."""

_ADDRESS = re.compile(
    r"(\w+://)([^?]*@)?((?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d+)?(?:/\d*)?)(\?[^@]*)?", re.DOTALL
)
"""Scheme, user and password, what may be shown, and a query, which may hold a password, too."""


def shown(setting: FieldInfo, value: object) -> str:
    """A setting's value; of a secret only where it leads to, if it is clear which part that is."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not is_confidential(setting):
        return without_password(text)
    address = _ADDRESS.fullmatch(text)
    if address is None:
        return MASK if text else ""
    scheme, user, place, query = address.groups()
    return f"{scheme}{f'{MASK}@' if user else ''}{place}{f'?{MASK}' if query else ''}"


def without_password(text: str) -> str:
    """Text whose addresses name nobody and no password."""
    return _USER_AND_PASSWORD.sub(f"//{MASK}@", text)
