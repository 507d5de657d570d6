"""What is told of the archive: how far it is behind, however much waits, and what it wrote."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from stream_jobs.archive import archiving
from stream_jobs.archive.archiving import Archiver
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store
from stream_jobs.archive.telling import LOOK_EVERY_S, ArchiveMetrics, Through
from stream_jobs.audit.readers import Record
from stream_jobs.topics.names import NAMES
from tests.unit.stream_jobs.archive.kafka_log import (
    HOUR_MS,
    SEVEN_MS,
    TOPIC,
    KafkaLog,
    LogReader,
    archived,
    record,
)


def value(metrics: ArchiveMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_it_is_through_an_instant_once_every_topic_that_was_looked_at_is_in_files() -> None:
    through = Through(100.0)
    through.looked(110.0, {"a": {0: 5, 1: 7}, "b": {0: 0}})
    for too_little in ({}, {"a": {0: 5, 1: 7}}, {"a": {0: 5, 1: 6}, "b": {0: 0}}):
        through.written(too_little)
        assert through.at_s == 100.0
    through.written({"a": {0: 5, 1: 7}, "b": {0: 0}})
    assert through.at_s == 110.0


def test_of_several_looks_it_is_through_the_newest_that_is_reached() -> None:
    through = Through(0.0)
    for at_s, end in ((10.0, 1), (20.0, 2), (30.0, 9)):
        through.looked(at_s, {"a": {0: end}})
    through.written({"a": {0: 4}})
    assert through.at_s == 20.0
    through.written({"a": {0: 9}})
    assert through.at_s == 30.0


def test_so_often_the_topics_are_looked_at() -> None:
    through = Through(0.0)
    assert through.is_due(0.0)
    through.looked(5.0, {"a": {0: 1}})
    assert not through.is_due(5.0 + LOOK_EVERY_S - 1)
    assert through.is_due(5.0 + LOOK_EVERY_S)


def test_an_archiver_that_hangs_falls_behind() -> None:
    clock = iter((1_000.0, 1_010.0, 1_500.0))
    metrics = ArchiveMetrics(lambda: next(clock))
    assert value(metrics, "archive_lag_seconds") == 10.0
    assert value(metrics, "archive_lag_seconds") == 500.0


def test_what_waits_for_its_file_is_behind_and_what_is_in_one_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three records that wait, and one of the next hour, with which the three are in a file."""
    monkeypatch.setattr(archiving, "PARTITIONS_EVERY_S", 0.0)
    times_ms = [SEVEN_MS, SEVEN_MS + 1, SEVEN_MS + 2, SEVEN_MS + HOUR_MS]
    log = KafkaLog({0: [record(0, n, time_ms) for n, time_ms in enumerate(times_ms[:3])]}, {0: 3})
    now_s, stop, told = [0.0], threading.Event(), []
    metrics = ArchiveMetrics(lambda: now_s[0])

    class Slow(LogReader):
        """A read takes a minute; after three of them the last record is there, after six it ends."""

        def read(self, limit: int, timeout_s: float) -> list[Record]:
            told.append(value(metrics, "archive_lag_seconds"))
            now_s[0] += 60
            if len(told) == 3:
                log.records[0].append(record(0, 3, times_ms[3]))
                log.end[0] = 4
            if len(told) == 7:
                stop.set()
            return super().read(limit, timeout_s)

    store = Store(str(tmp_path))
    Archiver(
        log,
        lambda starts: Slow(log, dict(starts[TOPIC])),
        store,
        NAMES,
        Limits(100, 3600, 10**9),
        metrics,
    ).run([TOPIC], stop, once=False)
    # Looked at after 60 and 120 s: both are reached when the record of the next hour has come, at 180 s; what was
    # looked at then is not, since that record itself waits.
    assert told == [0.0, 60.0, 120.0, 60.0, 120.0, 180.0, 240.0]
    assert len(archived(store, 0)[0]) == 2
    assert value(metrics, "archive_records_total", topic=TOPIC) == 4
    assert value(metrics, "archive_files_total", topic=TOPIC) == 2


def test_offsets_that_are_lost_are_counted(tmp_path: Path) -> None:
    log = KafkaLog({0: [record(0, 0, SEVEN_MS)]}, {0: 1})
    store, metrics, limits = Store(str(tmp_path)), ArchiveMetrics(lambda: 0.0), Limits(9, 9, 9**9)
    for first, end in ((0, 1), (6, 7)):
        log.first[0], log.end[0] = first, end
        log.records[0] = [record(0, first, SEVEN_MS)]
        Archiver(log, log.reader, store, NAMES, limits, metrics, accept_loss=True).run(
            [TOPIC], threading.Event(), once=True
        )
    assert value(metrics, "archive_lost_offsets_total", topic=TOPIC) == 5
