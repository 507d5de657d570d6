"""The audit and the repair on the real Kafka and Pinot; the job's part is played here, so that it can fail.

Topics and a table of their own keep what is planted away from the other tests. The stack's own audit is
suspended meanwhile: both publish where GraphQL reads.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from pinot_config.apply import apply_tables
from pinot_config.controller import HttpController
from pinot_config.tables import TableFiles, load_tables
from stream_jobs.audit.rows import Transfer
from stream_jobs.kafka_admin import KafkaTopicAdmin
from stream_jobs.kafka_offsets import KafkaOffsets
from stream_jobs.murmur2 import kafka_partition
from stream_jobs.recount import scaled
from stream_jobs.repair_plan import DIRECTIONS, Missing
from stream_jobs.topics import Environment, apply_topics, load_topics
from tests.integration.ledger import transfers
from tests.integration.running_stack import (
    CHECKOUT,
    PORTS,
    RunningStack,
    now_ms,
    to_rfc3339,
    wait_until,
)

METRICS_PORT = 28101
NUMBERS = count()
AUDIT = """
{ pipeline { audit { state consistentThrough checkedIntervals inconsistentIntervals
    openMismatches { start end tier kind count transactionIds } } } }
"""


class PlayedJob:
    """Events and entries under the test's hand, in topics and a table of one test's own."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self.raw, self.entries, self.group = f"{name}-raw", f"{name}-entries", f"{name}-job"
        self.table = f"{name}_entries"
        self._kafka = stack.kafka
        self._producer = Producer({"bootstrap.servers": stack.kafka})
        self._writer = Producer({"bootstrap.servers": stack.kafka, "transactional.id": name})
        self._writer.init_transactions(30)

    def send(self, events: list[Missing]) -> None:
        for each in events:
            body = {
                "from_account_id": each.transfer.from_account_id,
                "to_account_id": each.transfer.to_account_id,
                "transaction_id": each.transaction_id,
                "amount": each.amount,
            }
            self._producer.produce(
                self.raw, json.dumps(body).encode(), timestamp=each.transfer.time_ms
            )
        assert self._producer.flush(30) == 0

    def write(self, events: list[Missing]) -> None:
        self._writer.begin_transaction()
        for each in events:
            for account, value in each.records():
                self._writer.produce(self.entries, value, account, kafka_partition(account, 4))
        self._writer.commit_transaction(30)

    def finish(self) -> None:
        """As a checkpoint does it: everything up to here is done."""
        ends = KafkaOffsets(self._kafka, self.group).ends(self.raw)
        consumer = Consumer({"bootstrap.servers": self._kafka, "group.id": self.group})
        offsets = [TopicPartition(self.raw, partition, end) for partition, end in ends.items()]
        consumer.commit(offsets=offsets, asynchronous=False)
        consumer.close()


def events(seed: int, count: int) -> list[Missing]:
    """Events of the last half minute, with both their entries to be written."""
    now = now_ms()
    made = transfers(
        seed, count, [f"audited-{n}|é'" for n in range(50)], now - 40_000, now - 11_000
    )
    return [
        Missing(
            t.transaction_id,
            Transfer(t.from_account_id, t.to_account_id, scaled(t.amount), t.time_ms),
            t.amount,
            DIRECTIONS,
        )
        for t in made
    ]


def metrics() -> dict[str, float]:
    try:
        text = httpx.get(f"http://127.0.0.1:{METRICS_PORT}/metrics", trust_env=False).text
    except httpx.HTTPError:
        return {}
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def finding(tier: str, kind: str) -> float:
    return metrics().get(f'audit_findings{{tier="{tier}",kind="{kind}"}}', -1)


@pytest.fixture
def job(stack: RunningStack) -> PlayedJob:
    played = PlayedJob(stack, f"played{next(NUMBERS)}")
    known = {topic.name: topic for topic in load_topics(Environment.LOCAL)}
    own = [
        replace(known["transactions"], name=played.raw),
        replace(known["account-entries"], name=played.entries),
    ]
    apply_topics(own, KafkaTopicAdmin(stack.kafka))
    table = load_tables({"ACCOUNT_ENTRIES_TOPIC": played.entries, "KAFKA_SERVERS": stack.kafka})[0]
    files = json.dumps([table.schema, table.table_config])
    files = files.replace('"account_entries"', f'"{played.table}"')
    controller = HttpController(f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}")
    apply_tables([TableFiles(played.table, *json.loads(files))], controller)
    return played


