"""A second pipeline filled from the archive, whose job goes on from the first one's savepoint while events flow.

`./dev test tests/long/test_filled_from_archive.py`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from local_stack.environment import from_environment
from tests.integration.flowing import traffic
from tests.integration.gateway_process import free_port
from tests.integration.running_stack import RunningStack, now_ms, wait_until
from tests.long.test_outage import in_our_hands, job
from tests.long.test_second_pipeline import (
    TWO,
    is_green,
    judge_from,
    second_gateway,
    second_job,
    second_tables,
    watching,
)

# The savepoint knows the heartbeats of the first one.
HEARTBEAT = ("--heartbeat-topic", "pipeline-heartbeat")


def archive(stack: RunningStack, *arguments: str) -> str:
    said = stack.dev("archive", *arguments)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def test_the_job_goes_on_behind_what_was_filled_from_the_archive(
    stack: RunningStack, tmp_path: Path
) -> None:
    settings = from_environment(stack.environment)
    pinot = ("--controller", settings.pinot_controller_url, "--broker", settings.pinot_broker_url)
    where = ("--kafka", stack.kafka, *pinot, *HEARTBEAT)
    flink = ("--flink", settings.flink_url, "--metrics-port", str(free_port()))
    audit = ("--state", str(tmp_path / "audit.sqlite3"), "--metrics-port", str(free_port()))
    with ExitStack() as beside:
        flowing = beside.enter_context(traffic(stack))
        beside.enter_context(second_tables(stack, settings))
        archive(stack, "follow", "--once")
        archive(stack, "fill", *TWO)
        beside.enter_context(in_our_hands(stack))
        first = beside.enter_context(job(stack))
        savepoint = first.stop_with_savepoint()
        assert savepoint is not None
        beside.callback(first.ensure)
        archive(stack, "follow", "--once")
        archive(stack, "fill", *TWO)
        assert archive(stack, "compare", *TWO).endswith("exact\n")
        restored = ("--restore-from", f"file://{savepoint}", *HEARTBEAT)
        beside.enter_context(second_job(stack, settings, tmp_path, *restored))
        beside.enter_context(watching("stream_jobs.progress", *where, *flink))
        beside.enter_context(watching("stream_jobs.audit", *where, *audit))
        second = beside.enter_context(second_gateway(settings))
        for _ in range(2):
            began_ms = now_ms()
            wait_until(lambda: is_green(second.url, began_ms), 150, "it is not green")  # noqa: B023 - done before the next
            judge_from(second.url, flowing)
