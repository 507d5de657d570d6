"""What the turns of one contestant say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

SUMS = ("ok", "refused", "failed", "not_answered")
COUNTS = ("failures", "refused_because")
A_QUESTION = ("gateway_ms", "pinot_ms", "plans")


def together(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row of several: costs weighted by answers, the median of the medians, the worst of the slowest."""
    weights = [turn["ok"] for turn in turns]
    row: dict[str, Any] = {name: sum(turn[name] for turn in turns) for name in SUMS}
    for name in A_QUESTION:
        row[name] = round(fmean([turn[name] for turn in turns], weights), 3)
    hits = [turn["hits"] for turn in turns if turn["hits"] is not None]
    return {
        **row,
        "ok_per_s": round(fmean(turn["ok_per_s"] for turn in turns), 1),
        "per_core": round(1000 / (row["gateway_ms"] + row["pinot_ms"]), 1),
        "p50_ms": median(turn["p50_ms"] for turn in turns),
        "p99_ms": max(turn["p99_ms"] for turn in turns),
        **{name: dict(_counted(turn[name] for turn in turns)) for name in COUNTS},
        "hits": fmean(hits) if hits else None,
        "rows": {
            kind: round(fmean([turn["rows"].get(kind, 0) for turn in turns], weights), 3)
            for kind in _counted(turn["rows"] for turn in turns)
        },
        "sent_late_p99_ms": max(turn["sent_late_p99_ms"] for turn in turns),
        "looks": _looks([turn["looks"] for turn in turns]),
    }


def _looks(looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sums = {name: sum(each[name] for each in looks) for name in ("looked_at", "wrong", "inexact")}
    ages = [each["age"] for each in looks if each["age"]["count"]]
    return {
        **sums,
        "refused": sum(each["refused"] for each in looks),
        "wrong_first": [wrong for each in looks for wrong in each["wrong_first"]][:3],
        "age": {
            "p50_ms": median(age["p50_ms"] for age in ages) if ages else None,
            "p99_ms": max((age["p99_ms"] for age in ages), default=None),
        },
    }


def _counted(counts: Iterable[Mapping[str, float]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total
