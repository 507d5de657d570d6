"""Pinot of the running stack: events through Kafka and Flink as in production, SQL as the gateway writes it."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from gateway.access.caller import EVERYONE
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import QueryPlan, TopPlan, TotalsPlan
from gateway.store.pinot import sql
from local_stack import run_file
from local_stack.environment import from_environment
from tests.load.stores.engine import AbsentError, size_of
from tests.load.stores.payments import TOP, Question, Row, Transfer, cents_of

_LOADED_WITHIN_S = 300
_RECEIVED = frozenset({Direction.RECEIVED})


class PinotEngine:
    """The stack's Pinot: controller, broker and server in one process."""

    exactness = "exact (BIG_DECIMAL)"

    def start(self, folder: Path) -> None:
        self._settings = from_environment(os.environ)
        run = run_file.live(self._settings.run_file)
        if run is None or run.embedded:
            raise AbsentError("The stack is down. Start it first: ./dev up --no-load")
        self._pids = [part.process.pid for name, part in run.parts.items() if "pinot" in name]
        self._local = threading.local()
        self._producer = Producer(
            {"bootstrap.servers": self._settings.kafka_servers, "linger.ms": 0}
        )
        self._disk_before = self._disk()

    def load(self, transfers: Sequence[Transfer]) -> None:
        wanted = self._entries() + 2 * len(transfers)
        producer = Producer(
            {
                "bootstrap.servers": self._settings.kafka_servers,
                "linger.ms": 20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": len(transfers) + 1,
            }
        )
        for each in transfers:
            producer.produce("transactions", each.event(), timestamp=each.time_ms)
        producer.flush(120)
        give_up_s = time.monotonic() + _LOADED_WITHIN_S
        while self._entries() < wanted:
            if time.monotonic() > give_up_s:
                raise TimeoutError("Pinot does not serve all events yet")
            time.sleep(0.5)

    def can_answer(self, question: Question) -> bool:
        return True

    def answer(self, question: Question) -> list[Row]:
        interval = Interval(question.start_ms, question.end_ms)
        scope = EVERYONE.may_read([question.account])
        plan: QueryPlan[Any]
        if question.top:
            plan = TopPlan(scope, Direction.RECEIVED, interval, RankBy.TRANSACTION_AMOUNT, TOP)
        else:
            plan = TotalsPlan(scope, _RECEIVED, interval)
        rows = self._ask(sql.statement(plan))
        return [(row[0] if question.top else "", row[-2], cents_of(row[-1])) for row in rows]

    def add(self, transfer: Transfer) -> None:
        self._producer.produce("transactions", transfer.event(), timestamp=transfer.time_ms)
        self._producer.flush(10)

    def pids(self) -> list[int]:
        return self._pids

    def disk_bytes(self) -> int:
        return self._disk() - self._disk_before

    def stop(self) -> None:
        """Nothing: the stack is somebody else's."""

    def _entries(self) -> int:
        rows = self._ask("SELECT COUNT(*) FROM account_entries LIMIT 1")
        return int(rows[0][0])

    def _disk(self) -> int:
        return sum(size_of(folder) for folder in self._settings.data.glob("*pinot*"))

    def _ask(self, statement: str) -> list[list[Any]]:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(
                self._settings.host, self._settings.pinot_broker_port, timeout=30
            )
        connection: http.client.HTTPConnection = self._local.connection
        connection.request("POST", "/query/sql", json.dumps({"sql": statement}))
        answer = json.loads(connection.getresponse().read(), parse_float=str)
        if answer["exceptions"]:
            raise RuntimeError(str(answer["exceptions"])[:500])
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        return rows
