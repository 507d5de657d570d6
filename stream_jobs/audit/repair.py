"""Writes the outcomes that raw records have not got, exactly once; without --apply it only says which.

A record's outcome is missing if the job has finished it, no transaction is open, and none of the outcomes' topics has
one of its offset. Everything is read anew each time, as far back as Kafka still has all outcomes, so a second repair finds
nothing to do; and a repair that begins shuts out another under way, by their common transactional id. What lies
further back it leaves alone, and says so.

What is doubled, changed or unknown it leaves alone as well: entries and Pinot's rows are never taken back.
docs/operations.md says what to do then.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from confluent_kafka import KafkaException

from stream_jobs import http_access
from stream_jobs.audit.expected import BOTH_SIDES, Expected
from stream_jobs.audit.history import REVERSAL, REVERSED, TRANSFER
from stream_jobs.audit.ids import key_of
from stream_jobs.audit.missing import Missing, keys_of, missing
from stream_jobs.audit.once import NotFinishedError, Once, audit_once
from stream_jobs.audit.pinot_tier import HttpPinotTier
from stream_jobs.audit.sums import Row
from stream_jobs.events import settings as event_settings
from stream_jobs.events.entries import RECEIVED
from stream_jobs.events.erased_accounts import add_key_argument
from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.segments import NotServedError
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import checked
from stream_jobs.topics.clients import explained, producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.offsets import Reached

EVENTS_A_TRANSACTION: Final = 1_000
IDS_A_QUERY: Final = 200
KAFKA_TIMEOUT_S: Final = 30.0
SHOWN: Final = 10

RowsOfIds = Callable[[Sequence[str]], list[Row]]


class RepairError(Exception):
    """It cannot be told what is missing, or it could not be written; the message says what was."""


class Writer:
    """Writes outcomes in transactions; its beginning shuts out every other repair of the pipeline."""

    def __init__(self, kafka_servers: str, names: Names) -> None:
        self._partitions = len(KafkaOffsets(kafka_servers, names.group).ends(names.entries_topic))
        self._producer = producer(
            kafka_servers,
            {
                "transactional.id": f"{names.job}-repair",
                "compression.type": "lz4",
                "message.max.bytes": 4_194_304,
            },
        )
        self._carefully(lambda: self._producer.init_transactions(KAFKA_TIMEOUT_S))

    def write(self, events: Sequence[Missing]) -> None:
        """The outcomes of some raw records, in one transaction."""
        self._carefully(lambda: self._transaction(events))

    def _transaction(self, events: Sequence[Missing]) -> None:
        self._producer.begin_transaction()
        for record in (record for each in events for record in each.records):
            where: dict[str, Any] = {}
            if record.key is not None:
                home = kafka_partition(record.key.decode(), self._partitions)
                where = {"key": record.key, "partition": home}
            self._producer.produce(record.topic, record.value, **where)
            self._producer.poll(0)
        self._producer.commit_transaction(KAFKA_TIMEOUT_S)

    def _carefully(self, step: Callable[[], None]) -> None:
        try:
            step()
        except KafkaException as failure:
            raise RepairError(
                f"Kafka refused: {explained(self._producer, failure)}. If another repair was begun, it goes on in this one's "
                "place; otherwise repeat the command: it writes only what is still missing"
            ) from None


def plan(
    once: Once, names: Names, asked: Callable[[Expected], bool], rows_of_ids: RowsOfIds | None
) -> tuple[list[Missing], list[Expected]]:
    """What is to be written, and what contradicts its raw record and is left alone.

    Raises RepairError if ids may have counted before what Kafka tells, and Pinot cannot be asked.
    """
    lost = [each for each in once.lost if asked(each)]
    contradicting = [each for each in lost if each.sides | each.wrong == BOTH_SIDES]
    open_ = [each for each in lost if each.sides | each.wrong != BOTH_SIDES]
    known = dict(once.known)
    if once.begin.since_ms is not None and open_:
        if rows_of_ids is None:
            raise RepairError(
                "Kafka no longer has all outcomes, so whether an id counted before can only be told by Pinot: "
                "give --controller and --broker"
            )
        known |= _counted_before(open_, rows_of_ids)
    return missing(open_, known, names), contradicting


def _counted_before(lost: Sequence[Expected], rows_of_ids: RowsOfIds) -> dict[int, int]:
    ids = sorted({id_ for each in lost for id_ in (each.id, each.reverses)} - {""})
    known: dict[int, int] = {}
    for first in range(0, len(ids), IDS_A_QUERY):
        for row in rows_of_ids(ids[first : first + IDS_A_QUERY]):
            if row.direction != RECEIVED:
                continue
            if row.reverses:
                known[key_of(REVERSAL, row.transaction_id)] = row.content
                known[key_of(REVERSED, row.reverses)] = key_of(REVERSAL, row.transaction_id)
            else:
                known[key_of(TRANSFER, row.transaction_id)] = row.content
    return known


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: told or done; 1: some records cannot be mended so; 2: wrong arguments, or it cannot be told."""
    parser = _parser()
    given = parser.parse_args(arguments)
    checked(parser, given.kafka)
    http_access.checked(parser)
    try:
        names, rules = names_of(given), event_settings.of_arguments(given)
        writer = Writer(given.kafka, names) if given.apply else None
        once = audit_once(
            given.kafka, names, rules, keys_of, given.erasure_key, given.timeout, _progress
        )
        rows_of_ids = (
            _pinot(given, names).rows_of_ids if given.broker and given.controller else None
        )
        wanted, contradicting = plan(once, names, _filter(given), rows_of_ids)
        for first in range(0, len(wanted) if writer else 0, EVENTS_A_TRANSACTION):
            assert writer is not None  # only then is there anything to go through
            writer.write(wanted[first : first + EVENTS_A_TRANSACTION])
    except NotFinishedError:
        told = (
            f"for {given.timeout:.0f} s the job has finished nothing more, or a transaction is open"
        )
        print(
            f"repair: {told}: what is under way must not be taken for missing. Nothing was written",
            file=sys.stderr,
        )
        return 2
    except (
        AccessError,
        RepairError,
        KafkaOffsetsError,
        KafkaException,
        NotServedError,
        JsonHttpError,
    ) as failure:
        print(f"repair: {failure}", file=sys.stderr)
        return 2
    said = _report(once, wanted, contradicting, applied=given.apply)
    print(json.dumps(said) if given.json else _as_text(said))
    return 1 if contradicting else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev repair", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    add("--controller", metavar="URL", help="Pinot's controller")
    add(
        "--broker",
        metavar="URL",
        help="Pinot's broker; needed where outcomes have aged out of Kafka",
    )
    add("--from", type=_instant, default=0, dest="start_ms", metavar="INSTANT",
        help="only events of this time or later, e.g. 2026-11-23T03:00:00Z")  # fmt: skip
    add(
        "--to",
        type=_instant,
        default=2**62,
        dest="end_ms",
        metavar="INSTANT",
        help="and before this",
    )
    add("--apply", action="store_true", help="write; without it nothing is changed")
    add("--json", action="store_true", help="for programs")
    add("--timeout", type=float, default=120.0, help="seconds the job may be behind")
    add_arguments(parser)
    event_settings.add_arguments(parser)
    add_key_argument(parser)
    return parser


