"""Replaces an account's id by a pseudonym wherever Pinot and the archive have it; without --apply it only says where.

Everybody's totals stay as they are; the account's history stays under the pseudonym, which only the key's holder can make
of an id. Segments are rewritten by Pinot's own classes and put in their own place, one at a time, so nothing stops and
nothing is missing meanwhile. Begun again it goes on. Kafka's topics are not rewritten: it says until when they hold what
they have. docs/erasure.md has the rest.
"""

from __future__ import annotations

import argparse
import getpass
import json
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from confluent_kafka import KafkaException

from stream_jobs import http_access
from stream_jobs.erasure.cluster import Cluster
from stream_jobs.erasure.erase import Eraser, ErasureError, Holding, classes_of
from stream_jobs.erasure.jvm import Jvm, RewriteError
from stream_jobs.erasure.kafka_keeps import Kept, kept
from stream_jobs.erasure.pinot_rows import PinotRows
from stream_jobs.erasure.pseudonyms import pseudonym
from stream_jobs.erasure.records import Erasure, KafkaRecords
from stream_jobs.erasure.segments import Segments
from stream_jobs.erasure.tables import ENTRIES, FINDINGS, REJECTED
from stream_jobs.events.account_ids import is_account_id
from stream_jobs.events.erased_accounts import MIN_KEY_BYTES, read_key, tag_of
from stream_jobs.events.erased_outcomes import ErasedOutcome
from stream_jobs.events.erased_text import Replacement
from stream_jobs.json_http import JsonHttpError, pinot_http
from stream_jobs.progress.pinot_served import HttpPinotServed
from stream_jobs.progress.segments import NotServedError
from stream_jobs.secret_files import AccessError
from stream_jobs.topics.access import checked
from stream_jobs.topics.admin import KafkaTopicAdmin, KafkaUnreachableError
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.names import Names, add_arguments, names_of
from stream_jobs.topics.producer import PublishError

