"""A repair writes exactly what is missing, as the job would have, and leaves alone what it cannot mend."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stream_jobs.audit.missing import Missing, keys_of
from stream_jobs.audit.once import Following, NotFinishedError, Once
from stream_jobs.audit.repair import RepairError, plan
from stream_jobs.audit.sums import Row
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES
from tests.audit_bench import Bench
from tests.audit_job import Job, reversal, transfer, uuid
from tests.audit_tiers import (
    BEGIN_MS,
    ENTRIES,
    RAW,
    REJECTED,
    UNCOUNTED,
    MemoryKafka,
    MemoryReader,
    serve,
)
from tests.filled import fill_erased

Audited = Callable[[], Once]


@pytest.fixture
def audited(kafka: MemoryKafka) -> Iterator[Audited]:
    begun: list[Following] = []

    def once() -> Once:
        audit = Following(kafka, partial(MemoryReader, kafka), NAMES)
        begun.append(audit)
        audit.follow(kafka.ends(RAW), 0.1, lambda _: None)
        lost = tuple(audit.coverage.lost.values())
        return Once(audit.begin, audit.coverage.frontier, lost, audit.known(keys_of(lost)))

    yield once
    for audit in begun:
        audit.close()


def planned(once: Once, rows_of_ids: Callable[..., list[Row]] | None = None) -> list[Missing]:
    return plan(once, NAMES, lambda _: True, rows_of_ids)[0]


def write(kafka: MemoryKafka, wanted: list[Missing]) -> None:
    for record in (record for each in wanted for record in each.records):
        home = 0 if record.key is None else kafka_partition(record.key.decode(), 4)
        kafka.append(record.topic, home, BEGIN_MS, record.value, record.key)


def lose(kafka: MemoryKafka, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """As Kafka does with a transaction that it has given up."""
    for topic in (ENTRIES, REJECTED, UNCOUNTED):
        for log in kafka.logs[topic]:
            kept = [r for r in log if not wanted(json.loads(r.value or b""))]
            log[:] = [r._replace(offset=number) for number, r in enumerate(kept)]


def some(kafka: MemoryKafka, job: Job) -> None:
    """A record with each outcome there is."""
    for value in (
        transfer(uuid(1)),
        transfer(uuid(1)),
        b"junk",
        reversal(uuid(2), uuid(1)),
        reversal(uuid(2), uuid(1)),
        reversal(uuid(3), uuid(1)),
        reversal(uuid(4), uuid(1), "6"),
        reversal(uuid(5), uuid(9)),
    ):
        kafka.append(RAW, 0, BEGIN_MS, value)
        job.run()


@pytest.mark.parametrize("lost", [*range(8), None])
def test_every_outcome_that_was_lost_is_written_as_the_job_would_have(
    kafka: MemoryKafka, job: Job, audited: Audited, audit: Callable[[], Bench], lost: int | None
) -> None:
    some(kafka, job)
    sound = {
        topic: sorted(r.value or b"" for log in kafka.logs[topic] for r in log)
        for topic in NAMES.outcomes
    }
    lose(kafka, lambda body: lost in (None, body["kafka_offset"]))
    wanted = planned(audited())
    assert len(wanted) == (8 if lost is None else 1)
    write(kafka, wanted)
    assert planned(audited()) == []
    bench = audit()
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(2)
    assert bench.kinds() == Counter()
    assert sorted(r.value or b"" for log in kafka.logs[ENTRIES] for r in log) == sound[ENTRIES]


def test_of_an_event_with_one_entry_only_the_other_is_written(
    kafka: MemoryKafka, job: Job, audited: Audited
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    job.run()
    lose(kafka, lambda body: body["direction"] == "SENT")
    ((written,),) = [each.records for each in planned(audited())]
    assert (written.topic, written.key) == (ENTRIES, b"ann")


def test_what_was_filled_after_an_erasure_is_neither_missing_nor_contradicting(
    kafka: MemoryKafka, job: Job, audited: Audited, tmp_path: Path
) -> None:
    some(kafka, job)
    fill_erased(kafka, tmp_path, ["ann"])
    once = audited()
    assert plan(once, NAMES, lambda _: True, None) == ([], [])
    lose(kafka, lambda body: body.get("direction") == "SENT")
    written = [record.key for each in planned(audited()) for record in each.records]
    assert written == [b"ann", b"ann"]


def test_what_has_another_entry_than_its_record_says_is_left_alone(
    kafka: MemoryKafka, job: Job, audited: Audited
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    job.run()
    for log in kafka.logs[ENTRIES]:
        log[:] = [r._replace(value=(r.value or b"").replace(b'"5"', b'"6"')) for r in log]
    wanted, contradicting = plan(audited(), NAMES, lambda _: True, None)
    assert (wanted, [each.id for each in contradicting]) == ([], [uuid(1)])


def test_what_the_job_has_not_finished_is_not_missing(kafka: MemoryKafka, audited: Audited) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    kafka.job[0] = 0
    with pytest.raises(NotFinishedError):
        audited()


def cut(kafka: MemoryKafka, job: Job) -> None:
    """Events of two days, and outcomes of the second only; the last event's are lost."""
    for hour in range(48):
        kafka.append(RAW, 0, BEGIN_MS + hour * 3_600_000, transfer(uuid(hour)))
        job.run()
    for topic in NAMES.outcomes:
        for partition, log in enumerate(kafka.logs[topic]):
            kept = [r for r in log if uuid(47).encode() not in (r.value or b"")]
            log[:] = [r._replace(offset=number) for number, r in enumerate(kept)]
            kafka.firsts[topic, partition] = sum(r.time_ms < BEGIN_MS + 86_400_000 for r in log)


def test_what_is_older_than_the_outcomes_that_kafka_keeps_is_not_written_again(
    kafka: MemoryKafka, job: Job, audited: Audited
) -> None:
    cut(kafka, job)
    wanted = planned(audited(), lambda _: [])
    assert [each.expected.id for each in wanted] == [uuid(47)]


def test_whether_an_id_counted_before_that_is_told_by_pinot_or_nothing_is_written(
    kafka: MemoryKafka, job: Job, audited: Audited
) -> None:
    cut(kafka, job)
    once = audited()
    with pytest.raises(RepairError, match="--broker"):
        planned(once)
    (row, *_) = serve(kafka).rows_
    counted = row._replace(
        transaction_id=uuid(47), direction="RECEIVED", reverses="", kind="TRANSFER"
    )
    (told,) = planned(once, lambda _: [counted])
    assert told.outcome == "DUPLICATE"


def test_a_filter_by_time_takes_only_events_of_that_time(
    kafka: MemoryKafka, job: Job, audited: Audited
) -> None:
    for number in range(4):
        kafka.append(RAW, 0, BEGIN_MS + number, transfer(uuid(number)))
    wanted, _ = plan(audited(), NAMES, lambda each: each.time_ms == BEGIN_MS + 2, None)
    assert [each.expected.id for each in wanted] == [uuid(2)]