def _filter(given: argparse.Namespace) -> Callable[[Expected], bool]:
    return lambda each: bool(given.start_ms <= each.time_ms < given.end_ms)


def _pinot(given: argparse.Namespace, names: Names) -> HttpPinotTier:
    kafka = KafkaOffsets(given.kafka, names.group)
    reached = Reached(names.entries_topic, kafka.first_records)
    return HttpPinotTier(given.controller, given.broker, reached, names.entries_table)


def _progress(records: int) -> None:
    if sys.stderr.isatty():
        print(f"\rread {records:,} records", end="", file=sys.stderr, flush=True)


def _report(
    once: Once, wanted: Sequence[Missing], contradicting: Sequence[Expected], *, applied: bool
) -> dict[str, Any]:
    outcomes = sorted({each.outcome for each in wanted})
    return {
        "applied": applied,
        "events": len(wanted),
        "records": sum(len(each.records) for each in wanted),
        "outcomes": {name: sum(each.outcome == name for each in wanted) for name in outcomes},
        "missing": [_told(each.expected, each.outcome) for each in wanted],
        "contradicting": [_told(each, "") for each in contradicting],
        "vouched": {
            str(p): [start, once.through.get(p, start)] for p, start in once.begin.raw.items()
        },
        "since_ms": once.begin.since_ms,
    }


def _told(each: Expected, outcome: str) -> dict[str, Any]:
    where = {"kafka_partition": each.partition, "kafka_offset": each.offset}
    return {"transaction_id": each.id, **where, "outcome": outcome}


def _as_text(said: Mapping[str, Any]) -> str:
    did = "were written" if said["applied"] else "are missing"
    lines = [f"{said['records']} outcomes of {said['events']} raw records {did}"]
    lines += [
        f"  [{each['kafka_partition']}] {each['kafka_offset']}  {each['outcome']}  {each['transaction_id']}"
        for each in said["missing"][:SHOWN]
    ]
    if said["events"] > SHOWN:
        lines.append(f"  and {said['events'] - SHOWN} more")
    if said["contradicting"]:
        ids = ", ".join(each["transaction_id"] for each in said["contradicting"][:SHOWN])
        lines.append(
            f"{len(said['contradicting'])} records have entries that contradict them; docs/operations.md says what "
            f"to do: {ids}"
        )
    ranges = ", ".join(f"[{p}] {start} to {end}" for p, (start, end) in said["vouched"].items())
    lines.append(f"Looked at raw records {ranges}; of earlier ones Kafka no longer tells all.")
    if said["missing"] and not said["applied"]:
        lines.append("Nothing was changed; --apply writes them.")
    return "\n".join(lines)


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
