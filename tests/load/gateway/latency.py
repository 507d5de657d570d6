"""Latencies put together: exact percentiles, and a histogram that can be drawn."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

BOUNDS_MS = (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000, 2000, 5000, 10000)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the ordered values do not exceed; NaN of none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def histogram(values_ms: Iterable[float]) -> dict[str, int]:
    """How many values are at or below each bound and above the one before."""
    counts = [0] * (len(BOUNDS_MS) + 1)
    for value in values_ms:
        counts[bisect_left(BOUNDS_MS, value)] += 1
    names = [*(f"<={bound:g}" for bound in BOUNDS_MS), f">{BOUNDS_MS[-1]:g}"]
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def summary(values_ms: Iterable[float], *, drawn: bool = False) -> dict[str, Any]:
    """Count, median, p90, p99, p99.9 and maximum, in milliseconds."""
    ordered = sorted(values_ms)
    figures: dict[str, Any] = {"count": len(ordered)}
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)):
        figures[f"{name}_ms"] = round(percentile(ordered, share), 3) if ordered else None
    if drawn:
        figures["histogram_ms"] = histogram(ordered)
    return figures
