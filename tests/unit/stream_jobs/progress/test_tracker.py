"""What the tracker publishes is true, whatever happens between any two of its questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from stream_jobs.progress.pinot_served import ConsumingSegment, Count
from stream_jobs.progress.segments import NotServedError, TableSegments
from stream_jobs.progress.tracker import COUNT_EVERY_MS, NotProvenError, Progress, Tracker
from stream_jobs.topics.names import NAMES
from tests.unit.stream_jobs.pipeline_model import (
    ENTRIES,
    PARTITIONS,
    REJECTED,
    TRANSACTIONS,
    Pipeline,
    results,
)

Answer = TypeVar("Answer")


def _in_turn(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    return [call() for call in calls]


def _tracker(pipeline: Pipeline, last: Progress | None = None) -> Tracker:
    return Tracker(pipeline, pipeline, NAMES, pipeline.clock_ms, _in_turn, last)


def _look(tracker: Tracker, pipeline: Pipeline) -> Progress | None:
    pipeline.now_ms += COUNT_EVERY_MS // 2
    try:
        return tracker.look(pipeline.now_ms)
    except (NotProvenError, NotServedError):
        return None


def _looks(tracker: Tracker, pipeline: Pipeline, count: int) -> Iterator[Progress]:
    for _ in range(count):
        pipeline.step()
        progress = _look(tracker, pipeline)
        if progress is not None:
            yield progress


def _assert_true(progress: Progress, pipeline: Pipeline) -> None:
    """All results of what was sent before as_of_ms are within the first rows that were served."""
    served = {
        entry
        for partition, rows in enumerate(progress.docs.entries)
        for entry in pipeline.served_order(ENTRIES, partition)[:rows]
    }
    served |= set(pipeline.served_order(REJECTED, 0)[: progress.docs.rejected])
    for partition in range(PARTITIONS[TRANSACTIONS]):
        for record in pipeline.logs[TRANSACTIONS, partition]:
            if record.at_ms < progress.as_of_ms:
                assert {entry for _, _, entry in results(record.id or "")} <= served


@pytest.mark.parametrize("seed", range(40))
def test_everything_before_the_published_instant_is_in_the_published_rows(seed: int) -> None:
    pipeline = Pipeline(seed)
    tracker = _tracker(pipeline)
    published = 0
    for progress in _looks(tracker, pipeline, 120):
        _assert_true(progress, pipeline)
        published += 1
    assert published > 10


@pytest.mark.parametrize("seed", range(10))
def test_once_it_is_quiet_the_published_instant_keeps_up_with_the_clock(seed: int) -> None:
    pipeline = Pipeline(seed)
    tracker = _tracker(pipeline)
    list(_looks(tracker, pipeline, 100))
    pipeline.quiet = True
    for _ in range(3000):
        pipeline.step()
    before_ms = pipeline.now_ms
    published = list(_looks(tracker, pipeline, 60))
    assert published
    assert published[-1].as_of_ms > before_ms
    _assert_true(published[-1], pipeline)


def _quiet_pipeline() -> tuple[Pipeline, Tracker]:
    pipeline = Pipeline(seed=1)
    for _ in range(300):
        pipeline.step()
    pipeline.quiet = True
    for _ in range(3000):
        pipeline.step()
    return pipeline, _tracker(pipeline)


def test_an_idle_pipeline_is_fresh_although_nothing_moves() -> None:
    pipeline, tracker = _quiet_pipeline()
    asked_ms = pipeline.now_ms
    published = list(_looks(tracker, pipeline, 30))
    assert len(published) > 5
    assert published[-1].as_of_ms > asked_ms
    assert {p.docs.entries for p in published} == {published[0].docs.entries}


def test_a_job_that_stands_still_lets_no_new_instant_be_published() -> None:
    pipeline, tracker = _quiet_pipeline()
    pipeline.send()
    sent_ms = pipeline.now_ms
    for name in ("job_reads", "complete_checkpoint", "commit_offsets"):
        setattr(pipeline, name, lambda: None)
    assert all(progress.as_of_ms <= sent_ms for progress in _looks(tracker, pipeline, 50))


def test_a_count_that_lacks_a_segment_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, tracker = _quiet_pipeline()
    count = pipeline.count

    def lacking(table: str, account_id: str | None) -> Count:
        whole = count(table, account_id)
        return replace(whole, segments=whole.segments - 1)

    monkeypatch.setattr(pipeline, "count", lacking)
    assert not list(_looks(tracker, pipeline, 30))


def test_a_server_that_serves_but_is_silent_lets_nothing_be_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline, tracker = _quiet_pipeline()
    segments = pipeline.segments

    def with_another_server(table: str) -> TableSegments:
        seen = segments(table)
        return replace(seen, serving={name: s | {"other"} for name, s in seen.serving.items()})

    monkeypatch.setattr(pipeline, "segments", with_another_server)
    assert not list(_looks(tracker, pipeline, 30))


def test_a_kafka_partition_that_pinot_does_not_consume_lets_nothing_be_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline, tracker = _quiet_pipeline()
    consuming = pipeline.consuming

    def without_the_last(table: str) -> tuple[ConsumingSegment, ...]:
        return consuming(table)[:-1]

    monkeypatch.setattr(pipeline, "consuming", without_the_last)
    assert not list(_looks(tracker, pipeline, 30))


def test_fewer_rows_than_before_are_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, tracker = _quiet_pipeline()
    published = list(_looks(tracker, pipeline, 10))
    count = pipeline.count

    def fewer(table: str, account_id: str | None) -> Count:
        whole = count(table, account_id)
        return replace(whole, rows=whole.rows - 1)

    monkeypatch.setattr(pipeline, "count", fewer)
    tracker = _tracker(pipeline, published[-1])
    assert not list(_looks(tracker, pipeline, 30))


def test_a_topic_made_anew_below_its_readers_is_a_contradiction() -> None:
    pipeline, tracker = _quiet_pipeline()
    pipeline.logs[TRANSACTIONS, 0].clear()
    with pytest.raises(NotProvenError, match="made anew"):
        tracker.look(pipeline.now_ms)
