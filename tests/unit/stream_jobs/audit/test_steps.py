"""What runs beside the audit's reading: it keeps nobody waiting, and does not end unnoticed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stream_jobs.audit.steps import Beside, Steps
from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.faults import KAFKA_FAULTS
from tests.audit_bench import Bench
from tests.audit_job import Job, transfer, uuid
from tests.audit_tiers import BEGIN_MS, RAW, MemoryKafka


def test_a_step_that_waits_beside_keeps_nobody_from_working() -> None:
    began, may_end, stop = threading.Event(), threading.Event(), threading.Event()

    def step() -> None:
        began.set()
        may_end.wait()

    beside = Beside("compare", lambda: 0.0, step, stop)
    beside.start()
    assert began.wait(10)
    beside.refuse_its_end()
    stop.set()
    may_end.set()
    beside._thread.join(10)
    assert not beside._thread.is_alive()


def test_faults_of_the_parts_are_gone_through_and_others_end_the_process() -> None:
    faults = [JsonHttpError("away"), KeyError("a shape"), ZeroDivisionError("a bug of ours")]
    stop = threading.Event()

    def step() -> bool:
        if faults:
            raise faults.pop(0)
        return True

    beside = Beside("compare", lambda: 0.0, step, stop)
    beside.start()
    beside._thread.join(10)
    assert not faults
    with pytest.raises(ZeroDivisionError):
        beside.refuse_its_end()


def test_a_step_is_due_again_when_its_time_has_come_and_at_once_where_more_is_to_do() -> None:
    now_s, more, done = 0.0, True, []

    def step() -> bool:
        done.append(now_s)
        return more

    steps = Steps(lambda: now_s, KAFKA_FAULTS)
    steps.run("follow", 1.0, step)
    assert steps.due_in_s("follow") == 0.0
    more = False
    steps.run("follow", 1.0, step)
    assert steps.due_in_s("follow") == 1.0
    steps.run("follow", 1.0, step)
    now_s = 1.5
    assert steps.due_in_s("follow") == 0.0
    steps.run("follow", 1.0, step)
    assert done == [0.0, 0.0, 1.5]


def test_what_is_no_fault_of_kafka_is_raised_where_it_reads() -> None:
    def step() -> None:
        raise KeyError("a bug of ours")

    with pytest.raises(KeyError):
        Steps(lambda: 0.0, KAFKA_FAULTS).run("follow", 1.0, step)


def test_pinot_is_compared_in_a_thread_of_its_own(
    kafka: MemoryKafka, job: Job, audit: Callable[[], Bench]
) -> None:
    kafka.append(RAW, 0, BEGIN_MS, transfer(uuid(1)))
    job.run()
    bench, stop, compared = audit(), threading.Event(), threading.Event()

    def step() -> bool:
        more = bench.check.step()
        if bench.check.through_ms:
            compared.set()
        return more

    beside = Beside("compare", lambda: 0.0, step, stop)
    beside.start()
    while bench.auditor.read(0):
        pass
    bench.auditor.look()
    assert compared.wait(10)
    stop.set()
    beside._thread.join(10)
    beside.refuse_its_end()
    assert not bench.check.waiting
