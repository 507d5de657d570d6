"""What the audit tells: one record of its state, metrics in Prometheus' format, and findings as JSON lines."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from stream_jobs.audit.findings import Finding, Kind, Mismatch, Tier
from stream_jobs.audit.intervals import INTERVAL_MS
from stream_jobs.audit.reversal_table import HELD_LONG_MS
from stream_jobs.audit.state import State

MAX_MISMATCHES: Final = 50
MAX_IDS: Final = 20
MAX_TIME_MS: Final = 2**62
MAX_DETAILS: Final = 5
MAX_MISMATCHES_BYTES: Final = 60_000
PUBLISH_TIMEOUT_S: Final = 5.0


class PublishError(Exception):
    """Kafka did not acknowledge a record in time."""


@dataclass(frozen=True, slots=True)
class Report:
    """The audit's state at an instant. Everything that arrived before the `through` instants is compared."""

    recorded_at_ms: int
    started_at_ms: int
    entries_through_ms: int
    pinot_through_ms: int
    consistent_through_ms: int
    checked_intervals: int
    open_intervals: int
    mismatches: tuple[Mismatch, ...]
    findings: dict[tuple[str, str], int]
    matched: int
    duplicates: int
    conflicts: int
    conflict_ids: tuple[str, ...]
    reversals_held: int
    reversals_held_long: int
    newest_held_ms: int | None
    state_bytes: int

    @property
    def consistent(self) -> bool:
        return not self.open_intervals


def report(state: State, entries_through_ms: int, started_at_ms: int, now_ms: int) -> Report:
    """The state now."""
    open_intervals, first_ms = state.findings.open_intervals()
    through_ms = state.number("through_ms")
    consistent_ms = through_ms - through_ms % INTERVAL_MS
    conflicts, conflict_ids = state.conflicts()
    held_long = state.reversals.held_before(now_ms - HELD_LONG_MS)
    return Report(
        recorded_at_ms=now_ms,
        started_at_ms=started_at_ms,
        entries_through_ms=entries_through_ms,
        pinot_through_ms=through_ms,
        consistent_through_ms=min(consistent_ms, consistent_ms if first_ms is None else first_ms),
        checked_intervals=state.intervals.checked(),
        open_intervals=open_intervals,
        mismatches=tuple(state.findings.mismatches(MAX_MISMATCHES, MAX_IDS)),
        findings=state.findings.counts(),
        matched=state.number("matched"),
        duplicates=state.number("duplicates"),
        conflicts=conflicts,
        conflict_ids=conflict_ids,
        reversals_held=state.reversals.held_before(MAX_TIME_MS).number,
        reversals_held_long=held_long.number,
        newest_held_ms=held_long.newest_ms,
        state_bytes=state.size_bytes(),
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
            "checked_intervals": said.checked_intervals,
            "open_intervals": said.open_intervals,
            "conflicts": said.conflicts,
            "mismatches": text.decode(),
        }
    )


class StatePublisher:
    """Writes the state to its topic."""

    def __init__(self, kafka_servers: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                "bootstrap.servers": kafka_servers,
                "log_level": 0,
                "acks": "all",
                "linger.ms": 0,
                "message.timeout.ms": round(PUBLISH_TIMEOUT_S * 1000),
            }
        )

    def publish(self, value: bytes) -> None:
        """Raises PublishError or KafkaException if Kafka does not take it."""
        try:
            self._producer.produce(self._topic, value)
        except BufferError as full:
            raise PublishError(str(full)) from None
        if self._producer.flush(PUBLISH_TIMEOUT_S):
            raise PublishError(f"{self._topic}: no acknowledgement in {PUBLISH_TIMEOUT_S} s")


def metrics(said: Report, now_ms: int) -> str:
    """The state in Prometheus' text format."""
    return "\n".join(_metric_lines(said, now_ms)) + "\n"


def _metric_lines(said: Report, now_ms: int) -> Iterator[str]:
    def gauge(name: str, meaning: str, value: float) -> Iterator[str]:
        yield f"# HELP audit_{name} {meaning}"
        yield f"# TYPE audit_{name} {'counter' if name.endswith('_total') else 'gauge'}"
        yield f"audit_{name} {value}"

    lag = "Seconds since the instant up to which everything is compared with"
    yield from gauge("consistent", "1 if nothing is found wrong, else 0.", int(said.consistent))
    yield from gauge(
        "intervals_checked", "Intervals compared in all tiers.", said.checked_intervals
    )
    yield from gauge("intervals_inconsistent", "Intervals with findings.", said.open_intervals)
    yield "# HELP audit_findings Open findings by tier and kind."
    yield "# TYPE audit_findings gauge"
    for tier in Tier:
        for kind in Kind:
            count = said.findings.get((tier, kind), 0)
            yield f'audit_findings{{tier="{tier}",kind="{kind}"}} {count}'
    for name, through_ms in (
        ("entries", said.entries_through_ms),
        ("pinot", said.pinot_through_ms),
    ):
        # Before the first check is over, it is as far behind as it has lived.
        behind_ms = now_ms - (through_ms or said.started_at_ms)
        yield from gauge(f"{name}_lag_seconds", f"{lag} {name}.", max(0, behind_ms) / 1000)
    yield from gauge("transfers_matched_total", "Events with both their entries.", said.matched)
    yield from gauge("duplicates_total", "Further events of known ids.", said.duplicates)
    yield from gauge("conflicts", "Ids that came with different contents.", said.conflicts)
    waiting = "Reversals whose transfers have not come"
    yield from gauge("reversals_held", f"{waiting}.", said.reversals_held)
    yield from gauge("reversals_held_long", f"{waiting} for a minute.", said.reversals_held_long)
    since_ms = said.newest_held_ms
    newest_s = 0 if since_ms is None else max(0, now_ms - since_ms) / 1000
    yield from gauge(
        "reversals_held_seconds", "How long the newest of these has waited; 0: none.", newest_s
    )
    yield from gauge("state_bytes", "Size of what is remembered.", said.state_bytes)


class MetricsServer:
    """`/metrics` and `/healthz` in a thread of its own; `port` is the one it got."""

    def __init__(self, host: str, port: int, text: Callable[[], str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path in ("/metrics", "/healthz")
                body = (text() if self.path == "/metrics" else "ok\n").encode() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """A line a scrape would bury what matters."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


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
                "interval": _instant(findings[0].interval_ms),
                "count": len(findings),
                "kafka_partitions": sorted(
                    {f.partition for f in findings if f.partition is not None}
                ),
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
        "start_ms": mismatch.interval_ms,
        "end_ms": mismatch.interval_ms + INTERVAL_MS,
        "count": mismatch.count,
        "ids": mismatch.transaction_ids,
        "detail": mismatch.detail[:300],
    }


def _instant(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()
