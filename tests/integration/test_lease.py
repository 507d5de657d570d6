"""Two trackers and two audits of one pipeline: one of each publishes, and the other goes on within seconds.

The stack's own, which are alone and have no lease, are suspended meanwhile.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count, groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_jobs.topics.admin import KafkaTopicAdmin
from stream_jobs.topics.fenced import BY, FencedError, FencedPublisher, fenced_producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.lease import SESSION_S, SILENT_S
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.reader import last_record
from stream_jobs.topics.topic import Environment, apply_topics, load_topics
from tests.integration.ledger import Transfer
from tests.integration.running_stack import CHECKOUT, PORTS, RunningStack, now_ms, wait_until

METRICS_PORTS = count(28110)
# The session, a look of the coordinator at it, and what the new one does before its first record; others use the cores, too.
TAKEN_OVER_S = SESSION_S + 20


@dataclass(frozen=True, slots=True)
class Published:
    """A committed record, who wrote it, and when Kafka appended it."""

    by: str
    at_ms: int
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What runs twice."""

    module: str
    part: str
    gauge: str
    topic: str


class One:
    """One process of several."""

    def __init__(
        self,
        kind: Kind,
        stack: RunningStack,
        folder: Path,
        broker_port: int = PORTS["STACK_PINOT_BROKER_PORT"],
    ) -> None:
        self._port = next(METRICS_PORTS)
        self._gauge = kind.gauge
        own = (
            ("--state", str(folder / f"{self._port}.sqlite3"))
            if kind.part == "audit"
            else ("--flink", f"http://127.0.0.1:{PORTS['STACK_FLINK_REST_PORT']}")
        )
        addresses = (
            *("--kafka", stack.kafka),
            *("--controller", f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}"),
            *("--broker", f"http://127.0.0.1:{broker_port}"),
            *("--metrics-port", str(self._port)),
        )
        self.log = folder / f"{self._port}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", kind.module, *addresses, *own, "--lease"],
                cwd=CHECKOUT,
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
                stderr=log,
            )

    @property
    def pid(self) -> str:
        return str(self.process.pid)

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self._port}/metrics"
        try:
            return httpx.get(url, timeout=2, trust_env=False).text
        except httpx.HTTPError:
            return ""

    def is_active(self) -> bool | None:
        """Whether it says that it works; None: it says nothing."""
        found = re.search(rf"^{self._gauge} (\d)", self.metrics(), flags=re.MULTILINE)
        return None if found is None else found[1] == "1"

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


TRACKER = Kind("stream_jobs.progress", "progress", "pipeline_tracker_active", NAMES.progress_topic)
AUDIT = Kind("stream_jobs.audit", "audit", "audit_active", NAMES.audit_topic)


@contextmanager
def suspended(stack: RunningStack, part: str) -> Iterator[None]:
    pid = stack.status()[part]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def published(kafka: str, topic: str, start: int) -> list[Published]:
    """All that has been committed from an offset on."""
    end = KafkaOffsets(kafka, "nobody").stable_ends(topic)[0]
    reading = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "nobody",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    reading.assign([TopicPartition(topic, 0, start)])
    found: list[Published] = []
    while True:
        message = reading.poll(10)
        assert message is not None, f"{topic} cannot be read"
        error, offset = message.error(), message.offset()
        if (error and error.code() == KafkaError._PARTITION_EOF) or (offset or 0) >= end:
            break
        assert error is None
        by = bytes(dict(message.headers() or []).get(BY) or b"").decode().rpartition(":")[2]  # type: ignore[arg-type]
        found.append(Published(by, message.timestamp()[1], json.loads(message.value() or b"{}")))
    reading.close()
    return found


@pytest.mark.parametrize("kind", [TRACKER, AUDIT], ids=lambda kind: kind.part)
def test_one_of_two_publishes_and_the_other_goes_on_within_seconds(
    stack: RunningStack, kind: Kind, tmp_path: Path
) -> None:
    with ExitStack() as open_until_the_end:
        open_until_the_end.enter_context(suspended(stack, kind.part))
        start = KafkaOffsets(stack.kafka, "nobody").ends(kind.topic)[0]

        def begun() -> One:
            one = One(kind, stack, tmp_path)
            open_until_the_end.callback(one.end)
            return one

        def since_start() -> list[Published]:
            return published(stack.kafka, kind.topic, start)

        def first_after(one: One, instant_ms: int) -> float:
            """How many seconds after an instant it published first."""
            mine: list[Published] = []

            def has_published() -> bool:
                mine[:] = [
                    each for each in since_start() if each.by == one.pid and each.at_ms > instant_ms
                ]
                return bool(mine)

            wait_until(has_published, TAKEN_OVER_S, f"nobody took over; {one.log.read_text()}")
            return (mine[0].at_ms - instant_ms) / 1000

        first = begun()
        wait_until(first.is_active, 60, "the first one does not work")
        second = begun()
        wait_until(lambda: second.is_active() is False, 60, "the second one does not stand by")
        first_after(first, now_ms())

        killed_ms = now_ms()
        first.process.send_signal(signal.SIGKILL)
        print(f"{kind.part}: killed, {first_after(second, killed_ms):.1f} s to the next record")

        third = begun()
        wait_until(lambda: third.is_active() is False, 60, "the third one does not stand by")
        assert second.is_active(), "who joins takes nothing away"
        paused_ms = now_ms()
        second.process.send_signal(signal.SIGSTOP)
        print(f"{kind.part}: paused, {first_after(third, paused_ms):.1f} s to the next record")
        second.process.send_signal(signal.SIGCONT)
        wait_until(lambda: second.is_active() is False, 30, "who was paused does not stand by")
        first_after(third, now_ms())

        stopped_ms = now_ms()
        third.process.send_signal(signal.SIGTERM)
        took_s = first_after(second, stopped_ms)
        print(f"{kind.part}: stopped, {took_s:.1f} s to the next record")
        assert third.process.wait(30) == 0
        assert took_s < SESSION_S, "who leaves is not waited for"

        found = since_start()
        writers = [by for by, _ in groupby(each.by for each in found)]
        assert writers == [first.pid, second.pid, third.pid, second.pid]
        recorded = [each.value["recorded_at_ms"] for each in found]
        assert recorded == sorted(set(recorded))
        if kind is TRACKER:
            instants = [each.value["as_of_ms"] for each in found]
            assert instants == sorted(instants)


