"""The table built anew, in more partitions, beside the one that is there, by the commands of docs/operations.md, while events flow.

It takes two minutes: `./dev test tests/long/test_second_pipeline.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
from confluent_kafka.admin import (  # type: ignore[attr-defined] # re-exported
    AdminClient,
    NewPartitions,
)

from local_stack.environment import from_environment
from local_stack.flink_job import job_arguments
from local_stack.flink_parts import flink_environment
from local_stack.settings import StackSettings
from stream_jobs.topics.names import beside
from tests.integration.flowing import DAY_MS, Traffic, traffic
from tests.integration.gateway_process import GatewayProcess, free_port, running
from tests.integration.running_stack import (
    CHECKOUT,
    OperationError,
    RunningStack,
    now_ms,
    parse_ms,
    to_rfc3339,
    wait_until,
)
from tests.long.test_outage import environment

TWO = ("--pipeline", "two")
NAMES = beside("two")
MORE_PARTITIONS = 6
"""Of its entries, where the first pipeline has four."""
STATE = """{ pipeline { asOf entries audit { state comparedThrough openMismatches { kind } } } }"""
TOTALS = """
query Totals($id: ID!, $window: WindowInput!) {
  account(id: $id) { totals(window: $window) { asOf exact transactionCount transactionAmount } }
}
"""


def module(stack: RunningStack, name: str, *arguments: str) -> str:
    """Run one of the commands to its end; returns what it printed."""
    settings = from_environment(stack.environment)
    said = subprocess.run(
        [sys.executable, "-P", "-m", name, *arguments, *TWO],
        env={
            **environment(stack, settings),
            **flink_environment(settings),
            "PYTHONPATH": str(CHECKOUT),
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@contextmanager
def watching(name: str, *arguments: str) -> Iterator[None]:
    """One of the processes that go on, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", name, *arguments, *TWO],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def second_tables(
    stack: RunningStack, settings: StackSettings, partitions: int | None = None
) -> Iterator[None]:
    """Its topics and tables, empty; the entries in so many partitions, or in as many as the first one's."""
    module(stack, "stream_jobs.topics", "--kafka", stack.kafka, "--environment", "local")
    pinot, more = settings.pinot_controller_url, []
    if partitions is not None:
        kafka = AdminClient({"bootstrap.servers": stack.kafka})
        grown = kafka.create_partitions([NewPartitions(NAMES.entries_topic, partitions)])
        grown[NAMES.entries_topic].result(30)
        more = ["--set", f"ACCOUNT_ENTRIES_PARTITIONS={partitions}"]
    module(stack, "pinot_config.apply", "--controller", pinot, "--kafka", stack.kafka, *more)
    try:
        yield
    finally:
        tables = [each for first, each in NAMES.called.items() if "_" in first]
        for table in tables:
            url = f"{pinot}/tables/{table}?type=realtime"
            httpx.delete(url, trust_env=False, timeout=30)
        own = [
            topic for first, topic in NAMES.called.items() if topic != first and "_" not in topic
        ]
        kafka = AdminClient({"bootstrap.servers": stack.kafka})
        for deleted in kafka.delete_topics(own).values():
            deleted.result(30)


@contextmanager
def second_job(
    stack: RunningStack, settings: StackSettings, folder: Path, *more: str
) -> Iterator[str]:
    told = [*job_arguments(settings, 1), "--checkpoints", f"file://{folder}/checkpoints", *more]
    pinot = settings.pinot_controller_url
    job = module(stack, "stream_jobs.job", *told, "--pinot-controller", pinot).split()[-1]
    try:
        yield job
    finally:
        httpx.patch(f"{settings.flink_url}/jobs/{job}", trust_env=False)


def ask(url: str, document: str, **variables: object) -> dict[str, dict[str, object]]:
    body = {"query": document, "variables": variables}
    answer = httpx.post(f"{url}/graphql", json=body, timeout=30, trust_env=False).json()
    if answer.get("errors"):
        raise OperationError(answer["errors"])
    data: dict[str, dict[str, object]] = answer["data"]
    return data


def second_gateway(settings: StackSettings) -> AbstractContextManager[GatewayProcess]:
    """One that asks the second pipeline."""
    return running(
        GATEWAY_STORE="pinot",
        GATEWAY_PINOT_BROKER_URL=settings.pinot_broker_url,
        GATEWAY_PIPELINE="two",
    )


def test_a_second_table_is_built_beside_the_first_and_takes_over_without_a_wrong_answer(
    stack: RunningStack, tmp_path: Path
) -> None:
    settings = from_environment(stack.environment)
    pinot = ("--controller", settings.pinot_controller_url, "--broker", settings.pinot_broker_url)
    where = ("--kafka", stack.kafka, *pinot)
    flink = ("--flink", settings.flink_url, "--metrics-port", str(free_port()))
    audit = ("--state", str(tmp_path / "audit.sqlite3"), "--metrics-port", str(free_port()))
    with ExitStack() as beside_:
        flowing = beside_.enter_context(traffic(stack))
        beside_.enter_context(second_tables(stack, settings, MORE_PARTITIONS))
        beside_.enter_context(second_job(stack, settings, tmp_path))
        beside_.enter_context(watching("stream_jobs.progress", *where, *flink))
        beside_.enter_context(watching("stream_jobs.audit", *where, *audit))
        second = beside_.enter_context(second_gateway(settings))
        began_ms = now_ms()
        wait_until(lambda: is_green(second.url, began_ms), 150, "the second pipeline is not green")
        judge_from(second.url, flowing)
        done_ms = now_ms()
        wait_until(
            lambda: parse_ms(str(ask(second.url, STATE)["pipeline"]["asOf"])) > done_ms,
            60,
            "the second pipeline stands still",
        )
        judge_from(second.url, flowing)


def is_green(url: str, since_ms: int) -> bool:
    """Whether its audit has found nothing, and both have come past an instant."""
    try:
        said = ask(url, STATE)["pipeline"]
    except (OperationError, httpx.HTTPError):
        return False
    judged = said["audit"]
    assert isinstance(judged, dict)
    assert judged["openMismatches"] == []
    reached = judged["comparedThrough"]
    return (
        judged["state"] == "CONSISTENT"
        and reached is not None
        and min(parse_ms(reached), parse_ms(str(said["asOf"]))) > since_ms
    )


def judge_from(url: str, flowing: Traffic) -> None:
    """What the gateway of the second pipeline says is judged as what the first one's says."""
    window = {
        "between": {"start": to_rfc3339(now_ms() - DAY_MS), "end": to_rfc3339(now_ms() + DAY_MS)}
    }
    with flowing.sending:
        totals = ask(url, TOTALS, id=flowing.account, window=window)["account"]["totals"]
        assert isinstance(totals, dict)
        flowing.judge(totals)
    assert totals["exact"] is True
    assert int(totals["transactionCount"]) > 0
