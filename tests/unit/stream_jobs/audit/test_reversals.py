"""Reversals in the audit: those that took effect, wait or were rejected are no finding; every corruption of one is."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

import pytest

from stream_jobs.audit.publish import metrics, report
from stream_jobs.audit.readers import Record
from stream_jobs.audit.rows import Malformed, id_text, is_reversal, parsed_entry, raw_transfer
from stream_jobs.event_rules import MAX_REVERSALS
from stream_jobs.offsets import Offsets
from tests.audit_tiers import (
    DAY_MS,
    TOPICS,
    Bench,
    MemoryReader,
    MemoryTiers,
    bodies,
    count_events,
    fill,
)

NOW_MS = 1_795_000_000_000
BEGIN_MS = NOW_MS - 600_000
COUNT = 40
REVERSED = 7


def event(number: int, **changes: object) -> bytes:
    body = {
        "from_account_id": f"a{number % 5}",
        "to_account_id": f"b{number % 3}",
        "transaction_id": str(uuid.UUID(int=number + 2**70)),
        "amount": f"{number + 1}.25",
        **changes,
    }
    return json.dumps(body).encode()


def reversal(number: int, serial: int = 0, **changes: object) -> bytes:
    ids = {
        "transaction_id": str(uuid.UUID(int=number + serial * 1_000 + 2**71)),
        "reverses": str(uuid.UUID(int=number + 2**70)),
    }
    return event(number, **{"type": "reversal", **ids, **changes})


def time_ms(number: int) -> int:
    return BEGIN_MS + number * 700


def interval(number: int) -> int:
    return time_ms(number) // 10_000 * 10_000


def piped(*reversals: tuple[bytes, int], count: int = COUNT) -> MemoryTiers:
    """Transfers and reversals, their entries, and Pinot with all of them."""
    tiers = MemoryTiers()
    fill(tiers, ((event(n), time_ms(n)) for n in range(count)))
    fill(tiers, reversals)
    count_events(tiers)
    tiers.serve()
    return tiers


def one() -> tuple[bytes, int]:
    return reversal(REVERSED), time_ms(30)


def entries_of(value: bytes, at_ms: int) -> list[dict[str, object]]:
    found = raw_transfer(value, at_ms)
    assert found is not None
    return bodies(*found)


def remove_reversals(tiers: MemoryTiers, *directions: str) -> None:
    for partition, log in enumerate(tiers.logs[TOPICS.entries]):
        kept: list[Record] = []
        for record in log:
            parsed = parsed_entry(record.value, partition, 0, 1)
            assert not isinstance(parsed, Malformed)
            if not is_reversal(parsed[0]) or parsed[1].direction not in directions:
                kept.append(record._replace(offset=len(kept)))
        tiers.logs[TOPICS.entries][partition] = kept


def audited(tiers: MemoryTiers, file: Path, checks: int = 4) -> Bench:
    bench = Bench(tiers, file, NOW_MS)
    bench.check(checks)
    return bench


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite3"


def test_a_reversal_that_took_effect_is_no_finding(file: Path) -> None:
    bench = audited(piped(one()), file)
    assert bench.kinds() == set()
    assert bench.state.number("matched") == COUNT + 1
    assert bench.state.open_ids.count() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        reversal(REVERSED, 1),
        reversal(REVERSED, 1, amount="8.2500"),
        reversal(REVERSED, 1, amount="1"),
        reversal(REVERSED, 1, to_account_id="b9"),
    ],
)
def test_what_the_job_rejects_for_its_history_is_no_finding(file: Path, wrong: bytes) -> None:
    bench = audited(piped(one(), (wrong, time_ms(31)), (wrong, time_ms(32))), file)
    assert bench.kinds() == set()
    assert bench.state.number("matched") == COUNT + 1
    assert bench.state.open_ids.count() == 0
    assert bench.state.reversals.held() == {}


def test_of_two_reversals_that_fit_either_may_be_the_one(file: Path) -> None:
    tiers = piped((reversal(REVERSED, 1), time_ms(31)), one())
    assert audited(tiers, file).kinds() == set()


def test_a_lost_reversal_is_found_and_a_repair_turns_it_green(file: Path) -> None:
    tiers = piped(one(), (reversal(REVERSED, 1), time_ms(31)))
    remove_reversals(tiers, "RECEIVED", "SENT")
    tiers.serve()
    bench = audited(tiers, file)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(30))}
    for body in entries_of(*one()):
        tiers.entry(body)
    tiers.serve()
    bench.check(3)
    assert bench.kinds() == set()


def test_a_lost_side_of_a_reversal_is_found(file: Path) -> None:
    tiers = piped(one())
    remove_reversals(tiers, "SENT")
    tiers.serve()
    kinds = {kind for _, kind, _ in audited(tiers, file).kinds()}
    assert kinds == {"LOST_SIDE", "UNBALANCED"}


def test_a_doubled_reversal_is_found(file: Path) -> None:
    tiers = piped(one())
    for body in entries_of(*one()):
        tiers.entry(body)
    tiers.serve()
    assert audited(tiers, file).kinds() == {("ENTRIES", "DOUBLED", interval(30))}


CHANGES = {
    "amount": "-9.99",
    "counterparty_id": "somebody else",
    "event_time_ms": BEGIN_MS + 5,
    "reverses": str(uuid.UUID(int=8 + 2**70)),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_reversal_is_found(file: Path, field: str) -> None:
    tiers = piped(one())
    remove_reversals(tiers, "RECEIVED")
    tiers.entry({**entries_of(*one())[0], field: CHANGES[field]})
    tiers.serve()
    kinds = {kind for _, kind, _ in audited(tiers, file).kinds()}
    assert "CHANGED" in kinds
    assert "UNEXPLAINED" not in kinds


@pytest.mark.parametrize("change", [{"amount": "8.25"}, {"kind": "TRANSFER"}, {"reverses": None}])
def test_an_entry_that_is_neither_transfer_nor_reversal_is_found(
    file: Path, change: dict[str, object]
) -> None:
    tiers = piped(one())
    remove_reversals(tiers, "RECEIVED")
    tiers.entry({**entries_of(*one())[0], **change})
    tiers.serve()
    assert "MALFORMED" in {kind for _, kind, _ in audited(tiers, file).kinds()}


@pytest.mark.parametrize(
    "wrong",
    [
        reversal(REVERSED, 1),
        reversal(REVERSED, 1, amount="1"),
        reversal(REVERSED, 1, reverses=str(uuid.UUID(int=1))),
    ],
)
def test_a_reversal_that_must_not_take_effect_and_did_is_found(file: Path, wrong: bytes) -> None:
    tiers = piped(one(), (wrong, time_ms(31)))
    for body in entries_of(wrong, time_ms(31)):
        tiers.entry(body)
    tiers.serve()
    assert audited(tiers, file).kinds() == {("ENTRIES", "UNKNOWN", interval(31))}


@pytest.mark.parametrize("damage", ["lost", "doubled", "reverses", "kind"])
def test_a_reversal_damaged_in_pinot_is_found(file: Path, damage: str) -> None:
    tiers = piped(one())
    rows = tiers.pinot[interval(30)]
    row = next(each for each in rows if each.kind == "REVERSAL")
    if damage == "doubled":
        rows[row] += 1
    else:
        del rows[row]
    if damage == "reverses":
        rows[row._replace(reverses=str(uuid.UUID(int=5)))] += 1
    if damage == "kind":
        rows[row._replace(kind="TRANSFER")] += 1
    found = audited(tiers, file).kinds()
    assert {tier for tier, _, _ in found} == {"PINOT"}


def test_a_held_reversal_is_told_until_its_transfer_comes(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = (reversal(COUNT), time_ms(30))
    tiers = piped(late)
    bench = audited(tiers, file)
    assert bench.kinds() == set()
    bench.clock_ms += 61_000
    bench.check()
    assert "1 reversals are held" in caplog.text
    said = report(bench.state, 0, 0, bench.clock_ms)
    assert said.reversals_held == 1
    assert "audit_reversals_held 1\n" in metrics(said, bench.clock_ms)
    fill(tiers, [(event(COUNT), time_ms(COUNT))])
    count_events(tiers, _counted(tiers))
    tiers.serve()
    bench = Bench(tiers, file, bench.clock_ms)  # begun anew meanwhile
    bench.check(4)
    assert bench.kinds() == set()
    assert bench.state.reversals.held() == {}
    assert bench.state.number("matched") == COUNT + 2


def test_a_reversal_lost_when_its_transfer_came_is_found(file: Path) -> None:
    tiers = piped((reversal(COUNT), time_ms(30)))
    bench = audited(tiers, file)
    fill(tiers, [(event(COUNT), time_ms(COUNT))])
    for body in entries_of(event(COUNT), time_ms(COUNT)):
        tiers.entry(body)
    tiers.serve()
    bench.check(5)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(30))}


def test_a_reversal_that_waited_longer_than_the_job_remembers_stays_held(file: Path) -> None:
    tiers = piped((reversal(COUNT), time_ms(30)))
    bench = audited(tiers, file)
    bench.clock_ms += 15 * DAY_MS
    fill(tiers, [(event(COUNT), time_ms(COUNT))])
    for body in entries_of(event(COUNT), time_ms(COUNT)):
        tiers.entry(body)
    tiers.serve()
    bench.check(5)
    assert bench.kinds() == set()
    assert report(bench.state, 0, 0, bench.clock_ms).reversals_held == 1


def test_a_transfer_is_remembered_from_its_last_duplicate_on(file: Path) -> None:
    tiers = piped()
    bench = audited(tiers, file)
    for days in (9, 18):
        bench.clock_ms += 9 * DAY_MS
        fill(tiers, [(event(REVERSED), time_ms(30) + days)])
        bench.check(3)
    assert bench.kinds() == set()
    fill(tiers, [one()])
    bench.check(5)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(30))}


def test_beyond_the_most_that_are_looked_at_any_outcome_is_right(file: Path) -> None:
    wrong = [
        (reversal(REVERSED, n, amount="1"), time_ms(20) + n) for n in range(1, MAX_REVERSALS + 1)
    ]
    tiers = piped(*wrong, one())
    remove_reversals(tiers, "RECEIVED", "SENT")
    tiers.serve()
    assert audited(tiers, file).kinds() == set()


def test_any_order_of_events_is_sound(file: Path) -> None:
    chance = random.Random(5)
    events = [(event(n), time_ms(n)) for n in range(COUNT)]
    for n in range(0, COUNT, 2):
        for serial in range(chance.randrange(3)):
            amount = chance.choice([f"{n + 1}.25", f"{n + 1}.25", "3"])
            events.append((reversal(n, serial, amount=amount), time_ms(n) + serial))
    tiers = MemoryTiers()
    bench = Bench(tiers, file, NOW_MS)
    chance.shuffle(events)
    for first in range(0, len(events), 10):
        fill(tiers, events[first : first + 10])
        count_events(tiers, _counted(tiers))
        tiers.serve()
        bench.check(chance.randrange(3))
    bench.check(4)
    assert bench.kinds() == set()
    assert bench.state.open_ids.count() == 0


def _counted(tiers: MemoryTiers) -> set[bytes]:
    parsed = [
        parsed_entry(record.value, 0, 0, 1) for log in tiers.logs[TOPICS.entries] for record in log
    ]
    return {each[0] for each in parsed if not isinstance(each, Malformed)}


def test_a_reversals_id_is_told_without_its_mark() -> None:
    found = raw_transfer(reversal(3), NOW_MS)
    assert found is not None
    assert id_text(found[0]) == str(uuid.UUID(int=3 + 2**71))


def put(tiers: MemoryTiers, partition: int, value: bytes, at_ms: int, *, counts: bool) -> None:
    """One event, and its entries if it counts."""
    tiers.append(TOPICS.raw, partition, at_ms, value)
    for body in entries_of(value, at_ms) if counts else []:
        tiers.entry(body)
    tiers.serve()


def later(bench: Bench, days: int) -> int:
    """Days go by, and what is older than the dedup window is forgotten; the time then."""
    bench.clock_ms += days * DAY_MS
    horizon_ms = bench.clock_ms - 14 * DAY_MS - 3_600_000
    bench.state.known_ids.forget_before(horizon_ms)
    bench.state.reversals.forget_before(horizon_ms)
    return bench.clock_ms


def paid(file: Path, *, counts: bool = True) -> Bench:
    """An audit of one transfer."""
    tiers = MemoryTiers()
    put(tiers, 0, event(1), BEGIN_MS, counts=counts)
    return audited(tiers, file, 3)


def test_a_repaired_transfer_does_not_heal_a_lost_reversal_with_the_same_id(file: Path) -> None:
    bench = paid(file, counts=False)
    same = json.loads(event(1))["transaction_id"]
    put(bench.tiers, 1, event(2), BEGIN_MS, counts=True)
    put(bench.tiers, 2, reversal(2, transaction_id=same), BEGIN_MS, counts=False)
    bench.check(4)
    (mismatch,) = bench.state.findings.mismatches(9, 9)
    assert (mismatch.count, mismatch.transaction_ids) == (2, (same,))
    for body in entries_of(event(1), BEGIN_MS):
        bench.tiers.entry(body)
    bench.tiers.serve()
    bench.check(4)
    (mismatch,) = bench.state.findings.mismatches(9, 9)
    assert (mismatch.kind, mismatch.count, mismatch.transaction_ids) == ("LOST", 1, (same,))


def test_a_reversal_of_a_lost_transfer_is_sound_though_a_duplicate_puts_off_the_verdict(
    file: Path,
) -> None:
    tiers = MemoryTiers()
    put(tiers, 0, event(1), BEGIN_MS, counts=False)
    put(tiers, 1, reversal(1), BEGIN_MS + 5, counts=True)
    bench = Bench(tiers, file, NOW_MS)
    bench.read_all()
    bench.auditor.look()
    put(tiers, 0, event(1), BEGIN_MS + 50, counts=False)
    bench.check(5)
    assert {kind for _, kind, _ in bench.kinds()} == {"LOST"}
    for body in entries_of(event(1), BEGIN_MS):
        tiers.entry(body)
    tiers.serve()
    bench.check(4)
    assert bench.kinds() == set()


@pytest.mark.parametrize("again", [event(1), reversal(1, 2)])
def test_what_took_effect_is_known_for_as_long_as_its_transfer(file: Path, again: bytes) -> None:
    bench = paid(file)
    put(bench.tiers, 1, reversal(1, 1), later(bench, 1), counts=True)
    bench.check(4)
    put(bench.tiers, 2, again, later(bench, 9), counts=False)
    bench.check(4)
    put(bench.tiers, 3, reversal(1, 3), later(bench, 6), counts=False)
    bench.check(5)
    assert bench.kinds() == set()


def test_a_duplicate_of_a_reversal_does_not_make_its_transfer_remembered(file: Path) -> None:
    bench = paid(file)
    undo = reversal(1)
    put(bench.tiers, 1, undo, later(bench, 1), counts=True)
    bench.check(4)
    put(bench.tiers, 1, undo, later(bench, 12), counts=False)
    bench.check(4)
    put(bench.tiers, 0, event(1), later(bench, 7), counts=True)  # forgotten by the job on day 15
    bench.check(5)
    assert bench.kinds() == set()


def test_another_reversal_makes_its_transfer_remembered(file: Path) -> None:
    bench = paid(file)
    put(bench.tiers, 1, reversal(1), later(bench, 1), counts=True)
    bench.check(4)
    put(bench.tiers, 1, reversal(1, 1), later(bench, 12), counts=False)
    bench.check(4)
    put(bench.tiers, 0, event(1), later(bench, 7), counts=False)
    bench.check(5)
    assert bench.kinds() == set()


class LateReader:
    """Reads what `reader` reads, but nothing of one raw partition until `caught_up`."""

    def __init__(self, reader: MemoryReader, partition: int) -> None:
        self._reader = reader
        self._partition = partition
        self.caught_up = False

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        positions = self._reader.positions(TOPICS.raw)
        before = positions[self._partition]
        records = self._reader.read(limit, timeout_s)
        if self.caught_up:
            return records
        assert isinstance(positions, dict)
        positions[self._partition] = before
        late = (TOPICS.raw, self._partition)
        return [each for each in records if (each.topic, each.partition) != late]

    def positions(self, topic: str) -> Offsets:
        return self._reader.positions(topic)


def test_of_two_reversals_the_one_in_the_entries_counts_though_its_event_is_read_late(
    file: Path,
) -> None:
    tiers = MemoryTiers()
    put(tiers, 0, event(1), BEGIN_MS, counts=True)
    late: list[LateReader] = []

    def reader(inner: MemoryReader) -> LateReader:
        late.append(LateReader(inner, 1))
        return late[0]

    bench = Bench(tiers, file, NOW_MS, reader=reader)
    late[0].caught_up = True
    bench.check(3)
    late[0].caught_up = False
    put(tiers, 0, reversal(1), BEGIN_MS + 1_000, counts=False)
    bench.read_all()
    bench.auditor.write()
    bench.auditor.look()
    put(tiers, 1, reversal(1, 1), BEGIN_MS + 2_000, counts=True)
    for _ in range(2):
        bench.read_all()
        bench.auditor.look()
    late[0].caught_up = True
    bench.check(5)
    assert bench.kinds() == set()
    assert bench.state.number("matched") == 2


def test_of_one_transfer_no_more_are_told_as_held_than_the_job_holds(file: Path) -> None:
    many = [(reversal(COUNT, n), time_ms(n)) for n in range(MAX_REVERSALS + 5)]
    bench = audited(piped(*many), file)
    assert report(bench.state, 0, 0, bench.clock_ms).reversals_held == MAX_REVERSALS


def test_each_held_reversal_is_told_when_it_has_waited_for_a_minute(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = audited(piped((reversal(COUNT), time_ms(30))), file)
    bench.clock_ms += DAY_MS
    bench.check()
    caplog.clear()
    fill(bench.tiers, [(reversal(COUNT + 1), time_ms(31))])
    bench.check(2)
    assert "held" not in caplog.text
    said = report(bench.state, 0, 0, bench.clock_ms)
    assert (said.reversals_held, said.reversals_held_long) == (2, 1)
    assert newest_held_s(bench) > 86_400
    bench.clock_ms += 61_000
    bench.check()
    assert "2 reversals are held" in caplog.text
    assert caplog.text.strip().endswith(str(uuid.UUID(int=COUNT + 1 + 2**71)))
    assert 60 < newest_held_s(bench) < 120


def newest_held_s(bench: Bench) -> float:
    said = metrics(report(bench.state, 0, 0, bench.clock_ms), bench.clock_ms)
    return float(said.split("\naudit_reversals_held_seconds ")[1].split()[0])
