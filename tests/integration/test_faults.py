"""Parts killed while events flow: nothing lost, nothing twice, and no wrong answer meanwhile."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

import httpx
import pytest

from tests.integration.ledger import Transfer, transfers
from tests.integration.running_stack import (
    PORTS,
    OperationError,
    RunningStack,
    now_ms,
    parse_ms,
    to_rfc3339,
    wait_until,
)

DAY_MS = 86_400_000
BATCH = 200
TOTALS = """
query Totals($id: ID!, $window: WindowInput!) {
  account(id: $id) { totals(window: $window) { asOf exact transactionCount transactionAmount } }
}
"""
SERIES = count()


@dataclass
class Traffic:
    """Events sent all the while, with duplicates, and every answer that was given meanwhile.

    `sent` holds for each batch the instant by which it was acknowledged, and the sums up to it.
    """

    stack: RunningStack
    account: str
    sent: list[tuple[int, int, Fraction]] = field(default_factory=list)
    begun: list[tuple[int, int, Fraction]] = field(default_factory=list)
    answers: int = 0
    answered_events: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def produce(self, stop: threading.Event, seed: int) -> None:
        chance = random.Random(seed)
        events, amount = 0, Fraction(0)
        before: list[Transfer] = []
        while not stop.is_set():
            senders = [f"{self.account}-from-{n}" for n in range(30)]
            batch = [
                Transfer(t.transaction_id, t.from_account_id, self.account, t.amount, now_ms())
                for t in transfers(chance.randrange(2**62), BATCH, senders, 0, 1)
            ]
            events += len(batch)
            amount += sum(Fraction(t.amount) for t in batch)
            self.stack.ledger.add(batch)
            self.begun.append((now_ms(), events, amount))
            records = [t.record() for t in batch]
            records += [t.record(shouted=True) for t in chance.sample(before, min(20, len(before)))]
            acknowledged = self.stack.send(records)
            self.sent.append((acknowledged, events, amount))
            before = [*before[-2_000:], *batch]
            stop.wait(0.2)

    def question(self, stop: threading.Event) -> None:
        bounds = {"start": to_rfc3339(now_ms() - DAY_MS), "end": to_rfc3339(now_ms() + DAY_MS)}
        while not stop.is_set():
            try:
                data = self.stack.ask(TOTALS, id=self.account, window={"between": bounds})
            except OperationError as refusal:
                self.refused += 1
                self.wrong += set(refusal.codes) - {"BACKEND_UNAVAILABLE", "DEADLINE_EXCEEDED"}
            except httpx.HTTPError:
                self.refused += 1
            else:
                self.judge(data["account"]["totals"])
            stop.wait(0.1)

    def judge(self, totals: dict[str, str]) -> None:
        """An answer holds at least all that was acknowledged before its asOf, and no more than was sent."""
        self.answers += 1
        as_of = parse_ms(totals["asOf"])
        answered = (int(totals["transactionCount"]), Fraction(totals["transactionAmount"]))
        self.answered_events = answered[0]
        least = max(((n, a) for at, n, a in self.sent if at <= as_of), default=(0, Fraction(0)))
        most = self.begun[-1][1:] if self.begun else (0, Fraction(0))
        if not (least[0] <= answered[0] <= most[0] and least[1] <= answered[1] <= most[1]):
            self.wrong.append(f"{totals} although {least} to {most}")


@contextmanager
def traffic(stack: RunningStack) -> Iterator[Traffic]:
    """Traffic and questions while the block runs; afterwards everything must be exact."""
    number = next(SERIES)
    flowing = Traffic(stack, f"fault-{number}")
    stop = threading.Event()
    threads = [
        threading.Thread(target=flowing.produce, args=(stop, number)),
        threading.Thread(target=flowing.question, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    try:
        # The fault is to hit a pipeline under way: what was sent over several checkpoints is answered.
        wait_until(lambda: flowing.answered_events > 3 * BATCH, 60, "nothing flows")
        yield flowing
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    stack.wait_complete(now_ms(), limit_s=180)
    assert flowing.answers > 0
    assert not flowing.wrong, flowing.wrong[:3]
    stack.assert_exact([flowing.account], (now_ms() - DAY_MS, now_ms() + DAY_MS))
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)


@pytest.mark.parametrize(
    "part",
    [
        "flink_taskmanager",
        "flink",
        "pinot_server",
        "pinot_broker",
        "pinot_controller",
        "gateway",
        "progress",
    ],
)
def test_a_killed_part_comes_back_and_nothing_is_lost_or_doubled(
    stack: RunningStack, part: str
) -> None:
    with traffic(stack):
        restarts = stack.kill(part)
        stack.wait_restarted(part, restarts)


def test_kafka_killed_under_load_loses_nothing(stack: RunningStack) -> None:
    with traffic(stack):
        restarts = stack.kill("kafka")
        stack.wait_restarted("kafka", restarts)


def test_zookeeper_killed_under_load_loses_nothing(stack: RunningStack) -> None:
    with traffic(stack):
        restarts = stack.kill("zookeeper")
        stack.wait_restarted("zookeeper", restarts)


def test_a_frozen_task_manager_does_not_count_twice(stack: RunningStack) -> None:
    with traffic(stack):
        pid = stack.status()["flink_taskmanager"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: stack.job_state() != "RUNNING", 60, "Flink did not give it up")
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: stack.job_state() == "RUNNING", 120, "the job does not run again")


def test_a_restart_goes_on_with_the_same_data(stack: RunningStack) -> None:
    some = transfers(11, 2_000, ["restart-a", "restart-b"], now_ms() - DAY_MS, now_ms())
    stack.ledger.add(some)
    stack.send(t.record() for t in some)
    assert stack.dev("down").returncode == 0
    stack.up()
    stack.wait_complete(stack.send(t.record() for t in some))  # all of them once more
    stack.assert_exact(["restart-a", "restart-b"], (now_ms() - 2 * DAY_MS, now_ms() + DAY_MS))
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)


def test_a_job_that_flink_lost_is_submitted_again_from_its_last_snapshot(
    stack: RunningStack,
) -> None:
    rest = f"http://127.0.0.1:{PORTS['STACK_FLINK_REST_PORT']}"
    with traffic(stack):
        jobs = httpx.get(f"{rest}/jobs/overview", trust_env=False).json()["jobs"]
        running = next(job["jid"] for job in jobs if job["state"] == "RUNNING")
        httpx.patch(f"{rest}/jobs/{running}", trust_env=False)
        wait_until(lambda: stack.job_state() != "RUNNING", 60, "it was not cancelled")
        wait_until(lambda: stack.job_state() == "RUNNING", 120, "the job does not run again")


def test_up_after_everything_was_killed_cleans_up_and_goes_on(stack: RunningStack) -> None:
    some = transfers(12, 2_000, ["crash-a", "crash-b"], now_ms() - DAY_MS, now_ms())
    stack.ledger.add(some)
    stack.send(t.record() for t in some)
    os.kill(stack.status()["supervisor_pid"], signal.SIGKILL)
    said = stack.up()
    assert "ended what an earlier stack left running" in said
    stack.wait_complete(stack.send(t.record() for t in some))
    stack.assert_exact(["crash-a", "crash-b"], (now_ms() - 2 * DAY_MS, now_ms() + DAY_MS))
    assert stack.pipeline()["entries"] == 2 * len(stack.ledger.transfers)
