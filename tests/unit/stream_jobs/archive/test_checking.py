"""What is wrong with an archive is found: by its names, by its files, and by Kafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream_jobs.archive.checking import Checked, checked, compare_with_kafka
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store, StoreError
from stream_jobs.topics.offsets import Offsets
from stream_jobs.topics.reader import Record
from tests.unit.stream_jobs.archive.kafka_log import (
    SEVEN_MS,
    TOPIC,
    KafkaLog,
    archiver,
    files,
    record,
)


def a_log() -> KafkaLog:
    return KafkaLog({0: [record(0, n, SEVEN_MS + n, b"%d" % n) for n in range(1, 12)]}, {0: 13})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Files of the offsets from 0, 5, 9 up to 13."""
    made = Store(str(tmp_path))
    archiver(a_log(), made, Limits(4, 10, 10**9)).run([TOPIC], threading.Event(), once=True)
    return made


def test_a_whole_one_has_no_faults(store: Store) -> None:
    assert checked(store, TOPIC, 0) == Checked(TOPIC, 0, 0, 13, files=3, records=11)


def removed(paths: list[Path]) -> None:
    paths[1].unlink()


def renamed(paths: list[Path]) -> None:
    paths[2].rename(paths[2].with_name(f"{9:019d}-{20:019d}.parquet"))


def doubled(paths: list[Path]) -> None:
    paths[1].with_name(f"{5:019d}-{7:019d}.parquet").write_bytes(paths[1].read_bytes())


def cut(paths: list[Path]) -> None:
    paths[1].write_bytes(paths[1].read_bytes()[:-100])


def exchanged(paths: list[Path]) -> None:
    paths[1].write_bytes(paths[0].read_bytes())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (removed, "offsets 5 to 9 are missing"),
        (renamed, "it says itself that it covers other offsets"),
        (doubled, "offsets 5 to 7 are there twice"),
        (cut, "0000000000000000005"),
        (exchanged, "its offsets are not ascending, or not its own"),
    ],
)
def test_damage_is_found(
    store: Store, tmp_path: Path, damage: Callable[[list[Path]], None], told: str
) -> None:
    damage(list(files(tmp_path)))
    assert told in "\n".join(checked(store, TOPIC, 0).faults)


def test_what_is_no_file_of_an_archive_is_refused(store: Store, tmp_path: Path) -> None:
    files(tmp_path)[0].with_name("1-2.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"1-2\.parquet is no file of an archive"):
        checked(store, TOPIC, 0)


def compared(store: Store, log: KafkaLog, meanwhile: Callable[[], None] = lambda: None) -> Checked:
    """What is found; `meanwhile` happens when the files were looked at and Kafka is not asked yet."""

    def read(_topic: str, starts: Offsets, ends: Offsets) -> Iterator[Record]:
        for each in log.records[0]:
            if starts[0] <= each.offset < ends[0]:
                yield Record(0, each.offset, each.time_ms, each.value)

    found = checked(store, TOPIC, 0)
    meanwhile()
    compare_with_kafka(store, found, log, read)
    return found


def test_what_kafka_still_has_is_compared_record_by_record(store: Store) -> None:
    log = a_log()
    assert (compared(store, log).compared, compared(store, log).faults) == (11, [])
    log.first[0] = 6
    log.records[0].append(record(0, 40, SEVEN_MS))
    log.end[0] = 41
    assert (compared(store, log).compared, compared(store, log).faults) == (6, [])


def test_what_kafka_has_otherwise_is_told(store: Store) -> None:
    log = a_log()
    log.records[0][4] = log.records[0][4]._replace(value=b"five")
    assert compared(store, log).faults == ["Kafka has another value at 5"]
    del log.records[0][6]
    assert compared(store, log).faults[-1].startswith("Kafka has 8 otherwise")
    log.first[0], log.end[0] = 20, 30
    assert compared(store, log).faults == ["Kafka deleted offsets 13 to 20 unread"]
    log.first[0], log.end[0] = 0, 3
    assert compared(store, log).faults == ["Kafka ends at 3"]


def test_what_is_archived_or_deleted_by_kafka_while_it_is_checked_is_no_fault(store: Store) -> None:
    log = a_log()

    def goes_on() -> None:
        log.records[0] += [record(0, n, SEVEN_MS + n) for n in range(13, 20)]
        log.end[0], log.first[0] = 20, 6
        archiver(log, store, Limits(4, 10, 10**9)).run([TOPIC], threading.Event(), once=True)

    found = compared(store, log, goes_on)
    assert (found.compared, found.behind, found.faults) == (6, 7, [])
    assert compared(store, log) == Checked(TOPIC, 0, 0, 20, 5, 18, compared=13, behind=0)
