"""The job's metrics: what Flink, Kafka and Pinot say, in Prometheus's words; and a flood in the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from stream_jobs.events.reasons import RejectReason
from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress import job_metrics
from stream_jobs.progress.job_metrics import JobMetrics, watch
from stream_jobs.progress.job_watch import JobWatch
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from tests.metric_samples import sample, samples

NOW_MS = 1_000_000
FLINK: Mapping[str, Any] = {
    "/jobs/overview": {
        "jobs": [
            {"jid": "old", "name": "account-entries", "state": "FINISHED", "start-time": 1},
            {"jid": "j", "name": "account-entries", "state": "RUNNING", "start-time": 2},
            {"jid": "x", "name": "another", "state": "RUNNING", "start-time": 3},
        ]
    },
    "/jobs/j/metrics?get=numRestarts": [{"id": "numRestarts", "value": "3"}],
    "/jobs/j": {"vertices": [{"status": "RUNNING", "parallelism": 2}]},
    "/jobs/j/checkpoints": {
        "counts": {"failed": 1},
        "latest": {
            "completed": {
                "latest_ack_timestamp": NOW_MS - 1_500,
                "end_to_end_duration": 120,
                "state_size": 4_096,
            }
        },
    },
}


@dataclass
class Parts:
    """Flink, Pinot's broker and Kafka as one fake; counters may be moved."""

    flink: Mapping[str, Any] = field(default_factory=lambda: FLINK)
    rejected: Mapping[str, int] | None = field(default_factory=lambda: {"NOT_JSON": 4})
    finished: dict[int, int] = field(default_factory=lambda: {0: 90, 1: 50})
    kafka_is_away: bool = False

    def get(self, path: str) -> Any:
        if path not in self.flink:
            raise JsonHttpError(path)
        return self.flink[path]

    def post(self, path: str, body: object) -> Any:
        assert path == "/query/sql"
        if self.rejected is None:
            raise JsonHttpError(path)
        rows = [[reason, count] for reason, count in self.rejected.items()]
        return {
            "exceptions": [],
            "numServersResponded": 1,
            "numServersQueried": 1,
            "resultTable": {"rows": rows},
        }

    def committed(self, topic: str) -> dict[int, int]:
        if self.kafka_is_away:
            raise KafkaOffsetsError("away")
        return self.finished

    def stable_ends(self, topic: str) -> dict[int, int]:
        return {0: 100, 1: 50}

    def ends(self, topic: str) -> dict[int, int]:
        return {0: 103, 1: 50}

    def watch(self) -> JobWatch:
        return JobWatch(self, self, self)


def told(parts: Parts) -> dict[str, float]:
    metrics = JobMetrics()
    metrics.look = parts.watch().look(NOW_MS)
    return samples(metrics)


def test_the_values_are_those_of_the_parts() -> None:
    assert told(Parts()) == {
        "pipeline_watch_up": 1,
        "pipeline_events_total": 140,
        "pipeline_events_sent_total": 150,
        'pipeline_kafka_lag_events{partition="0",topic="transactions"}': 10,
        'pipeline_kafka_lag_events{partition="1",topic="transactions"}': 0,
        'pipeline_undecided_offsets{topic="account-entries"}': 3,
        'pipeline_undecided_offsets{topic="transactions-rejected"}': 3,
        'pipeline_rejected_total{reason="NOT_JSON"}': 4,
        "pipeline_reject_ratio": 0,
        "pipeline_reject_flood": 0,
        "pipeline_job_running": 1,
        "pipeline_job_parallelism": 2,
        "pipeline_job_restarts_total": 3,
        "pipeline_checkpoints_failed_total": 1,
        "pipeline_checkpoint_age_seconds": 1.5,
        "pipeline_checkpoint_duration_seconds": 0.12,
        "pipeline_state_bytes": 4096,
    }


def test_whatever_reasons_pinot_tells_there_are_no_more_than_the_rules_know() -> None:
    known = dict.fromkeys(map(str, RejectReason), 2)
    made_up = {f'NEW_{number}"\n': 1 for number in range(100)}
    reasons = [name for name in told(Parts(rejected=known)) if "reason=" in name]
    with_made_up = told(Parts(rejected={**known, **made_up}))
    assert [name for name in with_made_up if "reason=" in name] == [
        *reasons,
        'pipeline_rejected_total{reason="other"}',
    ]
    assert with_made_up['pipeline_rejected_total{reason="other"}'] == 100


def test_while_flink_is_away_the_job_does_not_run_and_the_lag_is_still_told() -> None:
    without = told(Parts(flink={}))
    assert without["pipeline_job_running"] == 0
    assert without["pipeline_events_total"] == 140
    assert "pipeline_checkpoint_age_seconds" not in without


def test_a_job_without_a_checkpoint_yet_has_no_age_of_one() -> None:
    without = {
        **FLINK,
        "/jobs/j/checkpoints": {"counts": {"failed": 0}, "latest": {"completed": None}},
    }
    young = told(Parts(flink=without))
    assert young["pipeline_job_running"] == 1
    assert "pipeline_state_bytes" not in young


def test_no_job_at_all_is_told() -> None:
    without = told(Parts(flink={"/jobs/overview": {"jobs": []}}))
    assert without["pipeline_job_running"] == 0
    assert "pipeline_job_restarts_total" not in without


def test_while_pinot_is_away_no_flood_is_made_up() -> None:
    parts = Parts()
    job = parts.watch()
    job.look(0)
    parts.rejected, parts.finished = None, {0: 9_000, 1: 9_000}
    assert not job.look(10_000).reject_flood
    assert not job.flood_changed


class Looks(threading.Event):
    """Lets so many looks pass, then stops; before each look `parts` is changed."""

    def __init__(self, changes: Iterator[None]) -> None:
        super().__init__()
        self._changes = changes

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == job_metrics.LOOK_EVERY_S
        return next(self._changes, StopIteration) is StopIteration


def test_a_flood_is_one_line_when_it_begins_and_one_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts, metrics = Parts(), JobMetrics()
    clock = iter(range(0, 1_000_000, 10_000))

    def flood() -> Iterator[None]:
        yield
        parts.finished, parts.rejected = {0: 2_140, 1: 0}, {"NOT_JSON": 2_004}
        yield
        assert sample(metrics, "pipeline_reject_flood") == 1
        yield
        parts.finished = {0: 90_000, 1: 0}
        yield

    watch(parts.watch(), metrics, lambda: next(clock), Looks(flood()), (KafkaOffsetsError,))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "REJECT FLOOD: 100 %" in caplog.text
    assert "NOT_JSON" in caplog.text
    assert sample(metrics, "pipeline_reject_flood") == 0


def test_while_kafka_is_away_only_that_is_told() -> None:
    parts, metrics = Parts(), JobMetrics()
    metrics.look = parts.watch().look(NOW_MS)
    parts.kafka_is_away = True
    watch(parts.watch(), metrics, lambda: 0, Looks(iter([None])), (KafkaOffsetsError,))
    assert samples(metrics) == {"pipeline_watch_up": 0}
