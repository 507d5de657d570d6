"""What a gateway counted between two looks at its metrics."""

from __future__ import annotations

import re
from collections import Counter

_LINE = re.compile(r"^(\w+)(?:\{([^}]*)\})? ([0-9.e+-]+)$")
CACHE = "gateway_cache_lookups_total"
STORE = "gateway_store_query_duration_seconds_count"
_MADE_ANEW = '"miss"'


def parse(text: str) -> Counter[tuple[str, str]]:
    """Numbers by metric and label."""
    found: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        matched = _LINE.match(line)
        if matched:
            found[matched[1], matched[2] or ""] += float(matched[3])  # type: ignore[assignment]
    return found


def hits_between(before: str, after: str) -> float | None:
    """The share of answers that came from the cache; `None` if the gateway has no cache."""
    grown = parse(after)
    grown.subtract(parse(before))
    cache = {label: value for (name, label), value in grown.items() if name == CACHE}
    if not sum(cache.values()):
        return None
    missed = sum(value for label, value in cache.items() if _MADE_ANEW in label)
    return round(1 - missed / sum(cache.values()), 4)


def store_queries_between(before: str, after: str) -> int:
    """How many queries the store was asked."""
    grown = parse(after)
    grown.subtract(parse(before))
    return round(sum(value for (name, _), value in grown.items() if name == STORE))
