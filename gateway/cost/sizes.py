"""How long lists are where cost directives cannot say it: by a window's length, by a list of ids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.cost.priced import Estimate

_MINUTE_S = 60
_DAY_S = 86_400
_UNIT_S = {
    "MINUTE": _MINUTE_S,
    "HOUR": 3_600,
    "DAY": _DAY_S,
    "WEEK": 7 * _DAY_S,
    "MONTH": 31 * _DAY_S,
    "YEAR": 366 * _DAY_S,
}
_PERIOD_S = {
    **dict.fromkeys(("TODAY", "YESTERDAY"), 25 * 3_600),  # a day may have an hour more
    **dict.fromkeys(("THIS_WEEK", "LAST_WEEK"), 8 * _DAY_S),
    **dict.fromkeys(("THIS_MONTH", "LAST_MONTH"), 32 * _DAY_S),
    **dict.fromkeys(("THIS_QUARTER", "LAST_QUARTER"), 93 * _DAY_S),
    **dict.fromkeys(("THIS_YEAR", "LAST_YEAR"), 367 * _DAY_S),
}
_BUCKET_S = {
    "MINUTE": _MINUTE_S,
    "FIVE_MINUTES": 5 * _MINUTE_S,
    "FIFTEEN_MINUTES": 15 * _MINUTE_S,
    "HOUR": 3_600,
    "DAY": 23 * 3_600,  # the shortest there is
    "WEEK": 7 * _DAY_S - 3_600,
    "MONTH": 28 * _DAY_S - 3_600,
    "QUARTER": 90 * _DAY_S - 3_600,
    "YEAR": 365 * _DAY_S,
}


def estimates() -> Mapping[tuple[str, str], Estimate]:
    """The estimates by coordinate; what exceeds a field's `assumedSize` is refused later anyway."""
    return {
        ("Query", "accounts"): accounts,
        ("Account", "timeSeries"): points,
        ("Network", "timeSeries"): points,
    }


def accounts(arguments: Mapping[str, Any]) -> int | None:
    """As many as there are ids; one id may stand without a list."""
    ids = arguments.get("ids")
    if isinstance(ids, list):
        return len(ids)
    return 1 if isinstance(ids, str) else None


def points(arguments: Mapping[str, Any]) -> int | None:
    """The most buckets that a window can touch; `None` if it cannot be told."""
    bucket_s = _BUCKET_S.get(str(arguments.get("granularity")))
    length_s = _window_s(arguments.get("window"))
    if bucket_s is None or length_s is None:
        return None
    return math.ceil(length_s / bucket_s) + 1


def _window_s(window: object) -> float | None:
    match window:
        case {"last": {"count": int(count), "unit": str(unit)}}:
            unit_s = _UNIT_S.get(unit)
            return None if unit_s is None else max(0, count) * unit_s
        case {"calendar": str(period)}:
            return _PERIOD_S.get(period)
        case {"between": {"start": str(start), "end": str(end)}}:
            return _between_s(start, end)
    return None


def _between_s(start: str, end: str) -> float | None:
    try:
        return max(
            0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        )
    except (ValueError, TypeError):
        return None
