"""Production's table configuration on the real Pinot: valid, its segments told apart by time, its columns added to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import Producer

from pinot_config.apply import Action, apply_tables
from pinot_config.controller import HttpController
from pinot_config.tables import OVERLAYS, TableFiles, load_tables, renamed
from stream_jobs.topics.admin import KafkaTopicAdmin
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.topic import Environment, load_topics
from tests.integration.running_stack import PORTS, RunningStack, now_ms, wait_until

DAY_MS = 86_400_000
NUMBERS = count(1)
CONTROLLER = f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}"
BROKER = f"http://127.0.0.1:{PORTS['STACK_PINOT_BROKER_PORT']}"


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("overlays", [*((each,) for each in OVERLAYS), OVERLAYS], ids="+".join)
def test_pinot_finds_nothing_wrong_with_what_is_laid_over_the_tables(
    overlays: Sequence[str],
) -> None:
    controller = HttpController(CONTROLLER)
    # A current Pinot refuses a tier without servers.
    values = {"COLD_TENANT": "DefaultTenant"} if "tiers" in overlays else {}
    for table in load_tables(values, overlays):
        config, ignored = controller.validated(table)
        assert config["segmentsConfig"]["timeColumnName"]
        # 0.11 neither checks the times of realtime segments nor goes on reading, and does not know the keys; later
        # versions find a table's schema by the table's name.
        assert set(ignored) <= {
            "/realtime/segmentsConfig/schemaName",
            "/realtime/ingestionConfig/segmentTimeValueCheck",
            "/realtime/ingestionConfig/streamIngestionConfig/pauselessConsumptionEnabled",
        }


class OwnTable:
    """A table with production's configuration, of one copy, that reads a topic of its own."""

    def __init__(self, stack: RunningStack, *more_overlays: str) -> None:
        number = next(NUMBERS)
        self.name, self.topic = f"production_entries{number}", f"production-entries{number}"
        self.rows = 0
        self._controller = HttpController(CONTROLLER)
        known = {topic.name: topic for topic in load_topics(Environment.LOCAL)}
        topic = replace(known[NAMES.entries_topic], name=self.topic, partitions=1)
        KafkaTopicAdmin(stack.kafka).create([topic])
        values = {"KAFKA_SERVERS": stack.kafka, "REPLICATION": "1"}
        values |= {"ACCOUNT_ENTRIES_PARTITIONS": "1"}
        called = {NAMES.entries_table: self.name, NAMES.entries_topic: self.topic}
        self.files = renamed(load_tables(values, ["production", *more_overlays])[0], called)
        self.apply(self.files)
        self._producer = Producer({"bootstrap.servers": stack.kafka})

    def apply(self, files: TableFiles) -> list[Action]:
        return [change.action for change in apply_tables([files], self._controller)]

    def send(self, time_ms: int, rows: int, **more: str) -> None:
        """Entries of account a, an hour apart at most; waits until they are served."""
        for number in range(rows):
            entry = {
                "account_id": "a",
                "counterparty_id": f"b{number}",
                "direction": "RECEIVED",
                "transaction_id": str(uuid4()),
                "amount": "1.50",
                "event_time_ms": time_ms + number,
                **more,
            }
            self._producer.produce(self.topic, json.dumps(entry).encode(), key=b"a")
        assert self._producer.flush(30) == 0
        self.rows += rows
        wait_until(lambda: self.ask("COUNT(*)")["totalDocs"] == self.rows, 180, "not all is served")

    def finish(self) -> None:
        """Have the segment that is being filled finished, and the next one begun."""
        segments = self.ask("COUNT(*)")["numSegmentsQueried"]
        self._controller.finish_segments(self.name)
        wait_until(
            lambda: self.ask("COUNT(*)")["numSegmentsQueried"] == segments + 1,
            180,
            "no segment was finished",
        )

    def ask(self, columns: str, more: str = "") -> dict[str, Any]:
        sql = f"SELECT {columns} FROM {self.name} WHERE account_id = 'a'{more} LIMIT 100"
        answer: dict[str, Any] = httpx.post(
            f"{BROKER}/query/sql", json={"sql": sql}, timeout=30, trust_env=False
        ).json()
        return answer

    def drop(self) -> None:
        for path in (f"tables/{self.name}", f"schemas/{self.name}"):
            httpx.delete(f"{CONTROLLER}/{path}", timeout=30, trust_env=False)


@pytest.fixture
def table(stack: RunningStack) -> Iterator[OwnTable]:
    made = OwnTable(stack)
    yield made
    made.drop()


def test_segments_of_other_times_are_passed_over_and_still_counted(table: OwnTable) -> None:
    """What the gateway's proof and the cost of years of data rest on: `totalDocs` counts what a server prunes."""
    old_ms, new_ms = now_ms() - 400 * DAY_MS, now_ms()
    for time_ms in (old_ms, old_ms + 100 * DAY_MS, new_ms):
        table.send(time_ms, 10)
        table.finish()
    for column, step_ms in (("event_time_ms", 1), ("event_hour_ms", 3_600_000)):
        start_ms = (new_ms - DAY_MS) // step_ms * step_ms
        answer = table.ask("COUNT(*)", f" AND {column} >= {start_ms}")
        assert answer["resultTable"]["rows"] == [[10]]
        assert answer["totalDocs"] == 30
        assert answer["numSegmentsQueried"] == 4
        # Of the finished ones only the newest; what is being filled is empty.
        assert answer["numSegmentsProcessed"] <= 2
        assert answer["numSegmentsPrunedByServer"] >= 2


def test_a_table_that_need_not_pause_loses_nothing_over_its_segments_ends(
    stack: RunningStack,
) -> None:
    table = OwnTable(stack, "pauseless")
    for _ in range(3):
        table.send(now_ms(), 100)
        table.finish()
        table.send(now_ms(), 50)
    assert table.ask("COUNT(*)")["resultTable"]["rows"] == [[450]]
    ((amount,),) = table.ask("SUMPRECISION(amount)")["resultTable"]["rows"]
    assert Decimal(amount) == 675
    table.drop()


def test_a_column_is_added_without_stopping(table: OwnTable) -> None:
    table.send(now_ms(), 10)
    table.finish()
    table.send(now_ms(), 5)
    schema = json.loads(json.dumps(table.files.schema))
    schema["dimensionFieldSpecs"].append(
        {"name": "channel", "dataType": "STRING", "defaultNullValue": "unknown"}
    )
    assert table.apply(replace(table.files, schema=schema)) == [Action.UPDATED, Action.UNCHANGED]
    assert table.ask("COUNT(*)")["resultTable"]["rows"] == [[15]]  # nothing was held up
    wait_until(
        lambda: "exceptions" in table.ask("channel") and not table.ask("channel")["exceptions"],
        60,
        "the column is not there",
    )
    wait_until(lambda: table.ask("COUNT(*)")["numSegmentsQueried"] == 3, 60, "no new segment")
    table.send(now_ms(), 3, channel="app")
    told = table.ask("channel, COUNT(*)", " GROUP BY channel ORDER BY channel")
    assert told["resultTable"]["rows"] == [["app", 3], ["unknown", 15]]
