"""An audit that has much to catch up with: bounded memory, the same findings, whatever the order and whenever it is killed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable

import pytest

from stream_jobs.audit import flow
from stream_jobs.topics.murmur2 import kafka_partition
from tests.audit_bench import Bench
from tests.audit_job import Job, transfer, uuid
from tests.audit_tiers import BEGIN_MS, ENTRIES, RAW, REJECTED, UNCOUNTED, MemoryKafka, serve
from tests.load.events import events, with_reversals

Audit = Callable[[], Bench]
UNDER_WAY, A_READ = 60, 160


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MAX_UNDER_WAY", UNDER_WAY)
    monkeypatch.setattr(flow, "MAX_SET_ASIDE", 5)
    monkeypatch.setattr(flow, "RECORDS_A_READ", A_READ)


def send(kafka: MemoryKafka, job: Job, count: int, seed: int, *, by_partition: bool) -> None:
    """Transfers with reversals, duplicates and garbage, which the job finished in one order or another."""
    made = with_reversals(events(count, seed), seed)
    rng = random.Random(seed)
    made += rng.sample(made, 20) + [b"junk"] * 10
    homes = [rng.randrange(kafka.partitions) for _ in made]
    order = sorted(range(len(made)), key=lambda n: homes[n]) if by_partition else range(len(made))
    for done, number in enumerate(order):
        kafka.append(RAW, homes[number], BEGIN_MS + number * 1_000, made[number])
        if done % 7 == 0:
            job.run()
    job.run()


def lose_entry(kafka: MemoryKafka) -> None:
    """An early entry of a transfer that has neither duplicates nor reversals: of those more would be told."""
    raw = b"".join(record.value or b"" for log in kafka.logs[RAW] for record in log)
    for record in kafka.logs[ENTRIES][1][20:]:
        body = json.loads(record.value or b"")
        if not body["reverses"] and raw.count(body["transaction_id"].encode()) == 1:
            lose(kafka, ENTRIES, 1, record.offset)
            return


def lose(kafka: MemoryKafka, topic: str, partition: int, offset: int) -> None:
    log = kafka.logs[topic][partition]
    del log[offset]
    log[:] = [record._replace(offset=number) for number, record in enumerate(log)]


def catch_up(bench: Bench) -> tuple[int, int]:
    """Until nothing is left; the most raw records and outcomes that were under way meanwhile."""
    most_raw = most_early = quiet = 0
    while quiet < 3:
        quiet = 0 if bench.auditor.read(0) else quiet + 1
        most_raw = max(most_raw, bench.coverage.pending_count + len(bench.coverage.set_aside))
        most_early = max(most_early, bench.coverage.early_count)
        bench.auditor.look()
        bench.check.step()
        bench.clock_ms += 1_000
    bench.look(2)
    return most_raw, most_early


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("by_partition", [False, True])
def test_memory_stays_bounded_and_nothing_is_told_that_is_not_wrong(
    kafka: MemoryKafka, job: Job, audit: Audit, seed: int, by_partition: bool
) -> None:
    send(kafka, job, 700, seed, by_partition=by_partition)
    bench = audit()
    most_raw, most_early = catch_up(bench)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == len(job.counted)
    # One read of each partition more than where it is stopped.
    assert most_raw <= 2 * UNDER_WAY + A_READ
    assert most_early <= UNDER_WAY + A_READ


def some_reads(bench: Bench) -> None:
    for _ in range(40):
        bench.auditor.read(0)
        bench.auditor.look()
        bench.check.step()
        bench.clock_ms += 1_000


def test_a_duplicate_whose_first_record_is_decided_later_is_no_finding(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    first = transfer(uuid(1), sender=account_in(2), receiver=account_in(2))
    sides = {"sender": account_in(0), "receiver": account_in(1)}
    others = [transfer(uuid(n), **sides) for n in range(2, 600)]
    for number, value in enumerate([first, first, *others]):
        kafka.append(RAW, number % 4 if number > 1 else 0, BEGIN_MS + number, value)
    job.run()
    kafka.job = dict.fromkeys(range(4), 2)  # what it has done is there before it says so
    bench = audit()
    bench.pinot.follow(kafka)
    bench.reader.stuck = {(ENTRIES, 2)}
    some_reads(bench)
    assert bench.coverage.set_aside
    assert bench.state.count_suspects()
    kafka.job, bench.reader.stuck = {}, set()
    catch_up(bench)
    assert (bench.kinds(), bench.auditor.matched) == (Counter(), len(job.counted))
    assert bench.state.count_suspects() == 0


@pytest.mark.parametrize("killed", [False, True])
def test_that_a_reversal_was_held_may_be_read_after_it_has_counted(
    kafka: MemoryKafka, job: Job, audit: Audit, killed: bool
) -> None:
    reversal = transfer(uuid(2), type="reversal", reverses=uuid(1))
    others = [transfer(uuid(n)) for n in range(3, 600)]
    for number, value in enumerate([reversal, transfer(uuid(1)), *others]):
        kafka.append(RAW, number % 4, BEGIN_MS + number, value)
        job.run()
    assert sum(len(log) for log in kafka.logs[UNCOUNTED]) == 1
    bench = audit()
    notes = {(UNCOUNTED, partition) for partition in range(4)}
    bench.reader.stuck = notes
    some_reads(bench)
    assert bench.coverage.frontier[0] > 0
    if killed:
        bench = audit()
        bench.reader.stuck = notes
        some_reads(bench)
    bench.reader.stuck = set()
    catch_up(bench)
    assert (bench.kinds(), bench.auditor.matched) == (Counter(), len(job.counted))


def test_a_note_that_a_transfer_is_held_is_one_outcome_too_many_whenever_it_comes(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    for number in range(600):
        kafka.append(RAW, number % 4, BEGIN_MS + number, transfer(uuid(number)))
    job.run()
    job.uncounted("HELD", uuid(0), kafka.logs[RAW][0][0])
    bench = audit()
    bench.reader.stuck = {(UNCOUNTED, partition) for partition in range(4)}
    some_reads(bench)
    bench.reader.stuck = set()
    catch_up(bench)
    assert bench.kinds() == {"ENTRIES DOUBLED": 1}


def account_in(partition: int) -> str:
    return next(name for n in range(100) if kafka_partition(name := f"acct-{n}", 4) == partition)


def test_large_records_are_kept_in_memory_by_their_size(
    kafka: MemoryKafka, job: Job, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "RECORDS_A_READ", 16)  # one of each partition
    large = b" " * 512 * 20
    for number in range(400):
        value = transfer(uuid(number)) if number % 4 else large
        kafka.append(RAW, number % 3, BEGIN_MS + number, value)
    job.run()
    bench = audit()
    most, quiet = 0, 0
    while quiet < 3:
        quiet = 0 if bench.auditor.read(0) else quiet + 1
        most = max(most, len([size for size in sizes(bench) if size >= len(large)]))
        bench.auditor.look()
        bench.check.step()
        bench.clock_ms += 1_000
    bench.look(2)
    # By their number all hundred would be; one read more than where it is stopped.
    assert 0 < most <= (2 * UNDER_WAY + UNDER_WAY) // 20 + 8
    assert (bench.kinds(), bench.auditor.matched) == (Counter(), len(job.counted))
    assert (bench.coverage.pending_weight, bench.coverage.early_weight) == (0, 0)


def sizes(bench: Bench) -> list[int]:
    """Of the values that are kept in memory."""
    raw = (each.value for of in bench.coverage.pending.values() for each in of.values())
    told = (r.value for of in bench.coverage.early.values() for rs in of.values() for r in rs)
    return [len(value or b"") for value in (*raw, *told)]


def test_what_is_lost_early_on_is_found_and_keeps_nobody_from_catching_up(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    send(kafka, job, 700, 9, by_partition=False)
    lose_entry(kafka)
    lose(kafka, REJECTED, next(p for p, log in enumerate(kafka.logs[REJECTED]) if log), 0)
    bench = audit()
    most_raw, _ = catch_up(bench)
    assert most_raw <= 2 * UNDER_WAY + A_READ
    assert bench.kinds() == {"ENTRIES LOST_SIDE": 1, "ENTRIES LOST": 1, "PINOT LOST": 1}
    assert not bench.coverage.set_aside


def test_without_a_job_raw_records_are_not_read_for_ever(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    for number in range(1_000):
        kafka.append(RAW, number % 4, BEGIN_MS + number, transfer(uuid(number)))
    kafka.job = dict.fromkeys(range(4), 0)
    bench = audit()
    most_raw, _ = catch_up(bench)
    assert most_raw <= 2 * UNDER_WAY + A_READ
    assert bench.kinds() == Counter()
    job.run()
    kafka.job = {}
    bench.pinot.rows_ = serve(kafka).rows_
    catch_up(bench)
    assert (bench.kinds(), bench.auditor.matched) == (Counter(), 1_000)


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_it_goes_on_without_a_false_alarm(
    kafka: MemoryKafka, job: Job, audit: Audit, seed: int
) -> None:
    send(kafka, job, 600, seed, by_partition=bool(seed % 2))
    lose_entry(kafka)
    rng = random.Random(seed)
    bench = audit()
    for _ in range(12):
        for _ in range(rng.randrange(1, 6)):
            bench.auditor.read(0)
            if rng.random() < 0.7:
                bench.auditor.look()
            if rng.random() < 0.5:
                bench.check.step()
        bench = audit()
    catch_up(bench)
    assert bench.kinds() == {"ENTRIES LOST_SIDE": 1, "PINOT LOST": 1}
    assert bench.auditor.matched == len(job.counted) - 1
