"""What the audit tells: its record, its metrics, and one log line for what belongs together."""

from __future__ import annotations

import json
import logging
import urllib.request
from pathlib import Path

import pytest

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.outcome import Outcome
from stream_jobs.audit.publish import (
    MAX_MISMATCHES_BYTES,
    JsonLines,
    MetricsServer,
    metrics,
    record_value,
    report,
)
from stream_jobs.audit.state import State, StateError

NOW_MS = 1_795_000_000_000


def finding(number: int) -> Finding:
    id_ = f"00000000-0000-4000-8000-{number:012d}"
    return Finding(
        Tier.ENTRIES, Kind.LOST, NOW_MS - 10_000 * (number % 70), 2, id_, "no entry of 7"
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "audit.sqlite3")


def found(state: State, count: int) -> None:
    state.write(Outcome(findings=[finding(n) for n in range(count)]), {}, {}, 1, NOW_MS)


def test_without_findings_everything_up_to_the_last_whole_interval_is_consistent(
    state: State,
) -> None:
    state.write_pinot_through(NOW_MS - 1)
    value = json.loads(record_value(report(state, NOW_MS, NOW_MS, NOW_MS)))
    assert value["consistent_through_ms"] == NOW_MS - 10_000
    assert value["through_ms"] == NOW_MS - 1
    assert (value["open_intervals"], value["mismatches"]) == (0, "[]")


def test_consistency_ends_where_the_first_finding_is(state: State) -> None:
    found(state, 3)
    state.write_pinot_through(NOW_MS)
    said = report(state, NOW_MS, NOW_MS, NOW_MS)
    assert said.consistent_through_ms == NOW_MS - 20_000
    first = json.loads(json.loads(record_value(said))["mismatches"])[0]
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
    value = json.loads(record_value(report(state, NOW_MS, NOW_MS, NOW_MS)))
    assert value["open_intervals"] == 70
    assert 0 < len(json.loads(value["mismatches"])) <= 50
    assert len(value["mismatches"]) <= MAX_MISMATCHES_BYTES


def test_the_metrics_say_tier_kind_and_lag(state: State) -> None:
    found(state, 3)
    text = metrics(report(state, NOW_MS - 1_500, NOW_MS - 9_000, NOW_MS), NOW_MS + 500)
    lines = text.splitlines()
    assert 'audit_findings{tier="ENTRIES",kind="LOST"} 3' in lines
    assert 'audit_findings{tier="PINOT",kind="CHANGED"} 0' in lines
    assert "audit_consistent 0" in lines
    assert "audit_entries_lag_seconds 2.0" in lines
    assert "audit_pinot_lag_seconds 9.5" in lines  # since it started: nothing was compared yet


def test_metrics_and_health_are_served(state: State) -> None:
    server = MetricsServer("127.0.0.1", 0, lambda: "some metrics\n")
    try:
        base = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(f"{base}/metrics") as answer:
            assert answer.read() == b"some metrics\n"
        with urllib.request.urlopen(f"{base}/healthz") as answer:
            assert answer.status == 200
    finally:
        server.close()


def test_a_log_line_says_interval_tier_kind_and_ids() -> None:
    record = logging.makeLogRecord({"msg": "mismatch", "findings": [finding(0), finding(70)]})
    line = json.loads(JsonLines().format(record))
    assert (line["tier"], line["kind"], line["count"]) == ("ENTRIES", "LOST", 2)
    assert line["interval"] == "2026-11-18T11:06:40+00:00"
    assert line["transaction_ids"] == [finding(0).transaction_id, finding(70).transaction_id]
    assert line["kafka_partitions"] == [2]


def test_state_of_another_version_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "a.sqlite3")
    state.write(Outcome(), {}, {}, 1, NOW_MS)
    state._db.execute("UPDATE meta SET value = 0 WHERE name = 'version'")
    state.close()
    with pytest.raises(StateError, match="delete it"):
        State(tmp_path / "a.sqlite3")
