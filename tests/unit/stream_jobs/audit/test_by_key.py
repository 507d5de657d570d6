"""What comes for an erased account may be kept, told by its pseudonym or refused; what comes for any other may not."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stream_jobs.audit.by_key import CLOCKS_DIFFER_MS, NO_KEY, ByKey
from stream_jobs.audit.once import Following
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.events.erased_accounts import WrongKeyError, refusal, tag_of
from stream_jobs.job.erasures import Erasures
from stream_jobs.tools.counted import Counted
from stream_jobs.topics.names import NAMES
from tests.audit_bench import Bench, findings_of
from tests.audit_job import Job, reversal, transfer, uuid
from tests.audit_tiers import (
    BEGIN_MS,
    ENTRIES,
    ERASURES,
    RAW,
    REJECTED,
    MemoryKafka,
    MemoryReader,
    serve,
)
from tests.filled import name_of

KEY = b"k" * 32
ERASED_MS = BEGIN_MS + 60_000
AFTER_MS = ERASED_MS + 60_000
Audit = Callable[[], Bench]
BEFORE = [
    transfer(uuid(1), "5", "ann", "bob"),
    transfer(uuid(2), "6", "cid", "bob"),
    transfer(uuid(3), "7", "bob", "ann"),
    reversal(uuid(4), uuid(9), "8"),
]
AFTER = [
    transfer(uuid(1), "5", "ann", "bob"),
    transfer(uuid(5), "1", "ann", "bob"),
    transfer(uuid(5), "1", "ann", "bob"),
    transfer(uuid(6), "2", "bob", "ann"),
    transfer(uuid(7), "3", "ann", "ann"),
    transfer(uuid(9), "8", "ann", "bob"),
    transfer(uuid(10), "4", "cid", "bob"),
    reversal(uuid(11), uuid(1), "5"),
    reversal(uuid(11), uuid(1), "5"),
    reversal(uuid(12), uuid(1), "5"),
    reversal(uuid(13), uuid(5), "99"),
    transfer(uuid(14), "no amount", "cid", "ann"),
    b"ann, and no JSON",
]


@pytest.fixture
def key() -> bytes | None:
    return KEY


@pytest.fixture
def audit(kafka: MemoryKafka, tmp_path: Path, key: bytes | None) -> Iterator[Audit]:
    """With the key of erasures, or without."""
    begun: list[Bench] = []

    def begin() -> Bench:
        erasures = Erasures(kafka, ERASURES, key) if key else None
        begun.append(Bench(kafka, serve(kafka), tmp_path, known=ByKey(erasures)))
        return begun[-1]

    yield begin
    for bench in begun:
        bench.close()


def erase(kafka: MemoryKafka, account: str, at_ms: int = ERASED_MS) -> None:
    told = {"pseudonym": name_of(account), "tag": tag_of(KEY, account)}
    kafka.append(ERASURES, 0, at_ms, json.dumps(told).encode())


def send(kafka: MemoryKafka, events: list[bytes], time_ms: int) -> None:
    for number, each in enumerate(events):
        kafka.append(RAW, number % kafka.partitions, time_ms + number, each)


def run(kafka: MemoryKafka, job: Job, what: str) -> None:
    """Events before the erasure of ann, and after."""
    send(kafka, BEFORE, BEGIN_MS)
    job.run()
    erase(kafka, "ann")
    if what != "kept":
        job.erased = lambda ids: {id_: name_of(id_) for id_ in ids if id_ == "ann"}
    job.refuse = what == "refused"
    send(kafka, AFTER, AFTER_MS)
    job.run()


def change(kafka: MemoryKafka, topic: str, id_: str, **fields: object) -> None:
    """Have the outcomes of an event say something else."""
    for log in kafka.logs[topic]:
        for offset, record in enumerate(log):
            body = json.loads(record.value or b"")
            said = body.get("payload_base64")
            if id_ in (body.get("transaction_id"), said and _id_in(said)):
                value = json.dumps(body | fields, separators=(",", ":")).encode()
                log[offset] = record._replace(value=value)


def _id_in(payload_base64: str) -> object:
    try:
        return json.loads(base64.b64decode(payload_base64)).get("transaction_id")
    except ValueError:
        return None


def refuse(kafka: MemoryKafka, event: bytes, time_ms: int, account: str = "bob") -> None:
    """Reject an event for an account, as if that was erased."""
    job = Job(kafka)
    partition = len(kafka.logs[RAW]) - 1
    record = kafka.append(RAW, partition, time_ms, event)
    names = {account: name_of(account)}
    job.reject(record, refusal(event, names))


def _among(names: dict[str, str], asked: Iterable[str]) -> dict[str, str]:
    return {id_: names[id_] for id_ in asked if id_ in names}


def bodies(kafka: MemoryKafka, topic: str) -> list[dict[str, Any]]:
    return [json.loads(r.value or b"") for log in kafka.logs[topic] for r in log]


@pytest.mark.parametrize("what", ["kept", "pseudonymised", "refused"])
def test_whatever_is_set_is_right(kafka: MemoryKafka, job: Job, audit: Audit, what: str) -> None:
    run(kafka, job, what)
    bench = audit()
    bench.look(4)
    assert bench.kinds() == Counter()
    assert bench.auditor.matched == len(job.counted)
    assert bench.auditor.history.duplicates == {"kept": 3, "pseudonymised": 3, "refused": 2}[what]
    assert not bench.coverage._matching.awaited
    names = Counter(body["account_id"] for body in bodies(kafka, ENTRIES))
    assert names[name_of("ann")] == {"kept": 0, "pseudonymised": 6, "refused": 0}[what]
    assert (names["cid"], names["ann"]) == (2, {"kept": 9, "pseudonymised": 3, "refused": 2}[what])
    reasons = Counter(body["reason"] for body in bodies(kafka, REJECTED))
    assert reasons["ACCOUNT_ERASED"] == (8 if what == "refused" else 0)
    bench.state.settle_erased(bench.now() + HOUR_MS)
    bench.look(3)
    assert bench.kinds() == Counter()


@pytest.mark.parametrize("key", [None])
@pytest.mark.parametrize("what", ["pseudonymised", "refused"])
def test_without_the_key_it_is_changed_and_says_why_nobody_can_tell(
    kafka: MemoryKafka, job: Job, audit: Audit, what: str
) -> None:
    run(kafka, job, what)
    bench = audit()
    bench.look(4)
    changed = [each.detail for each in findings_of(bench) if each.kind == "CHANGED"]
    assert changed
    # Rejected for its amount, and but for its payload as ever.
    other = [each for each in changed if not each.endswith(NO_KEY)]
    assert [each.split(";")[0] for each in other] == ["its outcome is REJECTED AMOUNT_MALFORMED"]


def test_another_key_explains_nothing_and_is_told(
    kafka: MemoryKafka, job: Job, tmp_path: Path
) -> None:
    run(kafka, job, "refused")
    bench = Bench(kafka, serve(kafka), tmp_path, known=ByKey(Erasures(kafka, ERASURES, b"o" * 32)))
    with pytest.raises(WrongKeyError):
        bench.look(4)
    bench.close()


@pytest.mark.parametrize(
    ("id_", "fields"),
    [
        (uuid(5), {"account_id": name_of("cid")}),
        (uuid(5), {"counterparty_id": name_of("bob")}),
        (uuid(5), {"amount": "2"}),
        (uuid(10), {"account_id": name_of("cid")}),
        (uuid(10), {"counterparty_id": name_of("ann")}),
    ],
)
def test_a_pseudonym_that_is_not_the_accounts_own_is_found(
    kafka: MemoryKafka, job: Job, audit: Audit, id_: str, fields: dict[str, str]
) -> None:
    run(kafka, job, "pseudonymised")
    change(kafka, ENTRIES, id_, **fields)
    bench = audit()
    bench.look(4)
    found = {each.transaction_id for each in findings_of(bench) if each.tier == "ENTRIES"}
    assert found == {id_}


@pytest.mark.parametrize(
    ("id_", "fields"),
    [
        (uuid(6), {"reason": "AMOUNT_MALFORMED"}),
        (uuid(6), {"payload_base64": base64.b64encode(AFTER[3]).decode()}),
        (uuid(6), {"payload_base64": ""}),
    ],
)
def test_a_refusal_that_says_anything_else_is_found(
    kafka: MemoryKafka, job: Job, audit: Audit, id_: str, fields: dict[str, str]
) -> None:
    run(kafka, job, "refused")
    change(kafka, REJECTED, id_, **fields)
    bench = audit()
    bench.look(4)
    assert [(each.kind, each.transaction_id) for each in findings_of(bench)] == [("CHANGED", id_)]


def test_the_refusal_of_an_account_that_was_not_erased_is_found(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    run(kafka, job, "refused")
    refuse(kafka, transfer(uuid(20), "1", "bob", "cid"), AFTER_MS)
    refuse(kafka, transfer(uuid(21), "1", "bob", "ann"), AFTER_MS)
    refuse(kafka, transfer(uuid(22), "1", "bob", "ann"), AFTER_MS, "ann")
    bench = audit()
    bench.look(4)
    told = [(each.kind, each.transaction_id) for each in findings_of(bench)]
    assert told == [("CHANGED", uuid(20)), ("CHANGED", uuid(21))]


@pytest.mark.parametrize("early_ms", [0, CLOCKS_DIFFER_MS, CLOCKS_DIFFER_MS + 1, 60_000])
def test_a_refusal_before_the_erasure_is_found(
    kafka: MemoryKafka, job: Job, audit: Audit, early_ms: int
) -> None:
    run(kafka, job, "refused")
    refuse(kafka, transfer(uuid(20), "1", "bob", "ann"), ERASED_MS - early_ms, "ann")
    bench = audit()
    bench.look(4)
    told = [each.transaction_id for each in findings_of(bench)]
    assert told == ([uuid(20)] if early_ms > CLOCKS_DIFFER_MS else [])


def test_an_event_that_was_refused_and_counts_as_well_is_found(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    run(kafka, job, "pseudonymised")
    at = next(r for log in kafka.logs[RAW] for r in log if r.value == AFTER[3])
    job.reject(at, refusal(AFTER[3], {"ann": name_of("ann")}))
    bench = audit()
    bench.look(4)
    assert uuid(6) in {each.transaction_id for each in findings_of(bench)}


def test_of_two_accounts_that_were_erased_each_may_be_told_from_its_own_erasure_on(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    run(kafka, job, "pseudonymised")
    erase(kafka, "bob", AFTER_MS + 60_000)
    late = [transfer(uuid(30 + number), "1", "ann", "bob") for number in range(3)]
    known = [("ann",), ("bob",), ("ann", "bob")]
    for event, ids in zip(late, known, strict=True):
        names = {id_: name_of(id_) for id_ in ids}
        job.erased = partial(_among, names)
        send(kafka, [event], AFTER_MS + 120_000)
        job.run()
    bench = audit()
    bench.look(4)
    assert bench.kinds() == Counter()


def test_an_audit_that_begins_anew_knows_a_transfer_by_the_pseudonyms_of_its_rows(
    kafka: MemoryKafka, job: Job, audit: Audit
) -> None:
    """Of the transfer it remembers nothing, so Pinot's rows decide whether its reversal may count."""
    run(kafka, job, "pseudonymised")
    bench = audit()
    bench.look(4)
    bench.ids._fresh.clear()
    send(kafka, [reversal(uuid(40), uuid(9), "8"), reversal(uuid(41), uuid(5), "1")], AFTER_MS)
    job.run()
    bench.pinot.rows_ = serve(kafka).rows_
    bench.look(4)
    told = [(each.kind, each.transaction_id) for each in findings_of(bench)]
    assert told == []


@pytest.mark.parametrize("what", ["kept", "pseudonymised", "refused"])
def test_who_counts_anew_and_who_repairs_know_it_by_the_key(
    kafka: MemoryKafka, job: Job, tmp_path: Path, what: str
) -> None:
    run(kafka, job, what)
    (tmp_path / "key").write_bytes(KEY)
    for key in (tmp_path / "key", None):
        counted = Counted()
        reader = partial(MemoryReader, kafka)
        following = Following(kafka, reader, NAMES, counted.take, key=key)
        following.follow(kafka.ends(RAW), 0.1, lambda _: None)
        if key is None:
            assert bool(following.findings) is (what != "kept")
        else:
            assert following.findings == []
            assert not following.coverage.lost
            assert len(counted) == len(job.counted)
            assert counted.rejected == len(bodies(kafka, REJECTED))
            entries = Counter(body["account_id"] for body in bodies(kafka, ENTRIES))
            for account in ("ann", name_of("ann"), "bob", "cid"):
                told = counted.of_accounts([account])
                sides = [
                    side for each in told for side in (each.from_account_id, each.to_account_id)
                ]
                assert sides.count(account) == entries[account]
        following.close()
