"""What Kafka had, archived by a process that is killed, read by DuckDB, and another Pinot filled from it: to the digit.

An account is erased before the second one is filled, which changes its name and nothing else.

All that the stack ever had is compared, so it must be its own: `./dev test tests/long/test_archive.py`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import duckdb
import httpx
import pytest
from confluent_kafka.admin import AdminClient

from stream_jobs.audit.once import following
from stream_jobs.events.settings import DEFAULT
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES, Names, beside
from tests.integration.ledger import Ledger, Record, Reversal, Transfer, transfers
from tests.integration.running_stack import CHECKOUT, PORTS, RunningStack, now_ms, wait_until

DAY_MS = 86_400_000
ERASED = "arch-d"
ACCOUNTS = ["arch-a", 'arch-"b"', "arch-ç", ERASED, f"{ERASED} and sons"]
SUFFIX = "fromarchive"
OTHER = beside(SUFFIX)
PINOT = f"http://127.0.0.1:{PORTS['STACK_PINOT_CONTROLLER_PORT']}"


@pytest.fixture
def other_pipeline(stack: RunningStack) -> Iterator[Names]:
    """The topics and tables of an empty pipeline, gone afterwards."""
    module(stack, "stream_jobs.topics", "--pipeline", SUFFIX)
    module(stack, "pinot_config.apply", "--controller", PINOT, "--pipeline", SUFFIX)
    yield OTHER
    for first, table in OTHER.called.items():
        if "_" in first:
            httpx.delete(f"{PINOT}/tables/{table}?type=realtime", trust_env=False, timeout=30)
    own = [topic for first, topic in OTHER.called.items() if topic != first and "_" not in topic]
    kafka = AdminClient({"bootstrap.servers": stack.kafka})
    for deleted in kafka.delete_topics(own).values():
        deleted.result(30)


def module(stack: RunningStack, name: str, *arguments: str) -> None:
    said = subprocess.run(
        [sys.executable, "-P", "-m", name, "--kafka", stack.kafka, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr


def archive(stack: RunningStack, *arguments: str) -> str:
    said = stack.dev("archive", *arguments)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def files(stack: RunningStack) -> list[Path]:
    return list((stack.state / "data" / "archive").rglob("*.parquet"))


@contextmanager
def until_killed(stack: RunningStack, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the archive, which is killed when the block ends."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "stream_jobs.archive", "--kafka", stack.kafka),
            *("--archive", str(stack.state / "data" / "archive"), *arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def some_events(seed: int) -> tuple[list[Transfer], list[Record]]:
    """What counts of 300 events; and these, some of them twice, some undone, some not legal."""
    fresh = transfers(seed, 300, ACCOUNTS, now_ms() - 2 * DAY_MS, now_ms())
    undone = [Reversal(str(uuid4()), each, now_ms()) for each in fresh[:5]]
    headers = (("h", b"\xff"), ("n", None))
    wrong = [
        Record(value, now_ms(), b"k", headers)
        for value in (b"no event", b"no event", json.dumps({"to_account_id": ERASED}).encode())
    ]
    records = [
        *(each.record() for each in fresh),
        *(each.record(shouted=True) for each in fresh[10:30]),
        *(each.record() for each in undone),
        *wrong,
    ]
    return [*fresh, *(each.effect for each in undone)], records


def test_another_pinot_filled_from_the_archive_is_exact(
    stack: RunningStack, other_pipeline: Names
) -> None:
    for seed in (71, 72):
        with until_killed(stack, "follow", "--rows", "20", "--age-s", "2") as archiver:
            before = len(files(stack))
            counted, records = some_events(seed)
            stack.ledger.add(counted)
            stack.ledger.rejected += 3
            sent_ms = stack.send(records)
            wait_until(lambda: len(files(stack)) >= before + 5, 60, "nothing is archived")  # noqa: B023 - done before the next
            assert archiver.poll() is None
        stack.wait_complete(sent_ms)
    archive(stack, "follow", "--once")
    checked = archive(stack, "check")
    assert "compared with Kafka's, 0 offsets behind Kafka" in checked
    stack.assert_exact(ACCOUNTS, (now_ms() - 3 * DAY_MS, now_ms()))
    assert totals(stack) == totals_of(stack.ledger)
    assert every_raw_record_has_one_outcome(stack)

    told = stack.dev("erase", "-", "--apply", "--json", stdin=f"{ERASED}\n")
    assert told.returncode == 0, told.stdout + told.stderr
    stack.ledger.rename(ERASED, json.loads(told.stdout)["pseudonym"])
    assert totals(stack) == totals_of(stack.ledger)

    kafka = KafkaOffsets(stack.kafka, NAMES.group)
    with until_killed(stack, "fill", "--pipeline", SUFFIX) as filler:
        wait_until(lambda: any(kafka.ends(OTHER.entries_topic).values()), 60, "nothing is filled")
    assert filler.returncode in (-signal.SIGKILL, 0)
    again(stack)
    assert all(": 0 records" in each for each in again(stack))
    whole = f"{2 * len(stack.ledger.transfers)} entries"
    for pipeline in ((), ("--pipeline", SUFFIX)):
        said = archive(stack, "compare", *pipeline)
        assert said.startswith(whole)
        assert said.endswith("exact\n")
    assert_audited(stack, other_pipeline)

    # It goes on, and what is not there is told.
    late = Transfer(str(uuid4()), ACCOUNTS[0], ACCOUNTS[1], "0.00000001", now_ms() - 30 * DAY_MS)
    stack.ledger.add([late])
    stack.wait_complete(stack.send([late.record()]))
    archive(stack, "follow", "--once")
    behind = stack.dev("archive", "compare", "--pipeline", SUFFIX)
    assert behind.returncode == 1
    assert "WRONG" in behind.stdout
    assert f"{OTHER.entries_topic}: 2 records" in "\n".join(again(stack))
    assert archive(stack, "compare", "--pipeline", SUFFIX).endswith("exact\n")


def again(stack: RunningStack) -> list[str]:
    return archive(stack, "fill", "--pipeline", SUFFIX).splitlines()


def table(stack: RunningStack, topic: str) -> str:
    folder = stack.state / "data" / "archive" / topic
    return f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"


def totals(stack: RunningStack) -> dict[tuple[str, str], tuple[int, Fraction]]:
    """By account and direction, as DuckDB sums them up."""
    rows = duckdb.execute(
        "SELECT account_id, direction, count(*), sum(amount) "
        f"FROM {table(stack, NAMES.entries_topic)} GROUP BY ALL"
    ).fetchall()
    return {(account, side): (count, Fraction(amount)) for account, side, count, amount in rows}


def totals_of(ledger: Ledger) -> dict[tuple[str, str], tuple[int, Fraction]]:
    found: dict[tuple[str, str], tuple[int, Fraction]] = defaultdict(lambda: (0, Fraction(0)))
    for each in ledger.transfers.values():
        for key in ((each.to_account_id, "RECEIVED"), (each.from_account_id, "SENT")):
            count, amount = found[key]
            found[key] = (count + 1, amount + Fraction(each.amount))
    return dict(found)


def every_raw_record_has_one_outcome(stack: RunningStack) -> bool:
    """By the archive alone: the places of raw records, and those that outcomes tell."""
    place = "SELECT kafka_partition, kafka_offset FROM"
    outcomes = duckdb.execute(
        f"{place} {table(stack, NAMES.entries_topic)} WHERE direction = 'RECEIVED' "
        f"UNION ALL {place} {table(stack, NAMES.rejected_topic)} "
        f"UNION ALL {place} {table(stack, NAMES.uncounted_topic)} WHERE outcome = 'DUPLICATE' ORDER BY ALL"
    ).fetchall()
    raw = duckdb.execute(
        f'SELECT partition::INT, "offset" FROM {table(stack, NAMES.transactions_topic)} ORDER BY ALL'
    ).fetchall()
    return outcomes == raw and len(raw) > 600


def assert_audited(stack: RunningStack, other: Names) -> None:
    """Every raw record has its outcome in the topics that were filled, as it was or as it was erased, and nothing else stands there."""
    topics = {"rejected_topic": other.rejected_topic, "uncounted_topic": other.uncounted_topic}
    names = replace(NAMES, entries_topic=other.entries_topic, **topics)
    wanted = KafkaOffsets(stack.kafka, names.group).stable_ends(names.transactions_topic)
    audit = following(stack.kafka, names, DEFAULT)
    try:
        audit.follow(wanted, 60, lambda _: None)
        assert audit.findings == []
        assert audit.coverage.lost == {}
    finally:
        audit.close()


def test_what_kafka_had_is_archived_byte_for_byte(stack: RunningStack) -> None:
    strange = Record(b"\xff\x00 no event", now_ms() - 3, b"\xfe", (("h", b"\xff"), ("n", None)))
    stack.ledger.rejected += 1
    stack.wait_complete(stack.send([strange]))
    archive(stack, "follow", "--once")
    found = duckdb.execute(
        'SELECT key, headers, epoch_ms("time") FROM '
        f"{table(stack, NAMES.transactions_topic)} WHERE value = '\\xFF\\x00 no event'::BLOB"
    ).fetchall()
    assert found == [
        (
            strange.key,
            [{"name": "h", "value": b"\xff"}, {"name": "n", "value": None}],
            strange.time_ms,
        )
    ]