@contextmanager
def audit(stack: RunningStack, job: PlayedJob, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An audit of the played job."""
    arguments = {
        "--kafka": stack.kafka,
        "--controller": f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}",
        "--broker": f"http://127.0.0.1:{PORTS['STACK_PINOT_BROKER_PORT']}",
        "--state": str(file),
        "--metrics-port": str(METRICS_PORT),
        "--group": job.group,
        "--raw-topic": job.raw,
        "--entries-topic": job.entries,
        "--table": job.table,
    }
    words = [word for pair in arguments.items() for word in pair]
    with file.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stream_jobs.audit", *words],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def own_audit_suspended(stack: RunningStack) -> Iterator[None]:
    pid = stack.status()["audit"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)
    wait_until(
        lambda: stack.ask(AUDIT)["pipeline"]["audit"]["state"] == "CONSISTENT",
        60,
        "the stack's own audit does not say CONSISTENT",
    )


def shown(stack: RunningStack) -> dict[str, Any]:
    body: dict[str, Any] = stack.ask(AUDIT)["pipeline"]["audit"]
    return body


def repair(stack: RunningStack, job: PlayedJob, *arguments: str) -> dict[str, Any]:
    bounds = ("--from", to_rfc3339(now_ms() - 3_600_000), "--to", to_rfc3339(now_ms()))
    names = ("--group", job.group, "--raw-topic", job.raw, "--entries-topic", job.entries)
    said = stack.dev("repair", *bounds, *names, "--json", *arguments)
    assert said.returncode == 0, said.stdout + said.stderr
    body: dict[str, Any] = json.loads(said.stdout)
    return body


def test_what_is_lost_is_told_and_repaired_once_and_then_all_is_well(
    stack: RunningStack, job: PlayedJob, tmp_path: Path, own_audit_suspended: None
) -> None:
    sound, lost, half = events(70, 500), events(71, 2), events(72, 1)
    file = tmp_path / "audit.sqlite3"
    with audit(stack, job, file):
        job.send(sound)
        job.write(sound)
        job.finish()
        wait_until(
            lambda: metrics().get("audit_transfers_matched_total") == len(sound),
            60,
            "events and entries do not match",
        )
        wait_until(lambda: shown(stack)["checkedIntervals"] >= 3, 60, "no interval is checked")
        assert shown(stack)["state"] == "CONSISTENT"
        job.send([*lost, *half])
        job.write([replace(half[0], directions=("SENT",))])
        job.finish()
        wait_until(lambda: finding("ENTRIES", "LOST") == 2, 10, "the loss is not told")
        wait_until(lambda: finding("ENTRIES", "LOST_SIDE") == 1, 10, "the lost side is not told")
        wait_until(lambda: shown(stack)["state"] == "INCONSISTENT", 10, "GraphQL does not say it")
        told = {id_ for each in shown(stack)["openMismatches"] for id_ in each["transactionIds"]}
        assert told == {each.transaction_id for each in [*lost, *half]}
    # It died at once, without a chance to write anything.
    with audit(stack, job, file):
        wait_until(lambda: finding("ENTRIES", "LOST") == 2, 30, "the loss is forgotten")
        dry = repair(stack, job)
        assert (dry["events"], dry["entries"], dry["applied"]) == (3, 5, False)
        assert set(dry["transaction_ids"]) == told
        assert repair(stack, job, "--apply")["entries"] == 5
        assert repair(stack, job, "--apply")["entries"] == 0
        wait_until(lambda: metrics().get("audit_consistent") == 1, 30, "it stays inconsistent")
        wait_until(lambda: shown(stack)["state"] == "CONSISTENT", 10, "GraphQL does not say it")
        assert metrics()["audit_transfers_matched_total"] == len(sound) + 3


def test_what_is_planted_among_the_entries_is_told_with_its_id(
    stack: RunningStack, job: PlayedJob, tmp_path: Path, own_audit_suspended: None
) -> None:
    some = events(80, 6)
    doubled, changed, other = (replace(each, directions=("SENT",)) for each in some[:3])
    job.send(some)
    job.write(some)
    job.finish()
    with audit(stack, job, tmp_path / "audit.sqlite3"):
        wait_until(lambda: metrics().get("audit_consistent") == 1, 60, "not consistent at first")
        wait_until(lambda: metrics()["audit_transfers_matched_total"] >= 6, 60, "nothing matches")
        job.write([doubled, replace(changed, amount="0.00000001")])
        strange = "00000000-0000-4000-8000-00000000abcd"
        job.write([replace(other, transaction_id=strange)])
        for kind, one in (
            ("DOUBLED", doubled.transaction_id),
            ("CHANGED", changed.transaction_id),
            ("UNKNOWN", strange),
        ):
            wait_until(lambda: finding("ENTRIES", kind) == 1, 10, f"{kind} is not told")  # noqa: B023
            wait_until(
                lambda: any(
                    m["kind"] == kind and m["transactionIds"] == [one]  # noqa: B023
                    for m in shown(stack)["openMismatches"]
                ),
                10,
                f"GraphQL does not tell {kind}",
            )
        # Pinot has what the entries have: nothing to tell of it.
        assert finding("PINOT", "UNKNOWN") == 0
        assert finding("PINOT", "DOUBLED") == 0
