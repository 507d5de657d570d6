"""Each committed raw record has exactly one outcome, with the content that the shared rules give."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from stream_jobs.audit.findings import Kind
from stream_jobs.events.instants import rfc_3339
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, fill, reversal, transfer, uuid
from tests.audit_tiers import BEGIN_MS, ENTRIES, RAW, REJECTED, UNCOUNTED, MemoryKafka, serve
from tests.load.events import events, with_reversals

Audit = Callable[[], Bench]
DAY_MS = 86_400_000


def send(kafka: MemoryKafka, *values: bytes, partition: int = 0, time_ms: int = BEGIN_MS) -> None:
    for value in values:
        kafka.append(RAW, partition, time_ms, value)


def drop(kafka: MemoryKafka, topic: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Records that never reached a topic."""
    for log in kafka.logs[topic]:
        kept = [r for r in log if not wanted(json.loads(r.value or b""))]
        log[:] = [r._replace(offset=number) for number, r in enumerate(kept)]


def write(kafka: MemoryKafka, body: dict[str, Any], topic: str = UNCOUNTED) -> None:
    kafka.append(topic, 0, BEGIN_MS, json.dumps(body).encode())


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_run_with_duplicates_rejects_and_reversals_has_no_finding(
    kafka: MemoryKafka, job: Job, audit: Audit, seed: int
) -> None:
    made = with_reversals(events(800, seed), seed)
    made[10:10] = [b"ping", b"{}", transfer(uuid(1), "0")]
    fill(kafka, ((value, BEGIN_MS + number * 7_000) for number, value in enumerate(made)))
    job.run()
    bench = audit()
    bench.look(3)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == len(job.counted)
    assert not bench.coverage.pending_count
    assert not bench.coverage.early_count


def test_an_event_is_expected_at_the_time_at_which_it_occurred(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    ago = BEGIN_MS - 5 * DAY_MS
    said = {"occurred_at": rfc_3339(ago)}
    send(kafka, transfer(uuid(1), "1.500000000", **said), reversal(uuid(2), uuid(1), "1.5", **said))
    send(kafka, transfer(uuid(3), occurred_at=rfc_3339(BEGIN_MS - 31 * DAY_MS)))
    job.run()
    bench = audit()
    bench.look(3)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == 2
    assert {row.time_ms for row in serve(kafka).rows_} == {ago}


def test_a_reversal_that_waits_over_a_restart_keeps_the_time_of_its_record(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    ago = {"occurred_at": rfc_3339(BEGIN_MS - 29 * DAY_MS)}
    send(kafka, reversal(uuid(2), uuid(1), **ago))
    job.run()
    audit().look(2)
    send(kafka, transfer(uuid(1)))
    job.run()
    bench = audit()
    bench.look(3)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == 2


def test_a_record_that_the_job_passed_without_an_outcome_is_lost(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)), transfer(uuid(1)), b"junk", transfer(uuid(2)))
    job.run()
    drop(kafka, ENTRIES, lambda body: body["transaction_id"] == uuid(1))
    drop(kafka, UNCOUNTED, lambda _: True)
    drop(kafka, REJECTED, lambda _: True)
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES LOST": 3}
    assert [(each.offset, each.transaction_id) for each in findings_of(bench)] == [
        (0, uuid(1)),
        (1, uuid(1)),
        (2, ""),
    ]


def test_what_the_job_has_not_committed_is_under_way_and_not_lost(
    kafka: MemoryKafka, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)))
    kafka.job[0] = 0
    bench = audit()
    bench.look(3)
    assert bench.kinds() == Counter()
    assert bench.coverage.pending_count == 1


def test_an_outcome_that_comes_after_all_heals_what_was_lost(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)))
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES LOST": 1}
    job.run()
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(2)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == 1


