"""What differs in an hour is named alone, however many duplicates the hour has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from stream_jobs.audit.differences import MAX_NAMED
from tests.audit_bench import Bench
from tests.audit_job import Job, fill, transfer
from tests.audit_tiers import BEGIN_MS, MemoryKafka


def test_many_duplicates_are_not_lost_beside_a_row_that_was_changed(
    kafka: MemoryKafka, job: Job, audit: Callable[[], Bench]
) -> None:
    events = [transfer(str(UUID(int=n))) for n in range(MAX_NAMED + 10)]
    last = [transfer(str(UUID(int=2**64 + n))) for n in range(4)]  # one of each partition
    fill(kafka, [(each, BEGIN_MS + n) for n, each in enumerate([*events, *events, *last])])
    job.run()
    bench = audit()
    bench.look(3)
    row = min(bench.pinot.rows_)
    bench.pinot.rows_[row._replace(kind="REVERSAL")] = bench.pinot.rows_.pop(row)
    bench.look(4)
    assert bench.kinds() == Counter({"PINOT CHANGED": 1})
    assert bench.told() == {row.transaction_id}
