"""An account erased with `./dev erase` from the real Pinot: its rows tell a pseudonym, and nothing else changes."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from stream_jobs.audit.pinot_tier import HttpPinotTier
from stream_jobs.audit.state import State
from stream_jobs.topics.kafka_offsets import KafkaOffsets
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Reached
from tests.integration.ledger import Record, Transfer, transfers
from tests.integration.running_stack import PORTS, RunningStack, now_ms, wait_until
from tests.integration.test_pipeline import read_all

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
ERASED = "Erase O'Me-1"
OTHERS = [f"{ERASED}2", "stays-a", "stays-b", "stays-c"]


def test_an_erased_account_is_told_by_its_pseudonym_and_nobody_elses_totals_change(
    stack: RunningStack,
) -> None:
    hour_ms = (now_ms() - 2 * DAY_MS) // HOUR_MS * HOUR_MS
    window = (hour_ms, hour_ms + HOUR_MS)
    sent = transfers(15, 400, [ERASED, *OTHERS], *window)
    sent.append(Transfer(str(uuid4()), ERASED, ERASED, "0.30", hour_ms))
    stack.ledger.add(sent)
    stack.ledger.rejected += 2
    wrong = [rejected(ERASED, hour_ms), rejected(OTHERS[0], hour_ms)]
    stack.wait_complete(stack.send([*(each.record() for each in sent), *wrong]))
    stack.assert_exact([ERASED, *OTHERS], window)
    entries = sum(ERASED in (each.from_account_id, each.to_account_id) for each in sent) * 2

    archived = stack.dev("archive", "follow", "--once")
    assert archived.returncode == 0, archived.stdout + archived.stderr
    told = erase(stack)
    assert told["held"] == {"account_entries": entries, "transactions_rejected": 1}
    assert not told["applied"]
    assert told["kafka_until"] == dict.fromkeys(
        (NAMES.transactions_topic, NAMES.entries_topic, NAMES.rejected_topic)
    )
    assert erase(stack)["held"] == told["held"]
    in_archive = {topic: found["records"] for topic, found in told["archive"].items()}
    assert in_archive == {
        NAMES.transactions_topic: entries // 2 + 1,
        NAMES.entries_topic: entries,
        NAMES.rejected_topic: 1,
        NAMES.uncounted_topic: 0,
    }

    done = erase(stack, "--apply", "--by", "ann")
    name = done["pseudonym"]
    assert name == told["pseudonym"]
    assert done["replaced"] == told["held"]
    assert done["left"] == {"account_entries": 0, "transactions_rejected": 0}
    assert_nowhere(stack, told["segments"])
    assert done["archive"] == told["archive"]
    assert_archive_agrees(stack)

    stack.ledger.rename(ERASED, name)
    stack.wait_complete(now_ms())
    stack.assert_exact([name, ERASED, *OTHERS], window)
    assert_audit_agrees(stack, hour_ms)

    records = read_all(stack, NAMES.erasures_topic)
    mine = [each for each in records if each["pseudonym"] == name]
    assert [(each["state"], each["by"]) for each in mine] == [("BEGUN", "ann"), ("DONE", "ann")]
    assert mine[-1]["rows"] == told["held"]
    outcomes = read_all(stack, NAMES.erased_outcomes_topic)
    assert (
        sum(len(each["outcomes"]) for each in outcomes if each["pseudonym"] == name) == entries + 1
    )
    assert ERASED not in json.dumps(
        [*records, *outcomes, *read_all(stack, NAMES.erased_rows_topic)]
    )
    verified = stack.dev("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    late = Transfer(str(uuid4()), OTHERS[1], ERASED, "1", hour_ms)
    stack.wait_complete(stack.send([late.record()]))
    again = erase(stack)
    assert again["held"] == {"account_entries": 2, "transactions_rejected": 0}
    assert again["pseudonym"] == name
    stack.ledger.add([late])
    stack.assert_exact([name, ERASED, *OTHERS], window)


def erase(stack: RunningStack, *options: str) -> dict[str, Any]:
    said = stack.dev("erase", "-", "--json", *options, stdin=f"{ERASED}\n")
    assert said.returncode == 0, said.stdout + said.stderr
    assert ERASED not in said.stdout + said.stderr
    body: dict[str, Any] = json.loads(said.stdout)
    return body


def rejected(account: str, at_ms: int) -> Record:
    body = {
        "from_account_id": account,
        "to_account_id": "stays-a",
        "transaction_id": str(uuid4()),
        "amount": 7,
    }
    return Record(json.dumps(body).encode(), at_ms)


def assert_nowhere(stack: RunningStack, segments: dict[str, int]) -> None:
    """No file of Pinot's has the id, packed or not; of what is being filled, Pinot itself has said so."""
    everything = (stack.state / "data" / "pinot").rglob("*")
    files = [each for each in everything if each.is_file() and each.parent.name != "consumers"]
    assert len(files) > sum(segments.values())
    holding = [each for each in files if holds(each)]
    assert not holding, holding


def holds(file: Path) -> bool:
    if not tarfile.is_tarfile(file):
        return has_id(file.read_bytes())
    with tarfile.open(file) as archive:
        opened = [archive.extractfile(each) for each in archive.getmembers() if each.isfile()]
        return any(has_id(each.read()) for each in opened if each)


def assert_archive_agrees(stack: RunningStack) -> None:
    """It holds the id nowhere, covers what it covered, and says what Pinot says."""
    folder = stack.state / "data" / "archive"
    values = duckdb.execute(f"SELECT key, value FROM read_parquet('{folder}/*/**/*.parquet')")
    assert not [row for row in values.fetchall() if any(has_id(each or b"") for each in row)]
    assert not [rows for rows in erase(stack)["archive"].values() if rows["records"]]
    for command in ("check", "compare"):
        said = stack.dev("archive", command)
        assert said.returncode == 0, said.stdout + said.stderr


def has_id(content: bytes) -> bool:
    return ERASED.encode() in content.replace(OTHERS[0].encode(), b"")


def assert_audit_agrees(stack: RunningStack, hour_ms: int) -> None:
    """By its own file and Pinot's hashes: with the pseudonym as announced, and not without."""
    kafka = KafkaOffsets(stack.kafka, NAMES.group)
    announced = kafka.stable_ends(NAMES.erased_rows_topic)[0]
    controller, broker = (PORTS[f"STACK_PINOT_{part}_PORT"] for part in ("CONTROLLER", "BROKER"))
    pinot = HttpPinotTier(
        f"http://127.0.0.1:{controller}",
        f"http://127.0.0.1:{broker}",
        Reached(NAMES.entries_topic, kafka.first_records),
        NAMES.entries_table,
    )
    state = State(stack.state / "data" / "audit" / "audit.sqlite3")
    try:
        wait_until(lambda: state.number("erased_to") >= announced, 30, "it follows no erasures")
        hour = state.hour(hour_ms, now_ms() + DAY_MS)
        sums = pinot.sums([hour_ms], hour.vouched)
        assert hour.agrees(sums)
        assert sums != hour.counted
        assert not [each for each in state.findings.mismatches(100, 100) if each.tier == "PINOT"]
    finally:
        state.close()
        pinot.close()