@pytest.mark.parametrize("side", ["RECEIVED", "SENT"])
def test_one_entry_of_two_is_a_lost_side(
    kafka: MemoryKafka, job: Job, audit: Audit, side: str
) -> None:
    send(kafka, transfer(uuid(1)))
    job.run()
    drop(kafka, ENTRIES, lambda body: body["direction"] == side)
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES LOST_SIDE": 1}
    assert f"{side} entry is missing" in findings_of(bench)[0].detail


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (transfer(uuid(1)), {"outcome": "DUPLICATE"}),
        (transfer(uuid(1)), {"reason": "NOT_JSON"}),
        (b"junk", {"outcome": "DUPLICATE"}),
        (b"junk", {"reason": "EMPTY", "payload_base64": "anVuaw=="}),
        (b"junk", {"reason": "NOT_JSON", "payload_base64": "other"}),
        (b"junk", {"outcome": "HELD"}),
        (reversal(uuid(2), uuid(1)), {"reason": "NOT_JSON"}),
        (transfer(uuid(1)), {"outcome": "whatever"}),
    ],
)
def test_an_outcome_that_the_rules_do_not_give_is_told(
    kafka: MemoryKafka, audit: Audit, sent: bytes, outcome: dict[str, Any]
) -> None:
    send(kafka, sent)
    topic = REJECTED if "reason" in outcome else UNCOUNTED
    write(kafka, {**outcome, "kafka_partition": 0, "kafka_offset": 0}, topic)
    bench = audit()
    bench.look(2)
    assert len(findings_of(bench)) == 1
    assert findings_of(bench)[0].kind in (Kind.CHANGED, Kind.LOST)


def test_a_second_outcome_is_told_however_much_later_it_comes(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)), b"junk", transfer(uuid(1)))
    job.run()
    bench = audit()
    bench.look(2)
    for topic in (ENTRIES, REJECTED, UNCOUNTED):
        record = next(r for log in kafka.logs[topic] for r in log)
        kafka.append(topic, record.partition, BEGIN_MS, record.value, record.key)
    bench.look()
    assert bench.kinds()["ENTRIES DOUBLED"] == 3
    assert {each.offset for each in findings_of(bench)} == {0, 1, 2}


def test_a_job_that_was_started_without_its_state_shows_as_two_outcomes_an_offset(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, *(transfer(uuid(number)) for number in range(5)))
    job.run()
    bench = audit()
    bench.look()
    Job(kafka).run()
    bench.look()
    assert bench.kinds()["ENTRIES DOUBLED"] == 5


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "5.00000001"},
        {"amount": "5.0"},
        {"account_id": "eve"},
        {"counterparty_id": "eve"},
        {"event_time_ms": BEGIN_MS + 1},
        {"kind": "REVERSAL"},
        {"reverses": uuid(9)},
        {"direction": "SENT"},
    ],
)
def test_an_entry_that_says_anything_else_than_its_raw_record_is_told(
    kafka: MemoryKafka, job: Job, audit: Audit, change: dict[str, Any]
) -> None:
    send(kafka, transfer(uuid(1)))
    job.run()
    log, record = next(
        (log, r) for log in kafka.logs[ENTRIES] for r in log if b"RECEIVED" in (r.value or b"")
    )
    body = json.loads(record.value or b"") | change
    log[record.offset] = record._replace(value=json.dumps(body, separators=(",", ":")).encode())
    bench = audit()
    bench.look()
    assert {each.transaction_id for each in findings_of(bench)} == {uuid(1)}
    assert "ENTRIES CHANGED" in bench.kinds()


def test_an_entry_that_says_the_same_in_other_bytes_is_right(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1), sender="💸💸", receiver="größe/日本"))
    job.run()
    for log in kafka.logs[ENTRIES]:
        # As Jackson writes what lies beyond the basic plane.
        log[:] = [
            r._replace(
                value=json.dumps(json.loads(r.value or b""), separators=(", ", ": ")).encode()
            )
            for r in log
        ]
    bench = audit()
    bench.look(2)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == 1
    assert not bench.coverage._matching.awaited