@pytest.mark.parametrize("kind", [TRACKER, AUDIT], ids=lambda kind: kind.part)
def test_who_reaches_kafka_and_not_pinot_leaves_it_to_another(
    stack: RunningStack, kind: Kind, tmp_path: Path
) -> None:
    # An audit that has nothing to compare asks Pinot nothing.
    counted = Transfer(str(uuid4()), "lease-a", "lease-b", "1", now_ms())
    stack.ledger.add([counted])
    stack.wait_complete(stack.send([counted.record()]))
    with suspended(stack, kind.part), ExitStack() as open_until_the_end:
        start = KafkaOffsets(stack.kafka, "nobody").ends(kind.topic)[0]
        cut_off = One(kind, stack, tmp_path, broker_port=1)
        open_until_the_end.callback(cut_off.end)
        wait_until(cut_off.is_active, 60, "the first one does not work")
        other = One(kind, stack, tmp_path)
        open_until_the_end.callback(other.end)
        wait_until(other.is_active, SILENT_S + TAKEN_OVER_S, "nobody took over")
        assert not cut_off.is_active()

        def has_published() -> bool:
            return any(each.by == other.pid for each in published(stack.kafka, kind.topic, start))

        wait_until(has_published, TAKEN_OVER_S, f"nothing is told; {other.log.read_text()}")


def test_one_that_stands_by_tells_prometheus_nothing_of_what_the_other_tells(
    stack: RunningStack, tmp_path: Path
) -> None:
    for kind in (TRACKER, AUDIT):
        with suspended(stack, kind.part), ExitStack() as open_until_the_end:
            both = [One(kind, stack, tmp_path), One(kind, stack, tmp_path)]
            for each in both:
                open_until_the_end.callback(each.end)

            def one_works(both: list[One] = both) -> bool:
                return {each.is_active() for each in both} == {True, False}

            wait_until(one_works, 60, "not one of two works")
            told = {each.is_active(): names_in(each.metrics()) for each in both}
            meanwhile = {"audit_standby_lag_seconds"} if kind is AUDIT else set()
            disk = {"audit_disk_free_bytes", "audit_disk_size_bytes"} if kind is AUDIT else set()
            assert told[False] == {kind.gauge} | meanwhile | disk
            assert len(told[True]) >= 4
            assert not told[True] & meanwhile


def names_in(text: str) -> set[str]:
    return {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line[:1] not in ("#", "")}


@pytest.fixture(name="topic")
def _topic(stack: RunningStack) -> str:
    """A topic of the test's own, made as `pipeline-progress` is."""
    known = {topic.name: topic for topic in load_topics(Environment.LOCAL)}
    name = f"published-{time.time_ns()}"
    apply_topics([replace(known[NAMES.progress_topic], name=name)], KafkaTopicAdmin(stack.kafka))
    return name


def test_whoever_begins_later_ends_who_began_before_with_what_it_has_under_way(
    stack: RunningStack, topic: str
) -> None:
    offsets = KafkaOffsets(stack.kafka, "nobody")
    under_way = fenced_producer(stack.kafka, topic)
    first, second, third = (
        FencedPublisher(producer)
        for producer in (under_way, *(fenced_producer(stack.kafka, topic) for _ in range(2)))
    )
    first.begin()
    first.publish(topic, b'{"by": 1}')
    under_way.begin_transaction()
    under_way.produce(topic, b'{"by": 1, "under": "way"}', partition=0)
    assert under_way.flush(30) == 0
    second.begin()
    # All is decided, and nothing of the other is there that was not committed before.
    assert offsets.stable_ends(topic) == offsets.ends(topic)
    assert [each.value for each in published(stack.kafka, topic, 0)] == [{"by": 1}]
    with pytest.raises(KafkaException, match="fenced by a newer instance"):
        under_way.commit_transaction(30)
    second.publish(topic, b'{"by": 2}')
    third.begin()
    with pytest.raises(FencedError, match="fenced by a newer instance"):
        second.publish(topic, b'{"by": 2, "too": "late"}')
    assert [each.value for each in published(stack.kafka, topic, 0)] == [{"by": 1}, {"by": 2}]


def test_the_last_record_is_found_behind_markers_and_behind_what_was_aborted(
    stack: RunningStack, topic: str
) -> None:
    offsets = KafkaOffsets(stack.kafka, "nobody")
    assert last_record(stack.kafka, offsets, topic) is None
    plain = Producer({"bootstrap.servers": stack.kafka})
    plain.produce(topic, b'"of a version without a lease"', partition=0)
    assert plain.flush(30) == 0
    producer = fenced_producer(stack.kafka, topic)
    publisher = FencedPublisher(producer)
    publisher.begin()
    publisher.publish(topic, b'"last"')
    for _ in range(20):
        producer.begin_transaction()
        producer.produce(topic, b'"aborted"', partition=0)
        producer.flush(30)
        producer.abort_transaction(30)
    found = last_record(stack.kafka, offsets, topic)
    assert found is not None
    assert found.value == b'"last"'
