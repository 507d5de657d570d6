"""Writes the entries that are missing in an interval, exactly once; without --apply it only says which.

An entry is missing if its event is in `transactions` and it is not in `account-entries`, although the job has
finished the event and no transaction is open; a reversal's, if it takes effect. All of it is read anew each time, so
a second repair finds nothing to do; and a repair that begins shuts out another under way, by their common
transactional id.

What is doubled, changed or unknown it leaves alone: entries and Pinot's rows are never taken back. docs/operations.md
says what to do then.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar

from confluent_kafka import KafkaException, Producer

from stream_jobs.audit.frontier import Frontier, Topics
from stream_jobs.audit.rows import money
from stream_jobs.dedup_window import DEFAULT, DedupWindow
from stream_jobs.job_settings import CONSUMER_GROUP
from stream_jobs.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.murmur2 import kafka_partition
from stream_jobs.offsets import Offsets, all_at_least
from stream_jobs.repair_plan import (
    Missing,
    Plan,
    ids_between,
    incomplete,
    plan,
    rejected_reversals,
)
from stream_jobs.topic_reader import Record, read

REJECTED: Final = "transactions-rejected"
TRANSACTIONAL_ID: Final = "account-entries-repair"
EVENTS_A_TRANSACTION: Final = 1_000
KAFKA_TIMEOUT_S: Final = 30.0
SHOWN_IDS: Final = 10
T = TypeVar("T")


class RepairError(Exception):
    """It cannot be told what is missing, or it could not be written; the message says what was."""


class Tiers(Protocol):
    """What a repair reads and where it writes."""

    def settle(self) -> None:
        """Wait until the job has finished every event there is, and no transaction is open."""

    def events(self) -> Iterable[Record]: ...

    def entries(self) -> Iterable[Record]: ...

    def rejected(self) -> Iterable[Record]: ...

    def fence(self) -> None:
        """Shut out every other repair."""

    def write(self, missing: Sequence[Missing]) -> None:
        """The entries of some events, in one transaction."""


def repair(
    tiers: Tiers, start_ms: int, end_ms: int, *, apply: bool, window: DedupWindow = DEFAULT
) -> Plan:
    """The plan for an interval of event time, carried out if `apply`. Raises RepairError."""
    if apply:
        tiers.fence()
    tiers.settle()
    asked = ids_between(tiers.events(), start_ms, end_ms)
    written = incomplete(asked, tiers.entries())
    rejected = rejected_reversals(tiers.rejected() if asked.originals else ())
    wanted = plan(
        asked, written, tiers.events(), start_ms, end_ms, rejected=rejected, window=window
    )
    if apply:
        for first in range(0, len(wanted.missing), EVENTS_A_TRANSACTION):
            tiers.write(wanted.missing[first : first + EVENTS_A_TRANSACTION])
    return wanted


class KafkaTiers:
    """`Tiers` of a real cluster."""

    def __init__(
        self,
        kafka_servers: str,
        group: str,
        topics: Topics,
        timeout_s: float,
        rejected_topic: str = REJECTED,
    ) -> None:
        self._kafka_servers = kafka_servers
        self._topics = topics
        self._rejected_topic = rejected_topic
        self._timeout_s = timeout_s
        self._offsets = KafkaOffsets(kafka_servers, group)
        self._producer: Producer | None = None
        self._ends: dict[str, Offsets] = {}

    def settle(self) -> None:
        # Before the check begins: what comes later may still be under way when it is over.
        raw_ends = self._offsets.stable_ends(self._topics.raw)
        frontier = Frontier(self._offsets, self._topics, self._offsets.stable_ends, now_ms)
        frontier.begin(0)
        deadline = time.monotonic() + self._timeout_s
        settled = self._awaited(frontier.look, deadline)
        # By the same reasons all rejects of these events lie below.
        rejected_ends = self._offsets.ends(self._rejected_topic)

        def decided() -> bool | None:
            stable = self._offsets.stable_ends(self._rejected_topic)
            return all_at_least(stable, rejected_ends) or None

        self._awaited(decided, deadline)
        self._ends = {
            self._topics.raw: raw_ends,
            self._topics.entries: settled.entry_ends,
            self._rejected_topic: rejected_ends,
        }

    def events(self) -> Iterator[Record]:
        return self._read(self._topics.raw)

    def entries(self) -> Iterator[Record]:
        return self._read(self._topics.entries)

    def rejected(self) -> Iterator[Record]:
        return self._read(self._rejected_topic)

    def fence(self) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": self._kafka_servers,
                "log_level": 0,
                "transactional.id": TRANSACTIONAL_ID,
                "compression.type": "lz4",
            }
        )
        self._carefully(lambda producer: producer.init_transactions(KAFKA_TIMEOUT_S))

    def write(self, missing: Sequence[Missing]) -> None:
        partitions = len(self._ends[self._topics.entries])

        def transaction(producer: Producer) -> None:
            producer.begin_transaction()
            for each in missing:
                for key, value in each.records():
                    where = kafka_partition(key, partitions)
                    producer.produce(self._topics.entries, value, key, where)
                    producer.poll(0)
            producer.commit_transaction(KAFKA_TIMEOUT_S)

        self._carefully(transaction)

    def _awaited(self, look: Callable[[], T | None], deadline_s: float) -> T:
        while (found := look()) is None:
            if time.monotonic() > deadline_s:
                raise RepairError(
                    f"after {self._timeout_s:.0f} s the job has not finished the events there are, or left a "
                    "transaction open: what is under way must not be taken for missing. Nothing was written"
                )
            time.sleep(0.2)
        return found

    def _read(self, topic: str) -> Iterator[Record]:
        return read(self._kafka_servers, topic, self._offsets.starts(topic), self._ends[topic])

    def _carefully(self, step: Callable[[Producer], None]) -> None:
        if self._producer is None:
            raise RepairError("not fenced")
        try:
            step(self._producer)
        except KafkaException as failure:
            raise RepairError(
                f"Kafka refused: {failure.args[0].str()}. If another repair was begun, it goes on in this one's "
                "place; otherwise repeat the command: it writes only what is still missing"
            ) from None


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: told or done; 1: some ids cannot be mended so; 2: wrong arguments, or it cannot be told."""
    parser = argparse.ArgumentParser(
        prog="./dev repair", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    add("--from", required=True, type=_instant, dest="start_ms", metavar="INSTANT",
        help="of the events' time, e.g. 2026-11-23T03:00:00Z")  # fmt: skip
    add("--to", required=True, type=_instant, dest="end_ms", metavar="INSTANT", help="not included")
    add("--apply", action="store_true", help="write; without it nothing is changed")
    add("--json", action="store_true", help="for programs")
    add("--timeout", type=float, default=120.0, help="seconds the job may be behind")
    add("--group", default=CONSUMER_GROUP, help="the job's consumer group")
    add("--raw-topic", default=Topics().raw, help="the events")
    add("--entries-topic", default=Topics().entries, help="the entries")
    add("--rejected-topic", default=REJECTED, help="the rejected events")
    add("--dedup-window-ms", type=int, default=DEFAULT.window_ms, help="as the job's")
    given = parser.parse_args(arguments)
    if given.start_ms >= given.end_ms:
        parser.error("--from must be before --to")
    topics = Topics(given.raw_topic, given.entries_topic)
    try:
        tiers = KafkaTiers(given.kafka, given.group, topics, given.timeout, given.rejected_topic)
        window = DedupWindow(given.dedup_window_ms, DEFAULT.slack_ms)
        wanted = repair(tiers, given.start_ms, given.end_ms, apply=given.apply, window=window)
    except (RepairError, KafkaOffsetsError, KafkaException) as failure:
        print(f"repair: {failure}", file=sys.stderr)
        return 2
    print(_as_json(wanted, given.apply) if given.json else _as_text(wanted, given.apply))
    return 1 if wanted.contradicting else 0


def _as_text(wanted: Plan, applied: bool) -> str:
    did = "were written" if applied else "are missing"
    events = len(wanted.missing)
    lines = [f"{wanted.entries} entries of {events} events {did}, {money(wanted.amount)} in all"]
    lines += [
        f"  {each.transaction_id}  {'+'.join(each.directions)}  {each.amount}"
        for each in wanted.missing[:SHOWN_IDS]
    ]
    if events > SHOWN_IDS:
        lines.append(f"  and {events - SHOWN_IDS} more events")
    if wanted.contradicting:
        lines.append(
            f"{len(wanted.contradicting)} ids have entries that contradict their events; docs/operations.md says "
            f"what to do: {', '.join(wanted.contradicting[:SHOWN_IDS])}"
        )
    if wanted.held:
        lines.append(
            f"{len(wanted.held)} reversals are held, since their transfers came too long before or after, and are left "
            f"out: {', '.join(wanted.held[:SHOWN_IDS])}"
        )
    if wanted.missing and not applied:
        lines.append("Nothing was changed; --apply writes them.")
    return "\n".join(lines)


def _as_json(wanted: Plan, applied: bool) -> str:
    return json.dumps(
        {
            "applied": applied,
            "events": len(wanted.missing),
            "entries": wanted.entries,
            "amount": money(wanted.amount),
            "transaction_ids": [each.transaction_id for each in wanted.missing],
            "contradicting": list(wanted.contradicting),
            "held": list(wanted.held),
        }
    )


def _instant(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 instant with its offset."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no RFC 3339 instant") from None
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; end it with Z or +07:00")
    return round(instant.timestamp() * 1000)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
