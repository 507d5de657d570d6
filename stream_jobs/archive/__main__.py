"""All that Kafka had, as Parquet files; and an empty Pinot filled from them. docs/archive.md has the rest.

follow    writes down what comes until it is stopped; with --once what there is by now
check     whether the files are whole and follow one another, and with --kafka whether they are what Kafka has
fill      puts archived outcomes into the topics of another pipeline, from which its tables are filled
compare   archived entries with Pinot's rows: count, exact amount and content hash, hour by hour
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial

import pyarrow as pa
from confluent_kafka import KafkaException
from prometheus_client import start_http_server

from stream_jobs import http_access
from stream_jobs.archive.archiving import Archiver, HoleError
from stream_jobs.archive.checking import Checked, checked, compare_with_kafka
from stream_jobs.archive.comparing import compare
from stream_jobs.archive.filling import Filler, FillError
from stream_jobs.archive.layout import Part
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store, StoreError
from stream_jobs.archive.telling import ArchiveMetrics
from stream_jobs.audit.pinot_tier import HttpPinotTier
from stream_jobs.audit.publish import JsonLines
from stream_jobs.audit.readers import Reader
from stream_jobs.json_http import JsonHttpError
from stream_jobs.progress.segments import NotServedError
from stream_jobs.topics import access
from stream_jobs.topics.kafka_offsets import KafkaOffsets, KafkaOffsetsError
from stream_jobs.topics.names import NAMES, Names, add_arguments, beside, names_of
from stream_jobs.topics.offsets import Reached
from stream_jobs.topics.reader import read

SHOWN = 20
FAILURES = (
    *(StoreError, FillError, KafkaOffsetsError, KafkaException, NotServedError, JsonHttpError),
    *(pa.ArrowException, OSError, ValueError),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: something is wrong or differs; 2: wrong arguments, or not there; 3: Kafka deleted it unread."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.kafka:
        access.checked(parser, given.kafka)
    elif given.run is not _check:
        parser.error("--kafka is needed")
    if given.run is _compare:
        http_access.checked(parser)
        if not (given.controller and given.broker):
            parser.error("--controller and --broker are needed")
    try:
        store = Store(given.archive)
        if given.run is not _follow and not store.topics():
            raise StoreError(f"nothing is archived in {given.archive}")
        return int(given.run(given, store))
    except HoleError as hole:
        print(f"archive: {hole}", file=sys.stderr)
        return 3
    except FAILURES as failure:
        print(f"archive: {failure}", file=sys.stderr)
        return 2


def _follow(given: argparse.Namespace, store: Store) -> int:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    names = names_of(given)
    group = f"{names.group}-archive"
    metrics = ArchiveMetrics(time.time)
    store.own()
    try:
        if given.metrics_port is not None:
            start_http_server(given.metrics_port, given.metrics_host, metrics.registry)
        Archiver(
            KafkaOffsets(given.kafka, group),
            lambda starts: Reader(given.kafka, starts, group, with_headers=True),
            store,
            names,
            Limits(given.rows, given.age_s, given.memory_mb * 1024 * 1024),
            metrics,
            accept_loss=given.accept_loss,
        ).run(_topics(names), stop, once=given.once)
    finally:
        store.release()
    return 0


def _check(given: argparse.Namespace, store: Store) -> int:
    names = names_of(given)
    kafka = KafkaOffsets(given.kafka, f"{names.group}-archive") if given.kafka else None
    wrong = 0
    for topic in _topics(names):
        partitions = store.partitions(topic)
        for partition in partitions:
            found = checked(store, topic, partition)
            if kafka:
                compare_with_kafka(store, found, kafka, partial(read, given.kafka))
            print(_told(found))
            wrong += bool(found.faults)
        starts = kafka.starts(topic) if kafka else {}
        for partition in sorted(starts.keys() - {*partitions}):
            deleted = starts[partition]
            wrong += bool(deleted)
            told = (
                f"  WRONG: Kafka deleted offsets 0 to {deleted} unread"
                if deleted
                else "nothing yet"
            )
            print(f"{topic} [{partition}] {told}")
    return 1 if wrong else 0


def _told(found: Checked) -> str:
    behind = "" if found.behind is None else f", {found.behind} offsets behind Kafka"
    same = f", {found.compared} compared with Kafka's" if found.compared else ""
    erased = f", {found.erased} files rewritten by an erasure" if found.erased else ""
    first = (
        f"{found.topic} [{found.partition}] offsets {found.start} to {found.end}: {found.records} records in "
        f"{found.files} files{same}{behind}{erased}"
    )
    return "\n".join([first, *(f"  WRONG: {fault}" for fault in found.faults[:SHOWN])])


def _fill(given: argparse.Namespace, store: Store) -> int:
    archived, names = _archived(given), names_of(given)
    pairs = [
        (source, target)
        for source, target in zip(_topics(archived), _topics(names), strict=True)
        if source != target
    ]
    if not pairs:
        raise FillError("name the topics to fill: --pipeline SUFFIX, or one of them by its option")
    for source, target in pairs:
        by_key = source == archived.entries_topic
        started_s = time.monotonic()
        filler = Filler(given.kafka, store, source, target, names, by_key=by_key)
        count = filler.run(_progress)
        took_s = time.monotonic() - started_s
        print(f"{target}: {count} records of {source}, {took_s:.1f} s")
    return 0


def _progress(part: Part, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{part.topic}: {count:,} records", end="", file=sys.stderr, flush=True)


def _compare(given: argparse.Namespace, store: Store) -> int:
    names = names_of(given)
    kafka = KafkaOffsets(given.kafka, f"{names.group}-archive")
    reached = Reached(names.entries_topic, kafka.first_records)
    pinot = HttpPinotTier(given.controller, given.broker, reached, names.entries_table)
    try:
        give_up_s = time.monotonic() + given.timeout
        while not pinot.has_reached(kafka.stable_ends(names.entries_topic)):
            if time.monotonic() > give_up_s:
                raise NotServedError(f"Pinot is behind {names.entries_topic}")
            time.sleep(1)
        said = compare(store, _archived(given).entries_topic, pinot)
    finally:
        pinot.close()
    for line in said.differing[:SHOWN]:
        print(f"WRONG: {line}")
    print(
        f"{said.entries} entries of {said.hours} hours compared with {names.entries_table}: "
        + (f"{len(said.differing)} sums differ" if said.differing else "exact")
        + (f"; {said.malformed} archived records are no entries" if said.malformed else "")
    )
    return 1 if said.differing else 0


def _topics(names: Names) -> tuple[str, ...]:
    return (names.transactions_topic, *names.outcomes)


def _archived(given: argparse.Namespace) -> Names:
    return beside(given.of) if given.of else NAMES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev archive", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--archive", required=True, metavar="WHERE", help="a folder, or a URL: s3://bucket/folder")
    add("--kafka", metavar="SERVERS", help="host:port,…; check goes without")
    add("--controller", metavar="URL", help="Pinot's controller, for compare")
    add("--broker", metavar="URL", help="Pinot's broker, for compare")
    commands = parser.add_subparsers(dest="command", required=True, metavar="follow|check|fill|compare")  # fmt: skip
    one = commands.add_parser("follow", help="write down what comes")
    one.set_defaults(run=_follow)
    add = one.add_argument
    add("--once", action="store_true", help="up to where the topics end now")
    add("--rows", type=int, default=100_000, help="most records of a file (%(default)s)")
    add("--age-s", type=float, default=3600.0,
        help="a file is written this many seconds after its first record came (%(default)s)")  # fmt: skip
    add("--memory-mb", type=int, default=256, help="what waits may take together (%(default)s)")
    add("--accept-loss", action="store_true",
        help="note offsets that Kafka deleted unread as lost, and go on")  # fmt: skip
    add("--metrics-host", default="127.0.0.1")
    add("--metrics-port", type=int, help="where Prometheus may ask for the metrics")
    add_arguments(one)
    one = commands.add_parser("check", help="whether it is whole")
    one.set_defaults(run=_check)
    add_arguments(one)
    for name, short, run in (
        ("fill", "put what is archived into the topics of another pipeline", _fill),
        ("compare", "archived entries with Pinot's rows", _compare),
    ):
        one = commands.add_parser(name, help=short)
        one.set_defaults(run=run)
        one.add_argument("--of", metavar="SUFFIX", help="which pipeline was archived (the first)")
        add_arguments(one)
    add = one.add_argument
    add("--timeout", type=float, default=600.0, help="seconds for Pinot to read all there is")
    return parser


if __name__ == "__main__":
    sys.exit(main())