@pytest.mark.parametrize(
    "source",
    [
        {"kafka_partition": 0, "kafka_offset": 10**9},
        {"kafka_partition": 9, "kafka_offset": 0},
        {"kafka_partition": -1, "kafka_offset": 0},
        {"kafka_partition": "0", "kafka_offset": 0},
        {"kafka_partition": True, "kafka_offset": 0},
        {},
    ],
)
def test_an_entry_of_no_raw_record_is_told(
    kafka: MemoryKafka, job: Job, audit: Audit, source: dict[str, Any]
) -> None:
    send(kafka, transfer(uuid(1)))
    job.run()
    stranger = {"account_id": "eve", "transaction_id": uuid(7), "amount": "1", **source}
    write(kafka, stranger, ENTRIES)
    bench = audit()
    bench.look()
    assert [each.transaction_id for each in findings_of(bench)] == [uuid(7)]
    assert findings_of(bench)[0].kind in (Kind.UNKNOWN, Kind.MALFORMED)


@pytest.mark.parametrize(
    "garbage", [b"", None, b"\xff", b"[]", b'{"kafka_partition":0,"kafka_offset":x}']
)
def test_a_record_that_is_no_outcome_is_malformed(
    kafka: MemoryKafka, audit: Audit, garbage: bytes | None
) -> None:
    kafka.append(ENTRIES, 1, BEGIN_MS, garbage)
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES MALFORMED": 1}


def test_an_entry_in_another_partition_or_under_another_key_is_misplaced(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)), transfer(uuid(2), sender="cat", receiver="dog"))
    job.run()
    log = next(log for log in kafka.logs[ENTRIES] if any(r.key == b"bob" for r in log))
    record = log.pop(next(n for n, r in enumerate(log) if r.key == b"bob"))
    log[:] = [r._replace(offset=number) for number, r in enumerate(log)]
    kafka.append(ENTRIES, (record.partition + 1) % 4, BEGIN_MS, record.value, record.key)
    other = next(log for log in kafka.logs[ENTRIES] if any(r.key == b"dog" for r in log))
    other[:] = [r._replace(key=b"god" if r.key == b"dog" else r.key) for r in other]
    bench = audit()
    bench.look()
    assert bench.kinds() == {"ENTRIES MISPLACED": 2}


def test_a_reversal_that_waited_counts_when_its_transfer_comes(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, reversal(uuid(2), uuid(1)))
    job.run()
    bench = audit()
    bench.look(2)
    assert list(bench.coverage.held) == [(0, 0)]
    send(kafka, transfer(uuid(1)), partition=1)
    job.run()
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(2)
    assert (bench.kinds(), bench.coverage.held) == (Counter(), {})
    assert bench.auditor.matched == 2


def test_the_order_in_which_the_topics_are_read_does_not_matter(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    made = with_reversals(events(300, 5), 5)
    fill(kafka, ((value, BEGIN_MS + number) for number, value in enumerate(made)))
    job.run()
    bench = audit()
    records = [r for logs in kafka.logs.values() for log in logs for r in log]
    random.Random(1).shuffle(records)
    for record in records:
        bench.coverage.take(record)
    settled = bench.coverage.close(kafka.ends(RAW), kafka.ends(RAW))
    assert settled.findings == []
    assert sum(each.counted for each in settled.outcomes) == len(job.counted)


def test_partitions_that_are_added_are_covered_from_their_beginning(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, transfer(uuid(1)))
    job.run()
    bench = audit()
    bench.look()
    kafka.logs[RAW].append([])
    send(kafka, transfer(uuid(2)), b"junk", partition=4)
    kafka.job[4] = 2
    bench.reader.add(RAW, kafka.starts(RAW))
    bench.look(2)
    assert bench.kinds() == {"ENTRIES LOST": 2}
    assert {(each.partition, each.offset) for each in findings_of(bench)} == {(4, 0), (4, 1)}
