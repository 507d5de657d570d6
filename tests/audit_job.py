"""Events, and the job that turns them into outcomes, in a few lines over the tiers in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from stream_jobs.audit.readers import Record
from stream_jobs.events.entries import entry_values
from stream_jobs.events.erased_accounts import (
    Names,
    accounts_of,
    refusal,
    renamed,
    without_ids,
)
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.reversals import Arrival, content, settle
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.topics.murmur2 import kafka_partition
from tests.audit_tiers import ENTRIES, RAW, REJECTED, UNCOUNTED, MemoryKafka


class Job:
    """What the Flink job does, in the order of the records it is given; one memory, no window.

    `erased` tells it who was erased: their events are told by pseudonyms, or refused.
    """

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self.erased: Callable[[Iterable[str]], Names] = lambda _: {}
        self.refuse = False
        self._next = dict.fromkeys(range(kafka.partitions), 0)
        self._transfers: dict[str, int] = {}
        self._seen: set[str] = set()
        self._reversals: dict[str, list[str]] = {}
        self.counted: list[tuple[TransactionEvent, int, int, int]] = []

    def run(self) -> None:
        """Leave the outcomes of everything new."""
        fresh = [
            record
            for p, log in enumerate(self._kafka.logs[RAW])
            for record in log[self._next.get(p, 0) :]
        ]
        self._next = {p: len(log) for p, log in enumerate(self._kafka.logs[RAW])}
        for record in sorted(fresh, key=lambda r: (r.time_ms, r.partition, r.offset)):
            judged = judge(record.value, record.time_ms)
            names = self.erased(accounts_of(judged, record.value))
            if isinstance(judged, Rejection):
                self.reject(record, without_ids(judged, record.value or b"", names))
            elif judged.reverses is None:
                self._transfer(record, judged, names)
            else:
                self._reversal(record, judged, judged.reverses, names)

    def count(self, event: TransactionEvent, time_ms: int, partition: int, offset: int) -> None:
        """Both entries of an event."""
        self.counted.append((event, time_ms, partition, offset))
        sides = (event.to_account_id, event.from_account_id)
        values = entry_values(event, partition, offset)
        for account, value in zip(sides, values, strict=True):
            home = kafka_partition(account, self._kafka.partitions)
            self._kafka.append(ENTRIES, home, time_ms, value, account.encode())

    def reject(self, record: Record, judged: Rejection) -> None:
        body = {
            "reason": judged.reason.value,
            "detail": judged.detail,
            "payload_base64": judged.payload_base64,
            "kafka_partition": record.partition,
            "kafka_offset": record.offset,
        }
        self._kafka.append(REJECTED, record.partition, record.time_ms, json.dumps(body).encode())

    def uncounted(self, outcome: str, id_: str, record: Record) -> None:
        body = {
            "outcome": outcome,
            "transaction_id": id_,
            "kafka_partition": record.partition,
            "kafka_offset": record.offset,
        }
        value = json.dumps(body, separators=(",", ":")).encode()
        self._kafka.append(UNCOUNTED, record.partition, record.time_ms, value)

    def _transfer(self, record: Record, event: TransactionEvent, names: Names) -> None:
        if event.transaction_id in self._transfers:
            self.uncounted("DUPLICATE", event.transaction_id, record)
            return
        if names and self.refuse:
            self.reject(record, refusal(record.value or b"", names))
            return
        self._transfers[event.transaction_id] = content(event)
        self.count(renamed(event, names), record.time_ms, record.partition, record.offset)
        self._settle(None, event.transaction_id)

    def _reversal(self, record: Record, event: TransactionEvent, undone: str, names: Names) -> None:
        if event.transaction_id in self._seen:
            self.uncounted("DUPLICATE", event.transaction_id, record)
            return
        self._seen.add(event.transaction_id)
        if names and self.refuse:
            self.reject(record, refusal(record.value or b"", names))
            return
        where = (record.partition, record.offset, content(event))
        arrival = Arrival(record.value or b"", record.time_ms, *where, erased=names).packed()
        self._reversals.setdefault(undone, []).append(arrival)
        if undone in self._transfers:
            self._settle(arrival, undone)
        else:
            self.uncounted("HELD", event.transaction_id, record)

    def _settle(self, arrival: str | None, id_: str) -> None:
        kept = self._reversals.get(id_)
        if not kept:
            return
        for each in settle(arrival, self._transfers[id_], ",".join(kept)):
            came, verdict = each.arrival, each.verdict
            place = (came.kafka_partition, came.kafka_offset)
            if isinstance(verdict, Rejection):
                raw = self._kafka.logs[RAW][place[0]][place[1]]
                self.reject(raw, verdict)
            else:
                self.count(verdict, came.recorded_ms, *place)


def fill(kafka: MemoryKafka, events: Iterable[tuple[bytes, int]]) -> None:
    """Events with their times, spread over the raw topic's partitions."""
    for number, (value, time_ms) in enumerate(events):
        kafka.append(RAW, number % kafka.partitions, time_ms, value)


def transfer(
    id_: str, amount: str = "5", sender: str = "ann", receiver: str = "bob", **more: str
) -> bytes:
    """An event as its producer sends it."""
    body = {
        "from_account_id": sender,
        "to_account_id": receiver,
        "transaction_id": id_,
        "amount": amount,
    }
    return json.dumps({**body, **more}).encode()


def reversal(id_: str, reverses: str, amount: str = "5", **more: str) -> bytes:
    """A reversal of a transfer between the same accounts."""
    return transfer(id_, amount, type="reversal", reverses=reverses, **more)


def uuid(number: int) -> str:
    """An id, by number."""
    return f"00000000-0000-4000-8000-{number:012d}"
