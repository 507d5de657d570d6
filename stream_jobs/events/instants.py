"""Instants as RFC 3339 has them and as milliseconds, and the bounds that every event's time keeps to; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# What Pinot takes for a segment's time: 1971-01-02 to 2070-01-01, both UTC, the second excluded.
MIN_EVENT_TIME_MS: Final = 31_622_400_000
END_EVENT_TIME_MS: Final = 3_155_760_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_HOUR_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]"
    rf"{_HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_HOUR_MINUTE})"
).fullmatch


def milliseconds(instant: str) -> int | None:
    """Epoch milliseconds of an RFC 3339 instant with its offset, finer digits cut off; None if it is none.

    `t` and `z` may be small, as RFC 3339 has it. A leap second is refused: it has no millisecond of its own.
    """
    if not _INSTANT(instant):
        return None
    try:
        return (datetime.fromisoformat(instant.upper()) - _EPOCH) // _MILLISECOND
    except ValueError:  # no such day
        return None


def rfc_3339(time_ms: int) -> str:
    """The instant in UTC, to the millisecond. Raises OverflowError where no calendar reaches."""
    instant = _EPOCH + timedelta(milliseconds=time_ms)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
