"""Parts killed while events flow: nothing lost, nothing twice, and no wrong answer meanwhile."""

from __future__ import annotations

import os
import signal

import httpx
import pytest

from tests.integration.flowing import DAY_MS, traffic
from tests.integration.ledger import transfers
from tests.integration.running_stack import PORTS, RunningStack, now_ms, parse_ms, wait_until


@pytest.mark.parametrize(
    "parts",
    [
        ["flink_taskmanager"],
        ["flink"],
        ["pinot_server"],
        ["pinot_broker", "pinot_controller"],
        ["gateway", "progress", "audit"],
        ["kafka"],
        ["zookeeper"],
    ],
    ids="-".join,
)
def test_a_killed_part_comes_back_and_nothing_is_lost_or_doubled(
    stack: RunningStack, parts: list[str]
) -> None:
    with traffic(stack):
        for part in parts:
            restarts = stack.kill(part)
            stack.wait_restarted(part, restarts)


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


def test_the_audit_finds_nothing_wrong_after_whatever_happened(stack: RunningStack) -> None:
    with traffic(stack):
        restarts = stack.kill("flink_taskmanager")
        stack.kill("audit")
        stack.wait_restarted("flink_taskmanager", restarts)
    instant_ms = now_ms()
    document = "{ pipeline { audit { state comparedThrough openMismatches { tier kind } } } }"

    def compared() -> bool:
        through = stack.ask(document)["pipeline"]["audit"]["comparedThrough"]
        return through is not None and parse_ms(through) > instant_ms

    wait_until(compared, 120, "the audit does not get so far")
    audit = stack.ask(document)["pipeline"]["audit"]
    assert (audit["state"], audit["openMismatches"]) == ("CONSISTENT", [])


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
