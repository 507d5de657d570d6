"""Lists rejected events, writes them to a file to correct, and sends the corrected ones again.

list           which were rejected, why, and whether they were sent again
fix FILE       writes them to a new file, a line of JSON each: correct `event` (or `value`), delete what is not to be sent
replay FILE    sends each line with its time, key and headers, and records who did; not what would be rejected again, nor
               what was sent again before
"""

from __future__ import annotations

import argparse
import getpass
import re
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_jobs.events import settings as event_settings
from stream_jobs.events.instants import milliseconds
from stream_jobs.events.reasons import RejectReason
from stream_jobs.tools.rejected_events import (
    Corrected,
    RejectedEvent,
    Wanted,
    instant,
    rejected_event,
)
from stream_jobs.tools.replaying import Replayed, listed, replay, to_correct
from stream_jobs.topics.access import checked
from stream_jobs.topics.clients import explained, producer
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.reader import Record, read

REPLAYED = "rejects-replayed"  # of all pipelines, since what is sent again reaches them all
TRANSACTIONAL_ID = "rejects-replay"
KAFKA_TIMEOUT_S = 30.0


class ReplayError(Exception):
    """Kafka did not take the corrected events; the message says what to do."""


class KafkaRejects:
    """`Rejects` of a real cluster."""

    def __init__(self, kafka_servers: str, names: Names) -> None:
        self._kafka_servers = kafka_servers
        self._names = names
        self._offsets = KafkaOffsets(kafka_servers, TRANSACTIONAL_ID)
        self._producer: Producer | None = None

    def fence(self) -> None:
        self._producer = producer(
            self._kafka_servers,
            {
                "transactional.id": TRANSACTIONAL_ID,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
            },
        )
        try:
            self._producer.init_transactions(KAFKA_TIMEOUT_S)
        except KafkaException as failure:
            raise ReplayError(explained(self._producer, failure)) from None

    def rejected(self) -> Iterator[RejectedEvent]:
        return (
            rejected_event(record.value or b"") for record in self._read(self._names.rejected_topic)
        )

    def replayed(self) -> Iterator[Replayed]:
        return (Replayed(**orjson.loads(record.value or b"")) for record in self._read(REPLAYED))

    def send(self, events: Sequence[tuple[Corrected, Replayed]]) -> None:
        to = self._producer
        if to is None:
            raise ReplayError("not fenced")
        too_old: list[Corrected] = []
        try:
            to.begin_transaction()
            for each, replayed in events:
                to.produce(
                    self._names.transactions_topic,
                    each.value,
                    each.key,
                    timestamp=each.recorded_ms,
                    headers=list(each.headers.items()),
                    on_delivery=partial(_note_too_old, too_old, each),
                )
                to.produce(REPLAYED, orjson.dumps(replayed._asdict()))
                to.poll(0)
            to.commit_transaction(KAFKA_TIMEOUT_S)
        except KafkaException as failure:
            if too_old:
                raise ReplayError(_told_too_old(too_old[0])) from None
            raise ReplayError(
                f"Kafka refused: {explained(to, failure)}. Repeat the command: what was sent is left out"
            ) from None

    def _read(self, topic: str) -> Iterator[Record]:
        starts, ends = self._offsets.starts(topic), self._offsets.stable_ends(topic)
        return read(self._kafka_servers, topic, starts, ends)


def _note_too_old(
    found: list[Corrected], event: Corrected, error: KafkaError | None, _message: Message
) -> None:
    if error is not None and error.code() == KafkaError.INVALID_TIMESTAMP:
        found.append(event)


def _told_too_old(event: Corrected) -> str:
    return (
        f"Kafka takes no record as old as {instant(event.recorded_ms)} any more (message.timestamp.before.max.ms of "
        "transactions), and nothing was sent. Give each such line a recorded_at of today, and its event the old time "
        "as occurred_at"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: some lines are not sent; 2: wrong arguments, or Kafka is not there."""
    parser = _parser()
    given = parser.parse_args(arguments)
    checked(parser, given.kafka)
    try:
        return int(given.run(given, KafkaRejects(given.kafka, names_of(given))))
    except FileExistsError:
        problem = f"{given.file} exists; name a new file"
    except OSError as failure:
        problem = f"{given.file}: {failure.strerror}"
    except (KafkaOffsetsError, KafkaException, ReplayError) as failure:
        problem = str(failure)
    print(f"rejects: {problem}", file=sys.stderr)
    return 2


def _list(given: argparse.Namespace, rejects: KafkaRejects) -> int:
    for line in listed(rejects, _wanted(given), given.limit):
        print(line)
    return 0


def _fix(given: argparse.Namespace, rejects: KafkaRejects) -> int:
    count = 0
    with given.file.open("xb") as file:
        for line in to_correct(rejects, _wanted(given)):
            file.write(line + b"\n")
            count += 1
    print(f"{count} events to correct in {given.file}; then ./dev rejects replay {given.file}")
    return 0


def _replay(given: argparse.Namespace, rejects: KafkaRejects) -> int:
    lines = given.file.read_bytes().splitlines()
    outcome = replay(
        [line for line in lines if line.strip()],
        rejects,
        event_settings.of_arguments(given),
        given.by,
        time.time_ns() // 1_000_000,
        again=given.again,
        dry_run=given.dry_run,
    )
    for number, why in outcome.refused:
        print(f"line {number}: {why}", file=sys.stderr)
    would = "would be" if given.dry_run else "were"
    print(f"{len(outcome.sent)} events {would} sent again, {len(outcome.refused)} were not")
    return 1 if outcome.refused else 0


def _wanted(given: argparse.Namespace) -> Wanted:
    first, last = given.offset or (None, None)
    reasons = frozenset(given.reason) if given.reason else None
    return Wanted(reasons, given.start_ms, given.end_ms, given.partition, first, last)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev rejects", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    event_settings.add_arguments(parser)
    add_arguments(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|fix|replay")
    one = commands.add_parser("list", help="which were rejected, and why")
    _add_filters(one)
    one.add_argument("--limit", type=int, default=100, help="the newest so many (%(default)s)")
    one.set_defaults(run=_list)
    one = commands.add_parser("fix", help="write them to a file to correct")
    one.add_argument("file", type=Path, metavar="FILE", help="a new file")
    _add_filters(one)
    one.set_defaults(run=_fix)
    one = commands.add_parser("replay", help="send the corrected ones again")
    one.add_argument("file", type=Path, metavar="FILE", help="what fix wrote, corrected")
    one.add_argument("--dry-run", action="store_true", help="send nothing, say what would be sent")
    one.add_argument("--again", action="store_true", help="also what was sent again before")
    one.add_argument("--by", default=_whoever(), help="who sends them (%(default)s)")
    one.set_defaults(run=_replay)
    return parser


def _whoever() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user may have no name
        return socket.gethostname()


def _add_filters(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--reason", action="append", choices=list(RejectReason), metavar="REASON", help="may be repeated")  # fmt: skip
    add("--from", type=_instant, dest="start_ms", metavar="INSTANT",
        help="of the records' timestamps, e.g. 2026-11-23T03:00:00Z")  # fmt: skip
    add("--to", type=_instant, dest="end_ms", metavar="INSTANT", help="not included")
    add("--partition", type=int, metavar="N", help="the kafka partition of transactions")
    add("--offset", type=_offsets, metavar="N[-M]", help="in it; M is included")


def _instant(text: str) -> int:
    time_ms = milliseconds(text)
    if time_ms is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no RFC 3339 instant with its offset")
    return time_ms


def _offsets(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is neither an offset nor two")
    return int(found[1]), int(found[2] or found[1])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
