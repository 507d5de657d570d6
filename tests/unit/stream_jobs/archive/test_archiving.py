"""The archiver over a topic in memory: killed anywhere it leaves each record once, and no hole unsaid."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_jobs.archive.archiving import Archiver, HoleError
from stream_jobs.archive.checking import checked
from stream_jobs.archive.layout import Part, gaps_and_overlaps, part_of
from stream_jobs.archive.open_parts import RECORD_BYTES, Limits, OpenParts
from stream_jobs.archive.store import Store, StoreError
from stream_jobs.audit.readers import Record
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap
from tests.unit.stream_jobs.archive.kafka_log import (
    HOUR_MS,
    SEVEN_MS,
    TOPIC,
    KafkaLog,
    LogReader,
    archived,
    archiver,
    files,
    metrics,
    record,
)

LIMITS = Limits(4, 3600, 10**9)
NEVER = threading.Event()


class KilledError(Exception):
    pass


class Killed(Store):
    """Ends when so many files were written; `half`: in the middle of the next one."""

    def __init__(self, where: str, left: int, *, half: bool) -> None:
        super().__init__(where)
        self._left = left
        self._half = half

    def put(self, part: Part, content: bytes, suffix: str = "new") -> None:
        if not self._left:
            if self._half and self._here:
                writing = self._here / ".writing"
                writing.mkdir(exist_ok=True)
                (writing / "half.new").write_bytes(content[:100])
            raise KilledError
        self._left -= 1
        super().put(part, content, suffix)


def a_log(seed: int, partitions: int = 3) -> KafkaLog:
    """Records with markers between and behind them, some of them late."""
    chance = random.Random(seed)
    records: dict[int, list[Record]] = {}
    end = {}
    for partition in range(partitions):
        offset, log = 0, []
        for number in range(chance.randrange(30)):
            offset += chance.choice((1, 1, 1, 2, 3))
            late_ms = chance.choice((0, 0, 0, HOUR_MS, 50 * HOUR_MS))
            log.append(record(partition, offset, SEVEN_MS + number * 400_000 - late_ms))
        records[partition] = log
        end[partition] = offset + 1 + chance.randrange(3)
    return KafkaLog(records, end)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=4))
def test_killed_anywhere_and_begun_again_each_record_is_there_once(
    seed: int, kills: list[tuple[int, bool]]
) -> None:
    log = a_log(seed)
    with TemporaryDirectory() as folder:
        for left, half in kills:
            killed = archiver(log, Killed(folder, left, half=half), LIMITS)
            with suppress(KilledError):
                killed.run([TOPIC], NEVER, once=True)
        store = Store(folder)
        store.own()
        archiver(log, store, LIMITS).run([TOPIC], NEVER, once=True)
        store.release()
        assert len(files(Path(folder))) == sum(
            len(archived(store, each)[0]) for each in store.partitions(TOPIC)
        )
        for partition, records in log.records.items():
            parts, found = archived(store, partition)
            assert found == records
            assert gaps_and_overlaps(parts) == []
            if records:
                assert parts[0].start == 0
                assert records[-1].offset < parts[-1].end <= log.end[partition]
                assert [part.hour_ms for part in parts] == sorted(part.hour_ms for part in parts)
                assert checked(store, TOPIC, partition).faults == []


def test_a_late_record_lies_in_the_hour_in_which_it_came(tmp_path: Path) -> None:
    times = [SEVEN_MS + 5, SEVEN_MS + HOUR_MS, SEVEN_MS + 7, SEVEN_MS + HOUR_MS + 1]
    log = KafkaLog({0: [record(0, 2 * n, time) for n, time in enumerate(times)]}, {0: 8})
    store = Store(str(tmp_path))
    archiver(log, store, LIMITS).run([TOPIC], NEVER, once=True)
    assert [str(each.relative_to(tmp_path)) for each in files(tmp_path)] == [
        f"{TOPIC}/partition=00/date=2026-11-23/hour=07/0000000000000000000-0000000000000000002.parquet",
        f"{TOPIC}/partition=00/date=2026-11-23/hour=08/0000000000000000002-0000000000000000008.parquet",
    ]


def test_a_clock_that_is_far_ahead_does_not_name_the_hours_that_follow(tmp_path: Path) -> None:
    log = KafkaLog({0: [record(0, 0, 2**61), record(0, 1, -1)]}, {0: 2})
    store = Store(str(tmp_path))
    archiver(log, store, LIMITS).run([TOPIC], NEVER, once=True)
    (part,), found = archived(store, 0)
    assert part.hour_ms < 2**42
    assert found == log.records[0]


def test_a_path_is_read_as_it_is_written() -> None:
    part = Part("account-entries-two", 63, SEVEN_MS, 17, 2**40)
    assert part_of(part.path) == part
    assert part_of(part.path.replace("hour=07", "hour=7")) is None


def test_what_was_deleted_unread_stops_it_until_the_loss_is_accepted(tmp_path: Path) -> None:
    log = a_log(1, 1)
    store = Store(str(tmp_path))
    archiver(log, store, LIMITS).run([TOPIC], NEVER, once=True)
    end = log.end[0]
    log.first[0], log.end[0] = end + 5, end + 7
    log.records[0] = [record(0, end + 5, SEVEN_MS)]
    with pytest.raises(HoleError, match=rf"\[0\]: Kafka deleted offsets {end} to {end + 5} unread"):
        archiver(log, store, LIMITS).run([TOPIC], NEVER, once=True)
    archiver(log, store, LIMITS, accept_loss=True).run([TOPIC], NEVER, once=True)
    parts, _ = archived(store, 0)
    assert gaps_and_overlaps(parts) == []
    assert checked(store, TOPIC, 0).faults == [f"offsets {end} to {end + 5} were lost"]


def test_what_was_read_before_kafka_deleted_the_next_is_written_down_first(tmp_path: Path) -> None:
    log = KafkaLog({0: [record(0, n, SEVEN_MS) for n in range(3)]}, {0: 9})

    class Overtaken(LogReader):
        def read(self, limit: int, timeout_s: float) -> list[Record]:
            if self.at[0] == 3:
                log.first[0] = 8
                raise KafkaOffsetsError("offset 3 is out of range")
            return super().read(limit, timeout_s)

    store = Store(str(tmp_path))
    overtaken = Archiver(
        log, lambda starts: Overtaken(log, dict(starts[TOPIC])), store, NAMES, LIMITS, metrics()
    )
    with pytest.raises(HoleError, match=r"Kafka deleted offsets 3 to 8 unread"):
        overtaken.run([TOPIC], NEVER, once=True)
    assert archived(store, 0)[1] == log.records[0]


def test_a_topic_that_was_made_anew_is_not_gone_on_with(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    archiver(a_log(1, 1), store, LIMITS).run([TOPIC], NEVER, once=True)
    fresh = KafkaLog({0: [record(0, 0, SEVEN_MS)]}, {0: 1})
    with pytest.raises(HoleError, match="not the topic that was archived"):
        archiver(fresh, store, LIMITS).run([TOPIC], NEVER, once=True)


def test_two_do_not_write_into_one_folder(tmp_path: Path) -> None:
    first, second = Store(str(tmp_path)), Store(str(tmp_path))
    first.own()
    with pytest.raises(StoreError, match="another archiver"):
        second.own()
    first.release()
    second.own()
    second.release()


def test_of_64_partitions_the_largest_are_written_before_memory_is_full() -> None:
    written: list[tuple[Part, int]] = []
    value = b"v" * 400
    limits = Limits(10**6, 10**6, 100 * (RECORD_BYTES + 403))
    waiting = OpenParts(
        limits,
        lambda part, records: written.append((part, len(records))),
        lambda: 0.0,
        lambda: SEVEN_MS,
    )
    positions = dict.fromkeys(range(64), 0)
    for partition in range(64):
        waiting.begin(TOPIC, partition, 0, 0)
    for number in range(64 * 5):
        partition = 7 if number < 60 else number % 64
        waiting.add(record(partition, positions[partition], SEVEN_MS, value))
        positions[partition] += 1
        waiting.close_due({TOPIC: positions})
        left = number + 1 - sum(count for _, count in written)
        assert left <= 100
    assert (written[0][0].partition, written[0][1]) == (7, 61)
    waiting.close_all({TOPIC: positions})
    assert sum(count for _, count in written) == 64 * 5


def test_a_file_is_written_once_its_first_record_is_old_enough() -> None:
    clock = iter((1000.0, 1059.9, 1060.0, 9999.0))
    written: list[Part] = []
    waiting = OpenParts(
        Limits(100, 60.0, 10**9),
        lambda part, _: written.append(part),
        lambda: next(clock),
        lambda: SEVEN_MS,
    )
    waiting.begin(TOPIC, 0, 3, 0)
    waiting.add(record(0, 4, SEVEN_MS))
    for count in (0, 1, 1):
        waiting.close_due({TOPIC: {0: 9}})
        assert len(written) == count
    assert written == [Part(TOPIC, 0, SEVEN_MS, 3, 9)]


def test_gaps_and_overlaps_are_told_apart() -> None:
    parts = [Part(TOPIC, 0, 0, *each) for each in ((0, 4), (6, 9), (8, 10))]
    assert gaps_and_overlaps(parts) == [Gap(4, 6), Gap(9, 8)]
