"""An id leaves the archive however it is spelt, and every other byte stays."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stream_jobs.archive.checking import checked
from stream_jobs.archive.columns import packed, says
from stream_jobs.archive.erasing import Erased, erase, without
from stream_jobs.archive.layout import Part
from stream_jobs.archive.open_parts import Limits
from stream_jobs.archive.store import Store
from stream_jobs.audit.announced import fingerprint
from stream_jobs.audit.readers import Record
from stream_jobs.events.erased_outcomes import ErasedOutcome
from stream_jobs.events.erased_text import Replacement
from stream_jobs.topics.names import NAMES, beside
from tests.unit.stream_jobs.archive.kafka_log import SEVEN_MS, TOPIC, KafkaLog, archived, archiver

ANN, NAME = "Ann-1", "erased-x"
REPLACEMENT = Replacement(ANN, NAME)
BROKEN = b'{"to_account_id": "Ann-1", "amount": 7'


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        (b'{"to_account_id" : "Ann-1",  "x": 1}', b'{"to_account_id" : "erased-x",  "x": 1}'),
        (b'{"a": "\\u0041nn-1", "b": "Bob"}', b'{"a":"erased-x","b":"Bob"}'),
        (b'{"Ann-1": "Ann-1"}', b'{"Ann-1":"erased-x"}'),
        (b'{"to_account_id": "Ann-1 "}', b'{"to_account_id": "erased-x "}'),
        (b"Ann-1, not Ann-12, xAnn-1 or Ann-1.5 \xff", b"erased-x, not Ann-12, xAnn-1 or Ann-1.5 \xff"),
        (BROKEN, BROKEN.replace(b"Ann-1", b"erased-x")),
        (b'{"other": "Ann-10", "u": "\\u0041"}', b'{"other": "Ann-10", "u": "\\u0041"}'),
        (None, None),
    ],
)  # fmt: skip
def test_a_value_is_as_it_was_but_for_the_id(was: bytes | None, is_: bytes | None) -> None:
    record = Record(TOPIC, 0, 1, 2, was, was, [("h", was), ("n", None)])
    assert without(record, REPLACEMENT) == Record(
        TOPIC, 0, 1, 2, is_, is_, [("h", is_), ("n", None)]
    )


def test_what_a_rejected_event_was_is_found_in_its_base64() -> None:
    body = {
        "reason": "AMOUNT_NOT_A_STRING",
        "payload": BROKEN.decode(),
        "payload_base64": b64(BROKEN),
        "key_base64": b64(b"Ann-1"),
        "headers": json.dumps({"h": b64(b"Ann-1"), "n": None}),
    }
    told = without(Record(TOPIC, 0, 1, 2, None, json.dumps(body).encode(), None), REPLACEMENT)
    said = json.loads(told.value or b"")
    anonymous = BROKEN.replace(ANN.encode(), NAME.encode())
    assert said["payload"] == anonymous.decode()
    assert said["payload_base64"] == b64(anonymous)
    assert said["key_base64"] == b64(NAME.encode())
    assert json.loads(said["headers"]) == {"h": b64(NAME.encode()), "n": None}
    assert said["reason"] == body["reason"]


@pytest.mark.parametrize("account", ["SENT", "direction", "account_id", "erased-x"])
def test_an_account_that_is_called_as_one_of_our_words_leaves_them_alone(account: str) -> None:
    body = {"account_id": account, "counterparty_id": "b", "direction": "SENT"}
    given = Record(TOPIC, 0, 1, 2, None, json.dumps(body).encode(), None)
    told = without(given, Replacement(account, "erased-y"))
    assert json.loads(told.value or b"") == {**body, "account_id": "erased-y"}


@pytest.mark.parametrize("other", ["Ann-1 and sons", "bank:Ann-1", "Ann-1@home", "(Ann-1)"])
def test_another_account_whose_id_has_it_within_keeps_its_own(other: str) -> None:
    """Its rows in Pinot keep it, and its entries must be found by its key."""
    given = entry(1, other, "Ann-1")
    told = without(given, REPLACEMENT, keyed_by_account=True)
    assert told == entry(1, other, NAME)._replace(value=told.value)
    said = json.loads(told.value or b"")
    assert said == json.loads(given.value or b"") | {"counterparty_id": NAME}
    raw = {"from_account_id": other, "to_account_id": "Ann-1", "note": "for Ann-1"}
    was = Record(NAMES.transactions_topic, 0, 1, 2, b"k", json.dumps(raw).encode(), None)
    is_ = {**raw, "to_account_id": NAME, "note": f"for {NAME}"}
    assert json.loads(without(was, REPLACEMENT).value or b"") == is_


def entry(offset: int, account: str, other: str) -> Record:
    body = {
        "account_id": account, "counterparty_id": other, "direction": "SENT",
        "transaction_id": f"id-{offset}", "amount": "1.50", "event_time_ms": SEVEN_MS,
        "kind": "TRANSFER", "reverses": None, "kafka_partition": 0, "kafka_offset": offset,
    }  # fmt: skip
    return Record(TOPIC, 0, offset, SEVEN_MS, account.encode(), json.dumps(body).encode(), None)


def test_only_files_that_hold_it_are_written_anew_and_they_cover_what_they_covered(
    tmp_path: Path,
) -> None:
    records = [
        *(entry(n, "bob", "Ann-12") for n in range(4)),
        *(entry(n, *sides) for n, sides in ((4, ("bob", ANN)), (5, ("x", "y")), (7, (ANN, ANN)))),
    ]
    store = Store(str(tmp_path))
    log = KafkaLog({0: records}, {0: 9})
    archiver(log, store, Limits(4, 10, 10**9)).run([TOPIC], threading.Event(), once=True)
    paths = sorted(tmp_path.rglob("*.parquet"))
    contents = [path.read_bytes() for path in paths]

    dry = erase(store, NAMES, REPLACEMENT, None)
    assert dry[TOPIC] == Erased(1, 2)
    assert [path.read_bytes() for path in paths] == contents

    announced: list[ErasedOutcome] = []
    files_then: list[bytes] = []

    def announce(outcomes: Sequence[ErasedOutcome]) -> None:
        files_then.extend(path.read_bytes() for path in paths)
        announced.extend(outcomes)

    assert erase(store, NAMES, REPLACEMENT, announce) == dry
    assert files_then == contents  # it is announced before
    now = {4: entry(4, "bob", NAME), 7: entry(7, NAME, NAME)}
    assert announced == [
        ErasedOutcome(0, was.offset, fingerprint(was.value), fingerprint(now[was.offset].value))
        for was in records
        if was.offset in now
    ]
    assert sorted(tmp_path.rglob("*.parquet")) == paths
    assert paths[0].read_bytes() == contents[0]
    found = checked(store, TOPIC, 0)
    assert (found.faults, found.erased, found.records) == ([], 1, 7)
    _, is_ = archived(store, 0)
    assert is_ == [
        *records[:4],
        entry(4, "bob", NAME),
        records[5],
        entry(7, NAME, NAME),
    ]
    assert all(b"Ann-1" not in path.read_bytes().replace(b"Ann-12", b"") for path in paths)
    assert erase(store, NAMES, REPLACEMENT, announce)[TOPIC] == Erased(0, 0)


def test_what_another_pipeline_has_archived_there_is_erased_as_well(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for topic, said in says(beside("two")).items():
        part = Part(topic, 0, SEVEN_MS, 0, 1)
        store.put(part, packed(part, [entry(0, ANN, "bob")._replace(topic=topic)], said))
    announced: list[ErasedOutcome] = []
    found = erase(store, NAMES, REPLACEMENT, announced.extend)
    assert found == {
        **dict.fromkeys(says(NAMES), Erased(0, 0)),
        **dict.fromkeys(says(beside("two")), Erased(1, 1)),
        NAMES.transactions_topic: Erased(1, 1),
    }
    assert len(announced) == 3  # a raw record is no outcome, whatever it says
    entries = next((tmp_path / beside("two").entries_topic).rglob("*.parquet"))
    (told,) = pq.read_table(entries, partitioning=None).to_pylist()
    assert (told["account_id"], told["key"]) == (NAME, NAME.encode())
