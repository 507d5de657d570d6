"""The process tells what stops it once, rests while others do not answer, and tells Prometheus how far it is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.__main__ import LOOK_AT_LEAST_EVERY_S, LOOK_EVERY_S, Run
from stream_jobs.progress.progress_metrics import ProgressMetrics
from stream_jobs.progress.publishing import progress_of, record_value
from stream_jobs.progress.segments import Segment
from stream_jobs.progress.tracker import Progress
from stream_jobs.topics.lease import SILENT_S, Silence
from tests.unit.stream_jobs.progress.still import ENTRIES, RAW, Still, entries_name


class Memory:
    """A publisher that keeps what is published."""

    def __init__(self, still: Still) -> None:
        self.published: list[Progress] = []
        self.looks = 0
        self._still = still

    def heartbeat(self) -> int | None:
        self.looks += 1
        self._still.now_ms += 400
        return self._still.now_ms

    def publish(self, progress: Progress) -> None:
        self.published.append(progress)


class Pauses:
    """An event that is never set, and notes how long it is waited for."""

    def __init__(self, looks: int) -> None:
        self.pauses_s: list[float] = []
        self._looks = looks

    def wait(self, pause_s: float) -> bool:
        self.pauses_s.append(pause_s)
        return len(self.pauses_s) > self._looks


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
def metrics(still: Still) -> ProgressMetrics:
    return ProgressMetrics(lambda: still.now_ms + 2_500, None, still.tracker.unread)


@pytest.fixture
def memory(still: Still) -> Memory:
    return Memory(still)


@pytest.fixture
def run(still: Still, memory: Memory, metrics: ProgressMetrics) -> Run:
    return Run(still.tracker, memory, metrics)


def _told(metrics: ProgressMetrics, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(metrics)
    return registry.get_sample_value(name, labels)


def test_the_lag_is_told_once_there_is_a_proof_and_grows_without_another(
    still: Still, run: Run, metrics: ProgressMetrics
) -> None:
    assert _told(metrics, "pipeline_as_of_lag_seconds") is None
    assert run.once()
    assert _told(metrics, "pipeline_as_of_lag_seconds") == 2.5
    still.kafka.end[RAW][0] += 1
    run.once()
    assert _told(metrics, "pipeline_as_of_lag_seconds") == 2.9


@pytest.mark.parametrize("answers", [True, False])
def test_the_silence_of_a_part_is_noted_and_that_nothing_is_proven_is_none(
    still: Still,
    memory: Memory,
    metrics: ProgressMetrics,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    silence = Silence(lambda: float(memory.looks))
    if answers:
        still.pinot.remove(entries_name(2, 1))
    else:

        def gone(table: str) -> None:
            raise JsonHttpError(f"nobody answers about {table}")

        monkeypatch.setattr(still.pinot, "segments", gone)
    looks = int(SILENT_S) + 2
    Run(still.tracker, memory, metrics, silence).until(Pauses(looks))  # type: ignore[arg-type]
    assert silence.is_long is not answers


def test_a_hole_is_one_error_in_the_log_and_a_metric(
    still: Still, run: Run, metrics: ProgressMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    still.pinot.remove(entries_name(2, 1))
    for _ in range(3):
        assert run.once()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "account_entries__2__0" in caplog.text
    assert _told(metrics, "pipeline_segment_holes") == 1
    still.finished(2, 1, 40, 80)
    run.once()
    assert _told(metrics, "pipeline_segment_holes") == 0


def test_what_lost_rows_is_refused_until_they_are_back_however_many_rows_come(
    still: Still, run: Run, memory: Memory
) -> None:
    run.once()
    still.pinot.remove(entries_name(2, 1))
    for _ in range(3):
        run.once()
    proven, refusal = memory.published
    assert refusal.as_of_ms == proven.as_of_ms
    assert refusal.lost == {2}
    told = json.loads(record_value(refusal, 0))
    assert told["entry_docs"] == "[130,130,10000000000000]"
    # The next tracker goes by the rows that were there.
    still.tracker = still.new_tracker(progress_of(told))
    run = Run(still.tracker, memory, ProgressMetrics(lambda: 0, None, still.tracker.unread))
    still.finished(2, 1, 40, 80)
    run.once()
    assert memory.published[-1].lost == frozenset()
    assert memory.published[-1].docs == proven.docs


def test_a_hole_in_the_rejected_refuses_them_alone(still: Still, run: Run, memory: Memory) -> None:
    run.once()
    still.pinot.put(Segment("transactions_rejected__0__2__20260101T0000Z", False, 5, 9, 0), 4)
    run.once()
    told = json.loads(record_value(memory.published[-1], 0))
    assert told["entry_docs"] == "[130,130,130]"
    assert told["rejected_docs"] == 10**13


def test_what_was_deleted_unread_is_one_error_and_a_metric_that_stays(
    still: Still, run: Run, metrics: ProgressMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    still.kafka.start[ENTRIES][0] = still.kafka.end[ENTRIES][0] = 190
    for _ in range(3):
        run.once()
    assert caplog.text.count("offsets 130 to 190 of account-entries [0] left the log") == 1
    still.filling(0, 3, 120, 190)
    run.once()
    labels = {"topic": ENTRIES}
    assert _told(metrics, "pipeline_unread_deleted_events_total", **labels) == 60


def test_a_part_that_does_not_answer_is_asked_less_and_less_often(
    still: Still, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_: str) -> Iterator[None]:
        raise JsonHttpError("connection refused")

    monkeypatch.setattr(still.pinot, "consuming", down)
    pauses = Pauses(looks=7)
    run.until(pauses)  # type: ignore[arg-type]
    assert pauses.pauses_s[:6] == [LOOK_EVERY_S * 2**n for n in range(5)] + [LOOK_AT_LEAST_EVERY_S]
    monkeypatch.undo()
    pauses = Pauses(looks=1)
    run.until(pauses)  # type: ignore[arg-type]
    assert pauses.pauses_s == [LOOK_AT_LEAST_EVERY_S, LOOK_EVERY_S]
