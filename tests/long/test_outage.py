"""The job away for longer than Kafka keeps its transactions, and with fewer side by side while one was open."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_stack import part, processes, snapshots, versions
from local_stack.environment import from_environment
from local_stack.flink_job import PARALLELISM, FlinkJob, job_arguments
from local_stack.flink_parts import flink_environment
from local_stack.java import require_java_home
from local_stack.job_submission import local_job
from local_stack.settings import StackSettings
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES
from tests.integration.flowing import DAY_MS, traffic
from tests.integration.ledger import transfers
from tests.integration.running_stack import CHECKOUT, RunningStack, now_ms, wait_until
from tests.producer_epochs import NEAR_THE_END, bring_near_the_end, epoch_of

AWAY_S = 25 * 86_400


def environment(stack: RunningStack, settings: StackSettings) -> dict[str, str]:
    added = {
        "JAVA_HOME": str(require_java_home(os.environ)),
        processes.MARKER: str(settings.run_file),
    }
    return part.child_environment(stack.environment, added)


@contextmanager
def job(stack: RunningStack, *, after_outage: bool = False) -> Iterator[FlinkJob]:
    settings = from_environment(stack.environment)
    told = environment(stack, settings)
    python = Path(sys.executable)
    made = local_job(settings, python, told, lambda: False, after_outage=after_outage)
    with made.rest:
        yield made


@contextmanager
def in_our_hands(stack: RunningStack) -> Iterator[None]:
    """Nobody else starts or stops the job while the block runs."""
    folder = from_environment(stack.environment).data / "flink"
    deadline = time.monotonic() + 60
    while True:
        with versions.changing(folder) as allowed:
            if allowed:
                yield
                return
        assert time.monotonic() < deadline, "somebody else holds the job"
        time.sleep(0.2)


def submitted_by_hand(stack: RunningStack, snapshot: Path) -> subprocess.CompletedProcess[str]:
    """As an operator would submit it where there is no `./dev`."""
    settings = from_environment(stack.environment)
    command = [sys.executable, "-P", "-m", "stream_jobs.job", *job_arguments(settings, 2)]
    told = environment(stack, settings)
    return subprocess.run(
        [*command, "--restore-from", f"file://{snapshot}"],
        env={**told, **flink_environment(settings), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_away_for_too_long_it_is_refused_and_goes_on_by_the_command_that_is_named(
    stack: RunningStack,
) -> None:
    some = transfers(31, 1_000, ["away-a", "away-b"], now_ms() - DAY_MS, now_ms())
    stack.ledger.add(some)
    stack.wait_complete(stack.send(t.record() for t in some))
    with in_our_hands(stack), job(stack) as running:
        savepoint = running.stop_with_savepoint()
        assert savepoint is not None
        long_ago = time.time() - AWAY_S
        os.utime(savepoint / "_metadata", (long_ago, long_ago))
        refused = submitted_by_hand(stack, savepoint)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        for said in (
            "transactional.id.expiration.ms",
            "Kafka has given up transactions of",
            "--after-outage",
            "repair --apply",
        ):
            assert said in refused.stderr
        with job(stack, after_outage=True) as resumed:
            assert resumed.ensure() == f"resumed from {savepoint.name}"
        assert (savepoint / "_metadata.whole").is_file()
    stack.wait_complete(stack.send(t.record() for t in some))  # all of them once more
    stack.assert_exact(["away-a", "away-b"], (now_ms() - 2 * DAY_MS, now_ms() + DAY_MS))
    repair = stack.dev("repair")
    assert "0 outcomes of 0 raw records are missing" in repair.stdout, repair.stdout + repair.stderr


def test_producers_whose_epochs_end_go_on_with_others_and_nothing_is_lost(
    stack: RunningStack,
) -> None:
    # Two epochs a transaction: without a stop they come to their end every few hours.
    ids = [f"{NAMES.job}-entries-{task}-0" for task in range(2)]
    with in_our_hands(stack), job(stack) as running:
        assert running.stop_with_savepoint() is not None
        bring_near_the_end(stack.kafka, ids)
        running.ensure()
    with traffic(stack):
        wait_until(
            lambda: all(epoch_of(stack.kafka, each) < NEAR_THE_END for each in ids),
            60,
            "the producers do not come past the end",
        )


def test_fewer_side_by_side_after_a_kill_leave_no_transaction_open(stack: RunningStack) -> None:
    kafka = KafkaOffsets(stack.kafka, NAMES.group)

    def undecided() -> int:
        ends = [(kafka.ends(topic), kafka.stable_ends(topic)) for topic in NAMES.outcomes]
        return sum(end - stable[p] for ends_, stable in ends for p, end in ends_.items())

    with traffic(stack), in_our_hands(stack), job(stack) as running:
        active = running.active()
        assert active is not None
        wait_until(lambda: undecided() > 0, 30, "no transaction is open")
        restarts = stack.kill("flink_taskmanager")
        assert undecided() > 0
        running.cancel(active)
        newest = snapshots.newest(running.folder)
        assert newest is not None
        assert "chk-" in newest.name
        stack.wait_restarted("flink_taskmanager", restarts)
        running.wait_running(running.start_from(newest, 1))
        # What both tasks of before had open must be decided now, not in two weeks.
        lowest = {topic: kafka.ends(topic) for topic in NAMES.outcomes}

        def decided() -> bool:
            stable = {topic: kafka.stable_ends(topic) for topic in NAMES.outcomes}
            return all(stable[t][p] >= end for t, ends in lowest.items() for p, end in ends.items())

        wait_until(decided, 30, "a transaction of before stays open")
    with in_our_hands(stack), job(stack) as running:
        savepoint = running.stop_with_savepoint()
        assert savepoint is not None
        running.wait_running(running.start_from(savepoint, PARALLELISM))