HTTP_TIMEOUT_S: Final = 120.0
FAILURES: Final = (
    *(AccessError, ErasureError, RewriteError, JsonHttpError, NotServedError, KafkaOffsetsError),
    *(KafkaUnreachableError, KafkaException, PublishError, OSError),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: told or done; 1: done, and rows have come meanwhile; 2: wrong arguments, or it did not get through."""
    parser = _parser()
    given = parser.parse_args(arguments)
    checked(parser, given.kafka)
    http_access.checked(parser)
    account_id = sys.stdin.readline().rstrip("\r\n") if given.account == "-" else given.account
    if "," in given.controller or "," in given.broker:
        parser.error(
            "one controller and one broker, please: a segment is fetched from and sent to the same"
        )
    if not is_account_id(account_id):
        parser.error(f"{account_id!r} is no account id")
    try:
        said = _run(given, account_id, names_of(given))
    except FAILURES as failure:
        print(f"erase: {failure}", file=sys.stderr)
        return 2
    print(json.dumps(said) if given.json else _as_text(said))
    return 1 if given.apply and any(said["left"].values()) else 0


def _run(given: argparse.Namespace, account_id: str, names: Names) -> dict[str, Any]:
    key = read_key("--key", given.key)
    controller = pinot_http(given.controller, HTTP_TIMEOUT_S)
    rows = PinotRows(pinot_http(given.broker, HTTP_TIMEOUT_S))
    cluster = Cluster(controller, HttpPinotServed(given.controller, given.broker))
    records = KafkaRecords(given.kafka, names)
    tables = {names.entries_table: ENTRIES, names.rejected_table: REJECTED}
    classes = classes_of([cluster.segments(names.entries_table)])
    name = pseudonym(key, account_id, classes, records.pseudonyms())
    with TemporaryDirectory(prefix="erase-", dir=given.folder) as folder:
        jvm = Jvm(given.java.absolute(), given.classpath, given.heap, Path(folder))
        files = Segments(controller, jvm, Path(folder))
        eraser = Eraser(rows, cluster, files, records, _tell, given.timeout)
        try:
            holding = eraser.look(tables, account_id)
            told = rows.holding(names.audit_table, FINDINGS, account_id)
            done = None
            if given.apply:
                tag = tag_of(key, account_id)
                done = eraser.erase(tables, Replacement(account_id, name), tag, given.by, _now_ms)
        finally:
            jvm.close()
    announce = partial(records.write_outcomes, name) if given.apply else None
    archived = _in_archive(given, Replacement(account_id, name), names, announce)
    topics = (names.transactions_topic, names.entries_topic, names.rejected_topic)
    keeps = kept(names, KafkaTopicAdmin(given.kafka).live_topics(topics), _now_ms())
    return {**_report(name, holding, sum(told.values()), keeps, done), "archive": archived}


def _in_archive(
    given: argparse.Namespace,
    replacement: Replacement,
    names: Names,
    announce: Callable[[Sequence[ErasedOutcome]], None] | None,
) -> dict[str, dict[str, int]]:
    """By topic how many files and records of the archive hold the id, or held it; empty without an archive."""
    if not given.archive:
        return {}
    # pyarrow is there where an archive is.
    from stream_jobs.archive.erasing import erase
    from stream_jobs.archive.store import Store

    found = erase(Store(given.archive), names, replacement, announce)
    return {topic: asdict(each) for topic, each in found.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev erase", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("account", metavar="ACCOUNT", help="the id; -: the first line of standard input")
    add("--kafka", required=True, metavar="SERVERS", help="host:port,…")
    add("--controller", required=True, metavar="URL", help="Pinot's controller")
    add("--broker", required=True, metavar="URL", help="Pinot's broker")
    add("--key", required=True, type=Path, metavar="FILE",
        help=f"secret of {MIN_KEY_BYTES} bytes or more, the same for all erasures")  # fmt: skip
    add("--java", required=True, type=Path, metavar="FILE", help="the program of a Java 17")
    add("--classpath", required=True, help="of the Pinot that runs; absolute paths")
    add(
        "--heap",
        default="2g",
        help="memory of that Java; a segment needs a few times its size (%(default)s)",
    )
    add("--archive", metavar="WHERE", help="where stream_jobs.archive writes; a folder or a URL")
    add("--folder", type=Path, help="where a segment is rewritten; it holds the id for so long")
    add("--apply", action="store_true", help="do it; without it nothing is changed")
    add("--by", default=_whoever(), help="who does it, as it is recorded (%(default)s)")
    add("--json", action="store_true", help="for programs")
    add("--timeout", type=float, default=300.0, help="seconds for Pinot to take a segment")
    add_arguments(parser)
    return parser


def _report(
    name: str, holding: Sequence[Holding], told: int, keeps: Sequence[Kept], done: Erasure | None
) -> dict[str, Any]:
    return {
        "applied": done is not None,
        "pseudonym": name,
        "held": {each.table: each.total for each in holding},
        "being_filled": {each.table: each.in_filling for each in holding},
        "segments": {each.table: len(each.rows) for each in holding},
        "audit_records": told,
        "kafka_until": {each.topic: _instant(each.until_ms) for each in keeps},
        "replaced": dict(done.rows) if done else {},
        "left": dict(done.left) if done else {},
        "record": asdict(done) if done else None,
    }


def _as_text(said: Mapping[str, Any]) -> str:
    lines = []
    for table, rows in said["held"].items():
        filled = said["being_filled"][table]
        more = f", {filled} of them in segments that are being filled" if filled else ""
        lines.append(f"{table}: {rows} rows in {said['segments'][table]} segments{more}")
    if said["applied"]:
        replaced = sum(said["replaced"].values())
        lines.append(f"{replaced} rows tell {said['pseudonym']} now.")
        lines += [
            f"{rows} rows of {table} have come meanwhile: run it again."
            for table, rows in said["left"].items()
            if rows
        ]
    if said["audit_records"]:
        lines.append(
            f"{said['audit_records']} records of the audit's findings name it; they are gone after a day, unless it is found again."
        )
    lines += [
        f"Archive, {topic}: {found['records']} records in {found['files']} files."
        for topic, found in said["archive"].items()
    ]
    for topic, until in said["kafka_until"].items():
        how_long = f"is gone by {until}" if until else "stays for ever (retention.ms is -1)"
        lines.append(f"Kafka, {topic}: what it holds now {how_long}.")
    if not said["applied"]:
        lines.append(f"Nothing was changed; --apply puts {said['pseudonym']} in its place.")
    return "\n".join(lines)


def _instant(time_ms: int | None) -> str | None:
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whoever() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user may have no name
        return socket.gethostname()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
