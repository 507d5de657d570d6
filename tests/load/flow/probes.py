"""Probes into a pipeline under load: sent at their own times, and watched in Kafka, in Pinot and in GraphQL.

One account a kafka partition, so that a partition that stands still is seen. A probe is sent when it is due,
whatever became of those before: a pause is met by as many as fall into it.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from confluent_kafka import Consumer, Producer, TopicPartition

from local_stack.settings import StackSettings
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.murmur2 import account_id_in
from tests.load.flow.stages import Account, Passage, Sighting, passages

ENTRIES = "account-entries"
READ_FOR_S = 0.04
SEEN_WITHIN_S = 90.0
QUESTION = """
query Probes($ids: [ID!]!) {
  accounts(ids: $ids) {
    id totals(window: {last: {count: 1, unit: DAY}}) { transactionCount asOf }
  }
}
"""


@dataclass
class Probes:
    """`look_every_s` is how exact the times are in Pinot and in GraphQL, and what looking takes of the machine.

    `refused` counts errors by code; `failed` are faults that ended a thread.
    """

    settings: StackSettings
    per_s: float = 20.0
    look_every_s: float = 0.04
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ends = KafkaOffsets(self.settings.kafka_servers, "probes").ends(ENTRIES)
        name = f"probe-{uuid.uuid4().hex[:8]}-"
        ids = [account_id_in(partition, len(self._ends), name) for partition in self._ends]
        self.accounts = {id_: Account() for id_ in ids}
        self._sending, self._watching = threading.Event(), threading.Event()
        self._ready = threading.Barrier(4)
        self._threads = [
            threading.Thread(target=self._guarded, args=(body,))
            for body in (self._send, self._watch_kafka, self._watch_pinot, self._watch_graphql)
        ]

    def start(self) -> None:
        """Begin to send and to watch."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> float:
        """Send no more, wait until all are seen or 90 s are over; the seconds that it took."""
        self._sending.set()
        self._threads[0].join()
        began = time.monotonic()
        while not self._all_seen() and time.monotonic() < began + SEEN_WITHIN_S and not self.failed:
            time.sleep(0.05)
        took_s = time.monotonic() - began
        self._watching.set()
        for thread in self._threads:
            thread.join()
        if self.failed:
            raise self.failed[0]
        return took_s

    def passages(self, since_s: float = 0.0) -> list[Passage]:
        """The ways of all that were sent from an instant on."""
        found = [passage for account in self.accounts.values() for passage in passages(account)]
        return [passage for passage in found if passage.sent_s >= since_s]

    def unseen(self) -> int:
        """How many did not get through."""
        sent = sum(len(account.sent_s) for account in self.accounts.values())
        return sent - len(self.passages())

    def _all_seen(self) -> bool:
        return all(
            account.graphql
            and account.graphql[-1].count >= len(account.sent_s)
            and account.graphql[-1].as_of_s >= max(account.sent_s.values(), default=0.0)
            for account in self.accounts.values()
        )

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as problem:  # noqa: BLE001 - told to whoever waits
            self.failed.append(problem)
            self._ready.abort()

    def _send(self) -> None:
        producer = Producer(
            {"bootstrap.servers": self.settings.kafka_servers, "linger.ms": 0, "log_level": 0}
        )
        producer.list_topics(timeout=10)
        self._ready.wait(30)
        chance, due = random.Random(7), time.monotonic()
        ids = list(self.accounts)
        while not self._sending.is_set():
            # Times that share no divisor with the checkpoints', so that every phase of them is met.
            due += chance.expovariate(self.per_s)
            time.sleep(max(0.0, due - time.monotonic()))
            account, id_ = chance.choice(ids), str(uuid.UUID(int=uuid.uuid4().int))
            event = {
                "from_account_id": "prober",
                "to_account_id": account,
                "transaction_id": id_,
                "amount": "1",
            }
            self.accounts[account].sent_s[id_] = time.time()
            producer.produce("transactions", json.dumps(event).encode())
            producer.poll(0)
        producer.flush(30)

    def _watch_kafka(self) -> None:
        """Reads all entries, since nobody else can tell when one of them was committed."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.kafka_servers,
                "group.id": "probes",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "log_level": 0,
            }
        )
        consumer.assign([TopicPartition(ENTRIES, *each) for each in self._ends.items()])
        keys = {id_.encode(): account for id_, account in self.accounts.items()}
        self._ready.wait(30)
        while not self._watching.is_set():
            for message in consumer.consume(2_000, READ_FOR_S):
                account = keys.get(message.key() or b"")
                if account is not None:
                    body = json.loads(message.value() or b"{}")
                    account.committed.append((body["transaction_id"], time.time()))
        consumer.close()

    def _watch_pinot(self) -> None:
        names = ", ".join(f"'{id_}'" for id_ in self.accounts)
        sql = f"SELECT account_id, COUNT(*) FROM account_entries WHERE account_id IN ({names}) GROUP BY account_id LIMIT 100"
        with httpx.Client(
            base_url=self.settings.pinot_broker_url, timeout=10, trust_env=False
        ) as client:
            self._ready.wait(30)
            while not self._watching.wait(self.look_every_s):
                answer = self._answer(client, "/query/sql", {"sql": sql})
                for id_, count in (answer.get("resultTable") or {}).get("rows", []):
                    self.accounts[id_].pinot.append(Sighting(time.time(), int(count)))

    def _watch_graphql(self) -> None:
        body = {"query": QUESTION, "variables": {"ids": list(self.accounts)}}
        with httpx.Client(
            base_url=self.settings.gateway_url, timeout=10, trust_env=False
        ) as client:
            self._ready.wait(30)
            while not self._watching.wait(self.look_every_s):
                answer = self._answer(client, "/graphql", body)
                self.refused.update(e["extensions"]["code"] for e in answer.get("errors", ()))
                for each in (answer.get("data") or {}).get("accounts") or ():
                    totals = each["totals"]
                    if totals is not None:
                        sighting = Sighting(
                            time.time(), totals["transactionCount"], _seconds(totals["asOf"])
                        )
                        self.accounts[each["id"]].graphql.append(sighting)

    def _answer(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = client.post(path, json=body).json()
        except (httpx.HTTPError, ValueError) as problem:
            self.refused[type(problem).__name__] += 1
            return {}
        return answer


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
