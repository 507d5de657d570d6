"""What offsets cannot tell: that an id counted twice, or that a duplicate is one of nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from stream_jobs.audit.findings import Kind
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import judge
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, reversal, transfer, uuid
from tests.audit_tiers import BEGIN_MS, RAW, MemoryKafka, serve

Audit = Callable[[], Bench]
DAY_MS = 86_400_000


def counted(kafka: MemoryKafka, job: Job, partition: int, offset: int) -> None:
    """Count a raw record, whatever came before."""
    record = kafka.logs[RAW][partition][offset]
    event = judge(record.value, record.time_ms)
    assert not isinstance(event, Rejection)
    job.count(event, record.time_ms, partition, offset)


def counted_twice(kafka: MemoryKafka, job: Job) -> None:
    """Two raw records of one id, in two partitions, that both counted."""
    for number in range(2):
        kafka.append(RAW, number, BEGIN_MS + number, transfer(uuid(1)))
        counted(kafka, job, number, 0)


@pytest.mark.parametrize("apart", [False, True])
def test_two_raw_records_of_one_id_that_both_counted_are_told(
    kafka: MemoryKafka, job: Job, audit: Audit, apart: bool
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    counted(kafka, job, 0, 0)
    bench = audit()
    if apart:
        bench.look()
    kafka.append(RAW, 1, BEGIN_MS + 5, transfer(uuid(1), "7"))
    counted(kafka, job, 1, 0)
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(2)
    (finding,) = findings_of(bench)
    assert (finding.kind, finding.transaction_id) == (Kind.DOUBLED, uuid(1))
    assert "[0] 0" in finding.detail
    assert "[1] 0" in finding.detail


def test_an_id_that_comes_again_after_the_window_may_count_again(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    for number, time_ms in enumerate((BEGIN_MS, BEGIN_MS + 15 * DAY_MS)):
        kafka.append(RAW, 0, time_ms, transfer(uuid(1)))
        counted(kafka, job, 0, number)
    bench = audit()
    bench.look(2)
    assert bench.kinds() == Counter()


def test_a_duplicate_of_nothing_is_lost_money(kafka: MemoryKafka, job: Job, audit: Audit) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    job.uncounted("DUPLICATE", uuid(1), kafka.logs[RAW][0][0])
    bench = audit()
    bench.look(2)
    (finding,) = findings_of(bench)
    assert (finding.kind, finding.offset) == (Kind.LOST, 0)


def test_a_duplicate_whose_first_lies_in_a_partition_that_is_read_later_is_no_finding(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    kafka.append(RAW, 1, BEGIN_MS, transfer(uuid(1)))
    kafka.append(RAW, 0, BEGIN_MS + 1, transfer(uuid(1)))
    job.run()
    bench = audit()
    del bench.reader._positions[RAW][1]  # only the duplicate's partition is read
    bench.look(2)
    assert (bench.state.count_suspects(), bench.kinds()) == (1, Counter())
    bench.reader.add(RAW, {1: 0})
    bench.look(2)
    assert (bench.state.count_suspects(), bench.kinds()) == (0, Counter())


def test_what_looked_wrong_before_the_audit_was_killed_is_told_after_it(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    counted_twice(kafka, job)
    bench = audit()
    bench.pinot.has_read_all = False  # so that nothing can be proven yet
    bench.look(2)
    assert (bench.state.count_suspects(), bench.kinds()) == (1, Counter())
    bench = audit()
    bench.look(2)
    assert bench.kinds() == {"ENTRIES DOUBLED": 1}


def test_a_double_is_told_however_far_behind_pinot_is(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    counted_twice(kafka, job)
    bench = audit()
    rows, bench.pinot.rows_ = bench.pinot.rows_, Counter()
    bench.pinot.has_read_all = False
    bench.look(3)
    bench.pinot.rows_ = rows
    bench.pinot.has_read_all = True
    bench.look(2)
    assert bench.kinds() == {"ENTRIES DOUBLED": 1}


def test_duplicates_with_other_contents_are_counted(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    for amount in ("5", "5.00", "6", "6"):
        kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1), amount))
    job.run()
    bench = audit()
    bench.look()
    assert (bench.auditor.history.duplicates, bench.auditor.history.conflicts) == (3, 2)
    assert bench.kinds() == Counter()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ([], "has not counted"),
        ([transfer(uuid(1), "6")], "differs"),
        ([transfer(uuid(1)), reversal(uuid(3), uuid(1))], "reversed before"),
    ],
)
def test_a_reversal_that_must_not_take_effect_and_does_is_told(
    kafka: MemoryKafka, job: Job, audit: Audit, before: list[bytes], why: str
) -> None:
    for value in before:
        kafka.append(RAW, 0, BEGIN_MS, value)
    job.run()
    kafka.append(RAW, 1, BEGIN_MS + 9, reversal(uuid(2), uuid(1)))
    counted(kafka, job, 1, 0)
    bench = audit()
    bench.look(2)
    found = {each.transaction_id: each for each in findings_of(bench)}
    assert found[uuid(2)].kind is Kind.UNKNOWN
    assert why in found[uuid(2)].detail


def test_a_reversal_held_or_rejected_although_it_fits_is_told(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(2)))
    job.run()
    for number in (1, 2):
        kafka.append(RAW, 1, BEGIN_MS, reversal(uuid(10 + number), uuid(number)))
    job.uncounted("HELD", uuid(11), kafka.logs[RAW][1][0])
    body = {"reason": "ALREADY_REVERSED", "kafka_partition": 1, "kafka_offset": 1}
    kafka.append("transactions-rejected", 0, BEGIN_MS, json.dumps(body).encode())
    bench = audit()
    bench.look(2)
    assert {(each.kind, each.transaction_id) for each in findings_of(bench)} == {
        (Kind.LOST, uuid(11)),
        (Kind.LOST, uuid(12)),
    }
