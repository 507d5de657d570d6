"""An audit may be killed, or lose all it keeps, at any moment and at any age of the topics."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stream_jobs.audit.beginning import SLACK_MS, beginning
from stream_jobs.audit.findings import Kind
from stream_jobs.audit.opening import state_at
from stream_jobs.audit.state import State, StateError
from stream_jobs.topics.names import NAMES
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, reversal, transfer, uuid
from tests.audit_tiers import BEGIN_MS, ENTRIES, RAW, REJECTED, UNCOUNTED, MemoryKafka, serve

Audit = Callable[[], Bench]
MINUTE_MS = 60_000


def some(kafka: MemoryKafka, job: Job, numbers: range, step_ms: int = 1_000) -> None:
    """Events, one after the other, each finished by the job at its time."""
    for number in numbers:
        time_ms = BEGIN_MS + number * step_ms
        kafka.append(RAW, number % 4, time_ms, transfer(uuid(number)))
        if number % 10 == 3:
            kafka.append(RAW, number % 4, time_ms, transfer(uuid(number)))
        if number % 10 == 4:
            kafka.append(RAW, number % 4, time_ms, b"junk")
        job.run()


def test_a_killed_audit_goes_on_without_a_false_alarm_or_a_forgotten_one(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(50))
    kafka.append(RAW, 0, BEGIN_MS, reversal(uuid(100), uuid(60)))
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(99)))  # lost, as the job does not run after it
    job.run()
    last = kafka.logs[ENTRIES]
    for log in last:
        log[:] = [r for r in log if uuid(99).encode() not in (r.value or b"")]
        log[:] = [r._replace(offset=number) for number, r in enumerate(log)]
    bench = audit()
    bench.look(2)
    assert bench.kinds() == {"ENTRIES LOST": 1}
    for numbers in (range(50, 55), range(55, 60), range(60, 70)):
        some(kafka, job, numbers)
        bench.auditor.read(0)  # read, and killed before anything was closed
        bench = audit()
        bench.look(2)
        assert bench.kinds() == {"ENTRIES LOST": 1}
    assert not bench.coverage.held
    assert bench.auditor.matched == len(job.counted) - 1


def test_what_was_lost_before_a_restart_heals_after_it(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES LOST": 1}
    job.run()
    bench = audit()
    bench.look(2)
    assert bench.kinds() == Counter()


def test_a_second_outcome_between_the_last_closing_and_a_kill_is_not_forgotten(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(8))
    bench = audit()
    bench.look()
    record = next(r for log in kafka.logs[ENTRIES] for r in log)
    kafka.append(ENTRIES, record.partition, BEGIN_MS, record.value, record.key)
    bench.auditor.read(0)
    bench = audit()
    bench.look()
    assert bench.kinds()["ENTRIES DOUBLED"] == 1


def test_deleted_it_begins_anew_and_finds_the_same(
    kafka: MemoryKafka, job: Job, audit: Audit, tmp_path: Path
) -> None:
    some(kafka, job, range(30))
    record = next(r for log in kafka.logs[ENTRIES] for r in log)
    kafka.append(ENTRIES, record.partition, BEGIN_MS, record.value, record.key)
    bench = audit()
    bench.look(2)
    found = bench.kinds()
    assert found["ENTRIES DOUBLED"] == 1
    for path in tmp_path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    bench = audit()
    bench.look(2)
    assert bench.kinds() == found


def test_where_outcomes_have_aged_out_it_vouches_only_for_what_must_still_be_there(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(120), step_ms=MINUTE_MS)
    # Of each topic the first half hour is gone, wherever that cuts its partitions.
    for topic in (ENTRIES, REJECTED, UNCOUNTED):
        for partition, log in enumerate(kafka.logs[topic]):
            old = sum(r.time_ms < BEGIN_MS + 30 * MINUTE_MS for r in log)
            kafka.firsts[topic, partition] = old
    begin = beginning(kafka, NAMES)
    assert begin.since_ms is not None
    assert begin.since_ms >= BEGIN_MS + 30 * MINUTE_MS + SLACK_MS
    firsts_ms = [kafka.logs[RAW][p][offset].time_ms for p, offset in begin.raw.items()]
    assert begin.since_ms - MINUTE_MS <= min(firsts_ms)
    assert max(firsts_ms) <= begin.since_ms + 10 * MINUTE_MS
    bench = audit()
    bench.look(3)
    assert bench.kinds() == Counter()
    # And what is lost after that is told.
    kafka.append(RAW, 1, BEGIN_MS + 200 * MINUTE_MS, transfer(uuid(999)))
    bench.look()
    assert bench.kinds() == {"ENTRIES LOST": 1}


def test_raw_records_that_were_deleted_while_their_outcomes_are_kept_are_no_finding(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(40))
    for partition in range(4):
        kafka.firsts[RAW, partition] = 5
    bench = audit()
    bench.look(2)
    assert bench.kinds() == Counter()
    assert bench.begin.raw == dict.fromkeys(range(4), 5)


def test_raw_records_that_were_deleted_unread_are_an_alarm_and_stay_one(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(40))
    bench = audit()
    bench.look()
    bench.auditor.refuse_unread({0: 500, 1: 0}, {0: 100, 1: 10})
    bench.auditor.refuse_unread({0: 500, 1: 0}, {0: 500, 1: 10})
    (finding,) = findings_of(bench)
    assert (finding.kind, finding.partition, finding.offset) == (Kind.LOST, 0, 100)
    assert "100 to 499" in finding.detail


def test_in_place_of_a_file_of_another_version_the_audit_begins_anew(tmp_path: Path) -> None:
    state = State(tmp_path / "audit.sqlite3")
    state.begin(0)
    state._db.execute("UPDATE meta SET value = 1 WHERE name = 'version'")
    state.close()
    with pytest.raises(StateError):
        State(tmp_path / "audit.sqlite3")
    state = state_at(tmp_path / "audit.sqlite3")
    assert (state.vouched(), state.number("version", 0)) == ([], 0)
    state.close()


def test_what_is_served_is_compared_again_after_a_restart(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(20))
    bench = audit()
    bench.look(2)
    bench = audit()
    bench.pinot.rows_ = serve(kafka).rows_
    row = next(iter(bench.pinot.rows_))
    del bench.pinot.rows_[row]
    bench.look(3)
    assert bench.kinds() == {"PINOT LOST": 1}


def close(bench: Bench) -> None:
    """Read all that is there, and close it."""
    while bench.auditor.read(0):
        pass
    bench.auditor.look()
    bench.auditor.look()


def test_looks_at_old_hours_are_paced_by_time_and_let_closings_go_first(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(300), step_ms=60 * MINUTE_MS)
    bench = audit()
    bench.look(2)
    bench.pinot.statements = 0
    bench.clock_ms += 2_000
    bench.check.step()
    assert 0 < bench.pinot.statements <= 12  # of 300 hours with one event each: five a second
    some(kafka, job, range(300, 301), step_ms=60 * MINUTE_MS)
    bench.pinot.rows_ = serve(kafka).rows_
    while bench.auditor.read(0):
        pass
    bench.auditor.look()
    bench.clock_ms += 3_600_000
    bench.pinot.statements = 0
    assert bench.check.step()
    assert bench.pinot.statements <= 12  # one of the closing, and ten of old hours


def test_a_closing_of_many_hours_is_compared_in_few_statements(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(1_000), step_ms=60 * MINUTE_MS)
    bench = audit()
    lost, *_, other = sorted(bench.pinot.rows_)
    del bench.pinot.rows_[lost], bench.pinot.rows_[other]
    while bench.auditor.read(0):
        pass
    bench.auditor.look()
    bench.auditor.look()
    hours = {row.cell.hour_ms for row in (lost, other)}
    for left in (hours, set()):
        (block,) = bench.check._blocks
        bench.pinot.statements = 0
        bench.check.step()
        assert bench.pinot.statements < 30
        assert set(block.left) == left
    assert sorted((f.time_ms, f.kind) for f in findings_of(bench)) == sorted(
        (row.time_ms, Kind.LOST) for row in (lost, other)
    )


def test_closings_that_wait_are_compared_as_one_that_does_not_grow(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    bench = audit()
    bench.pinot.has_read_all = False
    for first in range(0, 80, 20):
        some(kafka, job, range(first, first + 20))
        close(bench)
        if first < 40:
            continue
        assert not bench.check.step()  # Pinot has not reached the first ones
    head, *later = bench.check._blocks
    assert (len(head.counted), [len(block.counted) for block in later]) == (60, [20])
    bench.pinot.rows_ = serve(kafka).rows_
    lost = next(row for row in sorted(bench.pinot.rows_) if row.offset == head.counted[-1].offset)
    del bench.pinot.rows_[lost]
    bench.pinot.has_read_all, bench.pinot.statements = True, 0
    bench.look(2)
    assert [(f.kind, f.time_ms) for f in findings_of(bench)] == [(Kind.LOST, lost.time_ms)]
    assert not bench.check._blocks


def test_what_is_closed_and_not_yet_served_is_not_taken_for_lost(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    some(kafka, job, range(20))
    bench = audit()
    bench.look(2)
    some(kafka, job, range(20, 40))
    while bench.auditor.read(0):
        pass
    bench.auditor.look()
    (waits,) = bench.check._blocks
    bench.check._blocks.clear()  # as after a kill: nothing says that Pinot has reached what is closed
    for _ in range(4):
        bench.clock_ms += 60_000
        bench.check.step()
    assert bench.kinds() == Counter()
    bench.check.offer(waits)
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(2)
    assert bench.kinds() == Counter()
