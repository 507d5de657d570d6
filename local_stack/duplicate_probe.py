"""Sends events again that were counted before an upgrade, and looks whether they are counted again.

A duplicate is what producers send every day, so the probe adds nothing that the totals could show, unless
the job has lost its memory: then this is how it is found out within seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice

import orjson

from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import EventRules
from stream_jobs.topics.clients import producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Offsets, all_at_least
from stream_jobs.topics.reader import Record, read

TRANSACTIONS = "transactions"
ENTRIES = "account-entries"
PER_PARTITION = 25
PASSED_LIMIT_S = 90.0


class ProbeError(Exception):
    """The memory of transaction ids is gone, or it could not be found out."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Events that the job has counted, and where the entries ended after it had stopped."""

    records: tuple[Record, ...]
    ids: frozenset[str]
    entries_before: Offsets


class DuplicateProbe:
    """One probe of the job on one Kafka."""

    def __init__(self, kafka_servers: str, rules: EventRules) -> None:
        self._kafka_servers = kafka_servers
        self._rules = rules
        self._offsets = KafkaOffsets(kafka_servers, NAMES.group)

    def counted(self) -> Counted:
        """The last transfers before the job's offsets; to be asked while the job is stopped.

        No reversals: one that waits for its transfer may rightly be counted meanwhile.
        """
        reached = self._offsets.committed(TRANSACTIONS)
        starts = {partition: max(0, end - PER_PARTITION) for partition, end in reached.items()}
        records = []
        ids = set()
        for record in read(self._kafka_servers, TRANSACTIONS, starts, reached):
            event = judge(record.value, record.time_ms, self._rules)
            if isinstance(event, TransactionEvent) and event.reverses is None:
                records.append(record)
                ids.add(event.transaction_id)
        return Counted(tuple(records), frozenset(ids), self._offsets.stable_ends(ENTRIES))

    def check(self, counted: Counted) -> int:
        """Send the events again, wait until the job has passed them; return how many there were.

        Raises:
            ProbeError: one was counted again, or the job does not get past them.

        """
        if not counted.records:
            return 0
        to = producer(self._kafka_servers, {})
        for record in counted.records:
            to.produce(TRANSACTIONS, record.value, timestamp=record.time_ms)
        if to.flush(30):
            raise ProbeError("Kafka does not take the probe's events.")
        ends = self._await_passed()
        found = self._entries_of(counted.ids, counted.entries_before, ends)
        if found:
            raise ProbeError(f"{len(found)} of {len(counted.ids)} ids were counted a second time.")
        return len(counted.ids)

    def _await_passed(self) -> Offsets:
        """Wait until the job has finished all that was sent; where the entries of that end."""
        sent = self._offsets.stable_ends(TRANSACTIONS)
        deadline = time.monotonic() + PASSED_LIMIT_S
        while not all_at_least(self._offsets.committed(TRANSACTIONS), sent):
            _refuse_late(deadline)
        written = self._offsets.ends(ENTRIES)
        while not all_at_least(self._offsets.stable_ends(ENTRIES), written):
            _refuse_late(deadline)
        return written

    def _entries_of(self, ids: frozenset[str], starts: Offsets, ends: Offsets) -> list[str]:
        entries = (
            orjson.loads(record.value or b"{}")
            for record in read(self._kafka_servers, ENTRIES, starts, ends)
        )
        again = (
            each["transaction_id"]
            for each in entries
            if each.get("kind") != "REVERSAL" and each.get("transaction_id") in ids
        )
        return list(islice(again, 10))


def _refuse_late(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise ProbeError(f"The job is not past the probe after {PASSED_LIMIT_S:.0f} s.")
    time.sleep(0.1)
