"""What came of the requests of one phase."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.load.gateway.latency import percentile, summary

_CODE = re.compile(rb'"code":\s*"(\w+)"')
REJECTED_CODES = (b"RATE_LIMITED", b"COST_LIMIT_EXCEEDED")


def kind_of(status: bytes, body: bytes) -> str:
    """`ok`, `rejected` (asked to come again later), or what failed."""
    if status == b"200" and b'"errors"' not in body:
        return "ok"
    if status in (b"429", b"503") or any(code in body for code in REJECTED_CODES):
        return "rejected"
    code = _CODE.search(body)
    said = code[1] if code else body[:100]
    return f"{status.decode()} {said.decode(errors='replace')}"


def _floats() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Tally:
    """Latencies from the intended time, in milliseconds, by what came of the request."""

    ok: array[float] = field(default_factory=_floats)
    rejected: array[float] = field(default_factory=_floats)
    late: array[float] = field(default_factory=_floats)
    failed: Counter[str] = field(default_factory=Counter)
    slices: dict[int, array[float]] = field(default_factory=dict)
    bytes: int = 0

    def add(self, kind: str, latency_ms: float, late_ms: float, slice_number: int) -> None:
        """Count one answer; `late_ms` is how much after the intended time it was sent."""
        self.late.append(late_ms)
        if kind == "ok":
            self.ok.append(latency_ms)
            self.slices.setdefault(slice_number, _floats()).append(latency_ms)
        elif kind == "rejected":
            self.rejected.append(latency_ms)
        else:
            self.failed[kind] += 1

    def report(self, seconds: float, slice_s: float) -> dict[str, Any]:
        """The figures of a phase that lasted so many seconds."""
        figures: dict[str, Any] = {
            "ok_per_s": round(len(self.ok) / seconds, 1),
            "ok": summary(self.ok, drawn=True),
            "sent_late": summary(self.late),
            "failed": sum(self.failed.values()),
            "body_bytes": round(self.bytes / max(1, len(self.late))),
        }
        if self.failed:
            figures["failures"] = dict(self.failed.most_common(3))
        if self.rejected:
            figures["rejected"] = summary(self.rejected)
        figures["slices"] = [
            {
                "at_s": round(number * slice_s, 3),
                "ok": len(values),
                "p99_ms": round(percentile(sorted(values), 0.99), 2),
            }
            for number, values in sorted(self.slices.items())
        ]
        return figures
