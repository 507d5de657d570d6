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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from pinot_config.apply import apply_tables
from pinot_config.controller import HttpController
from pinot_config.tables import TableFiles, load_tables
from stream_jobs.events.entries import RECEIVED, SENT, entry_values
from stream_jobs.events.rules import TransactionEvent
from stream_jobs.topics.admin import KafkaTopicAdmin
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES, beside
from stream_jobs.topics.topic import Environment, apply_topics, load_topics
from tests.integration.ledger import transfers
from tests.integration.running_stack import CHECKOUT, PORTS, RunningStack, now_ms, wait_until

METRICS_PORT = 28101
NUMBERS = count()
AUDIT = """
{ pipeline { audit { state consistentThrough checkedIntervals inconsistentIntervals
    openMismatches { start end tier kind count transactionIds } } } }
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as it stands in the raw topic."""

    event: TransactionEvent
    partition: int
    offset: int

    @property
    def entries(self) -> dict[str, tuple[str, bytes]]:
        """Account and value of both its entries."""
        received, sent = entry_values(self.event, self.partition, self.offset)
        return {
            RECEIVED: (self.event.to_account_id, received),
            SENT: (self.event.from_account_id, sent),
        }


class PlayedJob:
    """Events and entries under the test's hand, in topics and a table of one test's own."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self.names = replace(beside(name), transactions_topic=f"transactions-{name}")
        self._kafka = stack.kafka
        self._producer = Producer({"bootstrap.servers": stack.kafka})
        self._writer = Producer({"bootstrap.servers": stack.kafka, "transactional.id": name})
        self._writer.init_transactions(30)

    def send(self, events: list[TransactionEvent]) -> list[Sent]:
        sent: list[Sent] = []
        for event in events:
            body = {
                "from_account_id": event.from_account_id,
                "to_account_id": event.to_account_id,
                "transaction_id": event.transaction_id,
                "amount": event.amount,
            }

            def stands(
                error: object,
                message: Message,
                event: TransactionEvent = event,
            ) -> None:
                partition, offset = message.partition(), message.offset()
                assert error is None
                assert partition is not None
                assert offset is not None
                sent.append(Sent(event, partition, offset))

            value = json.dumps(body).encode()
            topic = self.names.transactions_topic
            self._producer.produce(topic, value, timestamp=event.event_time_ms, on_delivery=stands)
        assert self._producer.flush(30) == 0
        return sent

    def write(self, entries: Iterable[tuple[str, bytes]]) -> None:
        self._writer.begin_transaction()
        for account, value in entries:
            home = kafka_partition(account, 4)
            self._writer.produce(self.names.entries_topic, value, account.encode(), home)
        self._writer.commit_transaction(30)

    def finish(self) -> None:
        """As a checkpoint does it: everything up to here is done."""
        topic = self.names.transactions_topic
        ends = KafkaOffsets(self._kafka, self.names.group).ends(topic)
        consumer = Consumer({"bootstrap.servers": self._kafka, "group.id": self.names.group})
        offsets = [TopicPartition(topic, partition, end) for partition, end in ends.items()]
        consumer.commit(offsets=offsets, asynchronous=False)
        consumer.close()


def events(seed: int, count: int) -> list[TransactionEvent]:
    """Events of the last half minute."""
    now = now_ms()
    made = transfers(
        seed, count, [f"audited-{n}|é'" for n in range(50)], now - 40_000, now - 11_000
    )
    return [
        TransactionEvent(t.transaction_id, t.from_account_id, t.to_account_id, t.amount, t.time_ms)
        for t in made
    ]


def both(sent: Iterable[Sent]) -> list[tuple[str, bytes]]:
    return [entry for each in sent for entry in each.entries.values()]


def metrics() -> dict[str, float]:
    try:
        text = httpx.get(f"http://127.0.0.1:{METRICS_PORT}/metrics", trust_env=False).text
    except httpx.HTTPError:
        return {}
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def finding(tier: str, kind: str) -> float:
    return metrics().get(f'audit_findings{{kind="{kind}",tier="{tier}"}}', -1)


@pytest.fixture
def job(stack: RunningStack) -> PlayedJob:
    played = PlayedJob(stack, f"played{next(NUMBERS)}")
    names = played.names
    known = {topic.name: topic for topic in load_topics(Environment.LOCAL)}
    own = [
        replace(known[NAMES.transactions_topic], name=names.transactions_topic),
        *(replace(known[a], name=b) for a, b in zip(NAMES.outcomes, names.outcomes, strict=True)),
    ]
    apply_topics(own, KafkaTopicAdmin(stack.kafka))
    values = {"ACCOUNT_ENTRIES_TOPIC": names.entries_topic, "KAFKA_SERVERS": stack.kafka}
    table = load_tables(values)[0]
    files = json.dumps([table.schema, table.table_config])
    files = files.replace('"account_entries"', f'"{names.entries_table}"')
    controller = HttpController(f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}")
    apply_tables([TableFiles(names.entries_table, *json.loads(files))], controller)
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
        # What it says is read where the stack's own audit publishes.
        "--audit-topic": NAMES.audit_topic,
    }
    words = [*(word for pair in arguments.items() for word in pair), *named(job)]
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
    # Other tests may have left it much to compare.
    wait_until(lambda: shown(stack)["state"] == "CONSISTENT", 240, "the stack's audit is behind")
    pid = stack.status()["audit"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)
    wait_until(
        lambda: shown(stack)["state"] == "CONSISTENT",
        60,
        "the stack's own audit does not say CONSISTENT",
    )


def named(job: PlayedJob) -> list[str]:
    suffix = job.names.job.rpartition("-")[2]
    return ["--pipeline", suffix, "--transactions-topic", job.names.transactions_topic]


def shown(stack: RunningStack) -> dict[str, Any]:
    body: dict[str, Any] = stack.ask(AUDIT)["pipeline"]["audit"]
    return body


def repair(stack: RunningStack, job: PlayedJob, *arguments: str) -> dict[str, Any]:
    said = stack.dev("repair", *named(job), "--json", *arguments)
    assert said.returncode == 0, said.stdout + said.stderr
    body: dict[str, Any] = json.loads(said.stdout)
    return body


def test_what_is_lost_is_told_and_repaired_once_and_then_all_is_well(
    stack: RunningStack, job: PlayedJob, tmp_path: Path, own_audit_suspended: None
) -> None:
    file = tmp_path / "audit.sqlite3"
    with audit(stack, job, file):
        sound = job.send(events(70, 500))
        job.write(both(sound))
        job.finish()
        wait_until(
            lambda: metrics().get("audit_transactions_matched_total") == len(sound),
            60,
            "events and entries do not match",
        )
        wait_until(lambda: shown(stack)["state"] == "CONSISTENT", 60, "Pinot is not compared")
        assert shown(stack)["checkedIntervals"] >= 1
        lost, half = job.send(events(71, 2)), job.send(events(72, 1))
        job.write([half[0].entries[SENT]])
        job.finish()
        wait_until(lambda: finding("ENTRIES", "LOST") == 2, 10, "the loss is not told")
        wait_until(lambda: finding("ENTRIES", "LOST_SIDE") == 1, 10, "the lost side is not told")
        wait_until(lambda: shown(stack)["state"] == "INCONSISTENT", 10, "GraphQL does not say it")
        told = {id_ for each in shown(stack)["openMismatches"] for id_ in each["transactionIds"]}
        assert told == {each.event.transaction_id for each in [*lost, *half]}
    # It died at once, without a chance to write anything.
    with audit(stack, job, file):
        wait_until(lambda: finding("ENTRIES", "LOST") == 2, 30, "the loss is forgotten")
        dry = repair(stack, job)
        assert (dry["events"], dry["records"], dry["applied"]) == (3, 5, False)
        assert {each["transaction_id"] for each in dry["missing"]} == told
        assert repair(stack, job, "--apply")["records"] == 5
        assert repair(stack, job, "--apply")["records"] == 0
        wait_until(lambda: metrics().get("audit_consistent") == 1, 30, "it stays inconsistent")
        wait_until(lambda: shown(stack)["state"] == "CONSISTENT", 10, "GraphQL does not say it")
        assert metrics()["audit_transactions_matched_total"] == len(sound) + 3


def test_what_is_planted_among_the_outcomes_is_told_with_its_id(
    stack: RunningStack, job: PlayedJob, tmp_path: Path, own_audit_suspended: None
) -> None:
    sent = job.send(events(80, 6))
    job.write(both(sent))
    job.finish()
    with audit(stack, job, tmp_path / "audit.sqlite3"):
        wait_until(lambda: metrics().get("audit_consistent") == 1, 60, "not consistent at first")
        wait_until(
            lambda: metrics().get("audit_transactions_matched_total", 0) >= 6, 60, "nothing matches"
        )
        doubled, stranger = sent[0], sent[1]
        strange = "00000000-0000-4000-8000-00000000abcd"
        account, value = stranger.entries[SENT]
        body = json.loads(value) | {"transaction_id": strange, "kafka_offset": 10**9}
        job.write([doubled.entries[SENT], (account, json.dumps(body).encode())])
        for kind, one in (("DOUBLED", doubled.event.transaction_id), ("UNKNOWN", strange)):
            wait_until(lambda: finding("ENTRIES", kind) == 1, 10, f"{kind} is not told")  # noqa: B023
            wait_until(
                lambda: any(
                    m["kind"] == kind and one in m["transactionIds"]  # noqa: B023
                    for m in shown(stack)["openMismatches"]
                ),
                10,
                f"GraphQL does not tell {kind}",
            )
        # A row too many is in Pinot as well, whoever wrote it.
        wait_until(lambda: finding("PINOT", "DOUBLED") == 1, 30, "Pinot's row is not told")


def test_an_audit_that_has_lost_all_it_kept_begins_anew_and_says_the_same(
    stack: RunningStack, job: PlayedJob, tmp_path: Path, own_audit_suspended: None
) -> None:
    sent = job.send(events(90, 50))
    job.write(both(sent[1:]))
    job.finish()
    for name in ("first", "second"):
        with audit(stack, job, tmp_path / f"{name}.sqlite3"):
            wait_until(lambda: finding("ENTRIES", "LOST") == 1, 60, "the loss is not told")
            wait_until(
                lambda: metrics().get("audit_transactions_matched_total") == 49, 60, "not matched"
            )
            assert finding("ENTRIES", "DOUBLED") == 0
