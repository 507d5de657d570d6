"""What was filled from an archive tells pseudonyms of erased accounts: right where that was announced, and else found."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_jobs.audit.announced import fingerprint
from stream_jobs.audit.sums import HOUR_MS, Row
from stream_jobs.erasure.records import erased_row
from stream_jobs.events.erased_outcomes import ErasedOutcome
from stream_jobs.events.erased_rows import ErasedRows
from stream_jobs.topics.kafka_offsets import KafkaOffsetsError
from stream_jobs.topics.murmur2 import kafka_partition
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, reversal, transfer, uuid
from tests.audit_tiers import (
    ANNOUNCED,
    BEGIN_MS,
    ENTRIES,
    RAW,
    REJECTED,
    MemoryKafka,
    serve,
)
from tests.filled import announce_to, fill_erased, name_of

Audit = Callable[[], Bench]
ANN, CID = "ann", 'cid: a "b"'
EVENTS = [
    transfer(uuid(1), "5", ANN, "bob"),
    transfer(uuid(2), "7.50", "bob", ANN),
    transfer(uuid(3), "0.1", ANN, ANN),
    transfer(uuid(4), "3", "bob", "ann of another name"),
    transfer(uuid(1), "5", ANN, "bob"),
    reversal(uuid(5), uuid(1), "5"),
    reversal(uuid(6), uuid(9), "5"),
    reversal(uuid(7), uuid(4), "99"),
    transfer(uuid(8), "11", CID, ANN),
    b'{"from_account_id": "ann", "note": "\\u0061nn, bob", "amount": 7}',
    b"ann, and no JSON",
    b"junk",
]
# Of ann: the entries of five events, one of them reversed, and two rejected records.
ENTRIES_OF_ANN, REJECTED_OF_ANN = 10, 2


@pytest.fixture
def told(kafka: MemoryKafka, job: Job) -> MemoryKafka:
    """Events of all kinds, with their outcomes."""
    for number, each in enumerate(EVENTS):
        kafka.append(RAW, number % kafka.partitions, BEGIN_MS + number, each)
    job.run()
    return kafka


def entries(kafka: MemoryKafka) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for partition, log in enumerate(kafka.logs[ENTRIES]):
        for record in log:
            yield partition, record.offset, json.loads(record.value or b"")


def change(kafka: MemoryKafka, id_: str, direction: str, **fields: object) -> None:
    """Have an entry say something else."""
    for partition, offset, body in entries(kafka):
        if (body["transaction_id"], body["direction"]) == (id_, direction):
            log = kafka.logs[ENTRIES][partition]
            value = json.dumps(body | fields, separators=(",", ":")).encode()
            log[offset] = log[offset]._replace(value=value)


def looked(bench: Bench, times: int = 4) -> Bench:
    bench.pinot.rows_ = serve(bench.kafka).rows_
    bench.look(times)
    return bench


def test_what_was_erased_and_filled_is_right_by_its_pseudonym(
    told: MemoryKafka, job: Job, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    accounts = Counter(body["account_id"] for *_, body in entries(told))
    assert (accounts[name_of(ANN)], accounts[ANN], accounts["ann of another name"]) == (6, 0, 1)
    bench = looked(audit())
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == len(job.counted)
    assert list(bench.coverage.held) == [(2, 1)]
    assert not bench.coverage._matching.awaited
    hour = bench.state.hour(BEGIN_MS - BEGIN_MS % HOUR_MS, bench.now())
    sums = bench.pinot.sums([BEGIN_MS - BEGIN_MS % HOUR_MS], hour.vouched)
    assert hour.agrees(sums)
    assert sums != hour.counted
    bench.state.settle_erased(bench.now())
    assert bench.state.hour(BEGIN_MS - BEGIN_MS % HOUR_MS, bench.now()).gained == []
    bench.look(3)
    assert bench.kinds() == Counter()


def test_without_an_announcement_it_is_changed(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN], announced=False)
    bench = looked(audit())
    assert bench.kinds()["ENTRIES CHANGED"] == ENTRIES_OF_ANN // 2 + REJECTED_OF_ANN
    found = {each.transaction_id for each in findings_of(bench) if each.kind == "CHANGED"}
    assert found == {"", *(uuid(number) for number in (1, 2, 3, 5, 8))}


def test_both_accounts_of_an_entry_may_have_been_erased_one_after_the_other(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN, CID, "bob"])
    last = next(body for *_, body in entries(told) if body["transaction_id"] == uuid(8))
    assert {last["account_id"], last["counterparty_id"]} == {name_of(ANN), name_of(CID)}
    assert looked(audit()).kinds() == Counter()


@pytest.mark.parametrize(
    "fields",
    [
        {"account_id": name_of(CID)},
        {"account_id": name_of("nobody")},
        {"account_id": "eve"},
        {"counterparty_id": "eve"},
        {"counterparty_id": name_of(ANN)},
        {"account_id": "bob", "counterparty_id": name_of(ANN)},
        {"amount": "5.00000001"},
        {"amount": "5.0"},
        {"event_time_ms": BEGIN_MS + 1},
        {"kind": "REVERSAL"},
        {"reverses": uuid(9)},
    ],
)
def test_whatever_else_such_an_entry_says_is_changed(
    told: MemoryKafka, audit: Audit, tmp_path: Path, fields: dict[str, Any]
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN, CID])
    change(told, uuid(1), "SENT", **fields)
    bench = audit()
    bench.look()
    changed = [each for each in findings_of(bench) if each.kind == "CHANGED"]
    assert [each.transaction_id for each in changed] == [uuid(1)]


def test_a_rejected_record_with_another_payload_or_reason_is_changed(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    for partition, other in ((1, {"reason": "EMPTY"}), (2, {"payload_base64": "b3RoZXI="})):
        log = told.logs[REJECTED][partition]
        body = json.loads(log[0].value or b"")
        log[0] = log[0]._replace(value=json.dumps(body | other).encode())
    bench = audit()
    bench.look()
    places = [(each.partition, each.offset) for each in findings_of(bench)]
    assert places == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("topic", "wrong"),
    [
        (ENTRIES, {"amount": "6"}),
        (ENTRIES, {"account_id": "erased-x of another name"}),
        (ENTRIES, {"counterparty_id": "eve"}),
        (REJECTED, {"reason": "EMPTY"}),
    ],
)
def test_an_announcement_excuses_no_more_than_a_pseudonym(
    told: MemoryKafka, audit: Audit, topic: str, wrong: dict[str, str]
) -> None:
    """An erasure that writes more than it should announces that, too."""
    was = next(record for log in told.logs[topic] for record in log)
    body = json.loads(was.value or b"") | wrong
    now = json.dumps(body, separators=(",", ":")).encode()
    told.logs[topic][was.partition][was.offset] = was._replace(value=now)
    place = body["kafka_partition"], body["kafka_offset"]
    announce_to(told, "erased-x", [ErasedOutcome(*place, fingerprint(was.value), fingerprint(now))])
    bench = audit()
    bench.look()
    assert bench.kinds()["ENTRIES CHANGED"] == 1


def test_an_erasure_that_was_announced_and_not_done_does_not_hide_another(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    whole = {topic: [[*log] for log in logs] for topic, logs in told.logs.items()}
    fill_erased(told, tmp_path / "killed", [ANN])
    told.logs |= {**whole, ANNOUNCED: told.logs[ANNOUNCED]}
    fill_erased(told, tmp_path / "archive", [CID])
    assert looked(audit()).kinds() == Counter()


def test_what_is_announced_after_an_entry_was_read_is_known_before_it_is_judged(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    announcements = told.logs[ANNOUNCED]
    told.logs[ANNOUNCED] = [[]]
    bench = audit()
    while bench.auditor.read(0):
        pass
    told.logs[ANNOUNCED] = announcements
    assert looked(bench).kinds() == Counter()


def test_nothing_is_told_or_closed_while_kafka_does_not_say_what_was_announced(
    told: MemoryKafka, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    bench = audit()

    def away(*_: object) -> None:
        raise KafkaOffsetsError("away")

    with monkeypatch.context() as kafka:
        kafka.setattr(told, "read", away)
        for _ in range(2):
            with pytest.raises(KafkaOffsetsError):
                bench.look()
    assert (bench.kinds(), bench.auditor.matched) == (Counter(), 0)
    assert looked(bench).kinds() == Counter()


def test_announcements_are_not_read_as_long_as_nothing_differs(
    told: MemoryKafka, audit: Audit
) -> None:
    del told.logs[ANNOUNCED]
    assert looked(audit()).kinds() == Counter()


def test_killed_or_deleted_at_any_moment_it_finds_the_same(
    told: MemoryKafka, job: Job, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    change(told, uuid(2), "RECEIVED", amount="8")
    bench = audit()
    bench.auditor.read(0)
    bench = looked(audit())
    assert bench.kinds()["ENTRIES CHANGED"] == 1
    found = bench.kinds()
    told.append(RAW, 0, BEGIN_MS + 99, transfer(uuid(99), "1", ANN, "bob"))
    job.run()
    assert looked(audit()).kinds() == found
    for path in tmp_path.glob("*"):
        if path.name != "archive":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert looked(audit()).kinds() == found


def test_a_fill_that_was_under_way_at_the_erasure_is_right_on_both_sides_of_it(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    before = [[*log] for log in told.logs[ENTRIES]]
    fill_erased(told, tmp_path / "archive", [ANN])
    home = kafka_partition(ANN, told.partitions)
    told.logs[ENTRIES][home] = before[home]  # the rest of its file had been filled already
    bench = looked(audit())
    accounts = {
        each[side] for *_, each in entries(told) for side in ("account_id", "counterparty_id")
    }
    assert accounts >= {ANN, name_of(ANN)}
    assert bench.kinds() == Counter()


def test_pinots_rows_must_tell_what_the_entries_tell(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    bench = audit()
    bench.pinot.rows_ = serve(told).rows_
    row = next(row for row in bench.pinot.rows_ if row.account_id == name_of(ANN))
    bench.pinot.rows_[row._replace(account_id=ANN)] = bench.pinot.rows_.pop(row)
    bench.look(4)
    assert bench.kinds() == {"PINOT UNEXPLAINED": 1}


def test_an_erasure_of_the_filled_table_comes_on_top(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    bench = looked(audit())
    rows = [row for row in bench.pinot.rows_ if CID in (row.account_id, row.counterparty_id)]
    changes = [erased_row(row, CID, "erased-y") for row in rows]
    bench.state.take_erased([(0, ErasedRows("erased-y", "s", changes))], 1, bench.now())
    for row in rows:
        bench.pinot.rows_[_renamed(row, CID, "erased-y")] = bench.pinot.rows_.pop(row)
    bench.clock_ms += HOUR_MS
    bench.look(4)
    assert bench.kinds() == Counter()


def _renamed(row: Row, account: str, name: str) -> Row:
    first, second = (name if each == account else each for each in row[:2])
    return row._replace(account_id=first, counterparty_id=second)


def test_a_lost_entry_that_comes_after_all_may_tell_the_pseudonym(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    partition, offset, _ = next(
        each for each in entries(told) if each[2]["transaction_id"] == uuid(2)
    )
    log = told.logs[ENTRIES][partition]
    late = log.pop(offset)
    log[:] = [each._replace(offset=number) for number, each in enumerate(log)]
    bench = audit()
    bench.look()
    assert bench.kinds()["ENTRIES LOST_SIDE"] == 1
    told.append(ENTRIES, partition, BEGIN_MS, late.value, late.key)
    assert looked(bench).kinds() == Counter()


def test_an_erased_entry_that_is_there_twice_or_elsewhere_is_told(
    told: MemoryKafka, audit: Audit, tmp_path: Path
) -> None:
    fill_erased(told, tmp_path / "archive", [ANN])
    mine = [each for each in entries(told) if each[2]["account_id"] == name_of(ANN)]
    (home, twice, _), (_, elsewhere, _) = mine[:2]
    log = told.logs[ENTRIES][home]
    told.append(ENTRIES, home, BEGIN_MS, log[twice].value, log[twice].key)
    log[elsewhere] = log[elsewhere]._replace(key=ANN.encode())
    bench = audit()
    bench.look()
    kinds = {kind: n for kind, n in bench.kinds().items() if kind.startswith("ENTRIES")}
    assert kinds == {"ENTRIES DOUBLED": 1, "ENTRIES MISPLACED": 1}
