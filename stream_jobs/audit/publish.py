"""What the audit tells: one record of its state, metrics in Prometheus' format, and findings as JSON lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream_jobs.audit.finding_table import INTERVAL_MS
from stream_jobs.audit.findings import Finding, Kind, Mismatch, Tier
from stream_jobs.audit.state import State

MAX_MISMATCHES: Final = 50
MAX_IDS: Final = 20
MAX_DETAILS: Final = 5
MAX_MISMATCHES_BYTES: Final = 60_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen since the state was made, and what waits."""

    matched: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unproven: int = 0
    under_way: int = 0
    held: int = 0
    held_long: int = 0
    newest_held_ms: int | None = None
    state_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The audit's state at an instant. Everything that arrived before the `through` instants is compared.

    `vouched_from` is the first raw offset of each kafka partition that it vouches for.
    """

    recorded_at_ms: int
    started_at_ms: int
    entries_through_ms: int
    pinot_through_ms: int
    consistent_through_ms: int
    checked_hours: int
    open_intervals: int
    mismatches: tuple[Mismatch, ...]
    findings: dict[tuple[str, str], int]
    counts: Counts
    vouched_from: dict[int, int]

    @property
    def through_ms(self) -> tuple[int, int]:
        """Up to when entries and Pinot are compared; 0: not once."""
        return self.entries_through_ms, self.pinot_through_ms

    @property
    def consistent(self) -> bool:
        """Whether nothing is found wrong."""
        return not self.open_intervals


def report(
    state: State, counts: Counts, through: tuple[int, int], started_at_ms: int, now_ms: int
) -> Report:
    """The state now; `through` are the instants up to which entries and Pinot are compared."""
    open_intervals, first_ms = state.findings.open_intervals()
    entries_ms, pinot_ms = through
    whole_ms = pinot_ms - pinot_ms % INTERVAL_MS
    return Report(
        recorded_at_ms=now_ms,
        started_at_ms=started_at_ms,
        entries_through_ms=entries_ms,
        pinot_through_ms=pinot_ms,
        consistent_through_ms=min(whole_ms, whole_ms if first_ms is None else first_ms),
        checked_hours=state.checked_hours(),
        open_intervals=open_intervals,
        mismatches=tuple(state.findings.mismatches(MAX_MISMATCHES, MAX_IDS)),
        findings=state.findings.counts(),
        counts=counts,
        vouched_from={each.partition: each.start for each in state.vouched()},
    )


def record_value(said: Report) -> bytes:
    """The record of `pipeline-audit`; `mismatches` is JSON text, which Pinot keeps as a string."""
    mismatches = [_plain(each) for each in said.mismatches]
    while len(text := orjson.dumps(mismatches)) > MAX_MISMATCHES_BYTES:
        mismatches = mismatches[: len(mismatches) // 2]
    return orjson.dumps(
        {
            "recorded_at_ms": said.recorded_at_ms,
            "through_ms": said.pinot_through_ms,
            "consistent_through_ms": said.consistent_through_ms,
            "checked_intervals": said.checked_hours,
            "open_intervals": said.open_intervals,
            "conflicts": said.counts.conflicts,
            "mismatches": text.decode(),
        }
    )


class AuditMetrics(Collector):
    """The newest report as Prometheus' metrics."""

    def __init__(self, said: Report, clock_ms: Callable[[], int]) -> None:
        self.said = said
        self._clock_ms = clock_ms

    def collect(self) -> Iterator[Metric]:
        """The families, made anew at every scrape."""
        said, counts, now_ms = self.said, self.said.counts, self._clock_ms()
        yield _gauge("consistent", "1 if nothing is found wrong, else 0", int(said.consistent))
        yield _gauge(
            "intervals_checked", "Hours of event time that are compared", said.checked_hours
        )
        yield _gauge(
            "intervals_inconsistent", "Intervals of 10 s with findings", said.open_intervals
        )
        findings = GaugeMetricFamily("audit_findings", "Open findings", labels=("tier", "kind"))
        for tier in Tier:
            for kind in Kind:
                findings.add_metric((tier, kind), said.findings.get((tier, kind), 0))
        yield findings
        vouched = GaugeMetricFamily(
            "audit_vouched_from_offset",
            "First raw offset that is vouched for",
            labels=("partition",),
        )
        for partition, offset in said.vouched_from.items():
            vouched.add_metric((str(partition),), offset)
        yield vouched
        for name, through_ms in (
            ("entries", said.entries_through_ms),
            ("pinot", said.pinot_through_ms),
        ):
            # Before the first check is over, it is as far behind as it has lived.
            behind_ms = now_ms - (through_ms or said.started_at_ms)
            meaning = f"Since the instant up to which everything is compared with {name}"
            yield _gauge(f"{name}_lag_seconds", meaning, max(0, behind_ms) / 1000)
        yield _counter("transactions_matched", "Events with both their entries", counts.matched)
        yield _counter("duplicates", "Further records of known ids", counts.duplicates)
        yield _counter("conflicts", "Of these with other contents than the first", counts.conflicts)
        yield _counter(
            "unproven", "Duplicates of what counted before it is vouched for", counts.unproven
        )
        yield _gauge("under_way", "Records whose outcome is not decided", counts.under_way)
        waiting = "Reversals whose transfers have not come"
        yield _gauge("reversals_held", waiting, counts.held)
        yield _gauge("reversals_held_long", f"{waiting} for a minute", counts.held_long)
        since_ms = counts.newest_held_ms
        newest_s = 0.0 if since_ms is None else max(0, now_ms - since_ms) / 1000
        yield _gauge(
            "reversals_held_seconds", "How long the newest of these has waited; 0: none", newest_s
        )
        yield _gauge("state_bytes", "Size of what is kept", counts.state_bytes)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"audit_{name}", meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"audit_{name}", meaning, value=value)


class StandbyMetrics(Collector):
    """Of an audit that another one tells instead of: how old what it would tell is."""

    def __init__(self, said: Callable[[], Report], clock_ms: Callable[[], int]) -> None:
        self._said = said
        self._clock_ms = clock_ms

    def collect(self) -> Iterator[Metric]:
        """The one family."""
        said = self._said()
        through_ms = min(each or said.started_at_ms for each in said.through_ms)
        meaning = "Since the instant up to which an audit that stands by has compared everything"
        yield _gauge("standby_lag_seconds", meaning, max(0, self._clock_ms() - through_ms) / 1000)


class JsonLines(logging.Formatter):
    """One JSON object a line; of findings the first few ids and details beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        findings: list[Finding] = getattr(record, "findings", [])
        if findings:
            line |= {
                "tier": findings[0].tier,
                "kind": findings[0].kind,
                "from": _instant(min(f.time_ms for f in findings)),
                "count": len(findings),
                "raw_records": [f"[{f.partition}] {f.offset}" for f in findings if f.offset >= 0][
                    :MAX_IDS
                ],
                "transaction_ids": [f.transaction_id for f in findings if f.transaction_id][
                    :MAX_IDS
                ],
                "details": [f.detail for f in findings[:MAX_DETAILS]],
            }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _plain(mismatch: Mismatch) -> dict[str, Any]:
    return {
        "tier": mismatch.tier,
        "kind": mismatch.kind,
        "start_ms": mismatch.start_ms,
        "end_ms": mismatch.start_ms + INTERVAL_MS,
        "count": mismatch.count,
        "ids": mismatch.transaction_ids,
        "detail": mismatch.detail[:300],
    }


def _instant(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()
