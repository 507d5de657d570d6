"""What the audit tells: its record, its metrics, and one log line for what belongs together."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.publish import (
    MAX_MISMATCHES_BYTES,
    AuditMetrics,
    Counts,
    JsonLines,
    Report,
    record_value,
    report,
)
from stream_jobs.audit.state import State
from tests.metric_samples import samples

NOW_MS = 1_795_000_000_000


def finding(number: int) -> Finding:
    id_ = f"00000000-0000-4000-8000-{number:012d}"
    return Finding(
        Tier.ENTRIES, Kind.LOST, NOW_MS - 10_000 * (number % 70), 2, number, id_, "no entry of 7"
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "audit.sqlite3")
    yield opened
    opened.close()


def said(state: State, entries_ms: int = NOW_MS, pinot_ms: int = NOW_MS) -> Report:
    return report(state, Counts(matched=7), (entries_ms, pinot_ms), NOW_MS - 9_000, NOW_MS)


def found(state: State, count: int) -> None:
    state.add_findings([finding(n) for n in range(count)], NOW_MS)


def test_without_findings_everything_up_to_the_last_whole_interval_is_consistent(
    state: State,
) -> None:
    value = json.loads(record_value(said(state, pinot_ms=NOW_MS - 1)))
    assert value["consistent_through_ms"] == NOW_MS - 10_000
    assert value["through_ms"] == NOW_MS - 1
    assert (value["open_intervals"], value["mismatches"]) == (0, "[]")


def test_consistency_ends_where_the_first_finding_is(state: State) -> None:
    found(state, 3)
    told = said(state)
    assert told.consistent_through_ms == NOW_MS - 20_000
    first = json.loads(json.loads(record_value(told))["mismatches"])[0]
    assert first == {
        "tier": "ENTRIES",
        "kind": "LOST",
        "start_ms": NOW_MS,
        "end_ms": NOW_MS + 10_000,
        "count": 1,
        "ids": ["00000000-0000-4000-8000-000000000000"],
        "detail": "no entry of 7",
    }


def test_however_much_is_wrong_the_record_stays_small(state: State) -> None:
    found(state, 5_000)
    value = json.loads(record_value(said(state)))
    assert value["open_intervals"] == 70
    assert 0 < len(json.loads(value["mismatches"])) <= 50
    assert len(value["mismatches"]) <= MAX_MISMATCHES_BYTES


def test_the_metrics_say_tier_kind_and_lag(state: State) -> None:
    found(state, 3)
    told = samples(AuditMetrics(said(state, NOW_MS - 1_500, 0), lambda: NOW_MS + 500))
    assert told['audit_findings{kind="LOST",tier="ENTRIES"}'] == 3
    assert told['audit_findings{kind="CHANGED",tier="PINOT"}'] == 0
    assert told["audit_consistent"] == 0
    assert told["audit_transactions_matched_total"] == 7
    assert told["audit_entries_lag_seconds"] == 2.0
    assert told["audit_pinot_lag_seconds"] == 9.5  # since it started: nothing was compared yet


def test_a_log_line_says_tier_kind_ids_and_raw_records() -> None:
    record = logging.makeLogRecord({"msg": "mismatch", "findings": [finding(0), finding(70)]})
    line = json.loads(JsonLines().format(record))
    assert (line["tier"], line["kind"], line["count"]) == ("ENTRIES", "LOST", 2)
    assert line["from"] == "2026-11-18T11:06:40+00:00"
    assert line["transaction_ids"] == [finding(0).transaction_id, finding(70).transaction_id]
    assert line["raw_records"] == ["[2] 0", "[2] 70"]
