"""Corruptions of every kind are found, told by kind, interval and id; and nothing else is."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from pathlib import Path

import pytest

from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.readers import Record
from stream_jobs.audit.rows import Malformed, id_text, parsed_entry, raw_transfer
from stream_jobs.dedup_window import DedupWindow
from stream_jobs.murmur2 import kafka_partition
from tests.audit_tiers import DAY_MS, TOPICS, Bench, MemoryTiers, bodies, count_events, fill

NOW_MS = 1_795_000_000_000
BEGIN_MS = NOW_MS - 600_000
COUNT = 300


def event(number: int, **changes: object) -> bytes:
    body = {
        "from_account_id": f"a{number % 17}",
        "to_account_id": f"b{number % 13}",
        "transaction_id": str(uuid.UUID(int=number + 2**70)),
        "amount": f"{number + 1}.25",
        **changes,
    }
    return json.dumps(body).encode()


def sound(count: int = COUNT) -> MemoryTiers:
    """Some minutes of events, their entries, and Pinot with all of them."""
    tiers = MemoryTiers()
    fill(tiers, ((event(n), BEGIN_MS + n * 700) for n in range(count)))
    count_events(tiers)
    tiers.serve()
    return tiers


def interval(number: int) -> int:
    return (BEGIN_MS + number * 700) // 10_000 * 10_000


def of(number: int) -> list[dict[str, object]]:
    found = raw_transfer(event(number), BEGIN_MS + number * 700)
    assert found is not None
    return bodies(*found)


def remove_entries(tiers: MemoryTiers, number: int, directions: tuple[str, ...]) -> None:
    """As if they had never been written."""
    id_ = str(uuid.UUID(int=number + 2**70))
    for partition, log in enumerate(tiers.logs[TOPICS.entries]):
        kept: list[Record] = []
        for record in log:
            parsed = parsed_entry(record.value, partition, 0, 1)
            assert not isinstance(parsed, Malformed)
            if id_text(parsed[0]) != id_ or parsed[1].direction not in directions:
                kept.append(record._replace(offset=len(kept)))
        tiers.logs[TOPICS.entries][partition] = kept


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite3"


def audited(tiers: MemoryTiers, file: Path, checks: int = 3) -> Bench:
    bench = Bench(tiers, file, NOW_MS)
    bench.check(checks)
    return bench


def test_a_sound_pipeline_has_no_finding_and_every_interval_is_checked(file: Path) -> None:
    bench = audited(sound(), file)
    assert bench.kinds() == set()
    assert bench.state.intervals.checked() == len({interval(n) for n in range(COUNT)})
    assert bench.state.number("through_ms") > NOW_MS
    assert bench.state.number("matched") == COUNT
    assert bench.state.open_ids.count() == 0


def test_a_lost_event_is_found_in_the_first_check(file: Path) -> None:
    tiers = sound()
    remove_entries(tiers, 7, ("RECEIVED", "SENT"))
    tiers.serve()
    bench = audited(tiers, file, checks=1)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(7))}
    assert bench.state.findings.mismatches(1, 5)[0].transaction_ids == (
        str(uuid.UUID(int=7 + 2**70)),
    )


def test_a_lost_side_is_found_and_unbalances_its_interval(file: Path) -> None:
    tiers = sound()
    remove_entries(tiers, 7, ("SENT",))
    tiers.serve()
    assert audited(tiers, file).kinds() == {
        ("ENTRIES", "LOST_SIDE", interval(7)),
        ("ENTRIES", "UNBALANCED", interval(7)),
    }


CHANGES = {
    "amount": "9.99",
    "counterparty_id": "somebody else",
    "event_time_ms": BEGIN_MS + 5,
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_entry_is_found(file: Path, field: str) -> None:
    tiers = sound()
    remove_entries(tiers, 50, ("RECEIVED",))
    tiers.entry({**of(50)[0], field: CHANGES[field]})
    tiers.serve()
    kinds = {kind for tier, kind, _ in audited(tiers, file).kinds() if tier == "ENTRIES"}
    assert "CHANGED" in kinds
    assert "UNEXPLAINED" not in kinds


def test_two_swapped_accounts_are_found_although_counts_and_sums_agree(file: Path) -> None:
    tiers = sound()
    for number, other in ((50, 63), (63, 50)):
        remove_entries(tiers, number, ("RECEIVED",))
        changed = {**of(number)[0], "counterparty_id": of(other)[0]["counterparty_id"]}
        tiers.entry(changed)
    tiers.serve()
    bench = audited(tiers, file)
    assert bench.kinds() == {("ENTRIES", "CHANGED", interval(n)) for n in (50, 63)}


def test_a_duplicate_just_after_its_entries_is_no_loss_while_something_else_is_lost(
    file: Path,
) -> None:
    tiers = sound()
    remove_entries(tiers, 7, ("RECEIVED", "SENT"))
    tiers.serve()
    bench = audited(tiers, file)
    late = BEGIN_MS + COUNT * 700
    tiers.append(TOPICS.raw, 0, late, event(COUNT))
    bench.read_all()
    bench.auditor.write()  # it waits in the file for its entries
    for body in of(COUNT):
        tiers.entry(body)
    bench.read_all()
    tiers.append(TOPICS.raw, 1, late, event(COUNT))
    bench.read_all()
    tiers.serve()
    bench.check(3)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(7))}


@pytest.mark.parametrize("times", [1, 2])
def test_a_doubled_event_is_found_though_it_was_sent_twice_too(file: Path, times: int) -> None:
    tiers = sound()
    for _ in range(times):
        for body in of(9):
            tiers.entry(body)
    tiers.append(TOPICS.raw, 1, BEGIN_MS + 9 * 700, event(9))
    tiers.serve()
    assert {kind for _, kind, _ in audited(tiers, file).kinds()} == {"DOUBLED"}


def test_a_doubled_event_is_found_when_its_duplicate_comes_later(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    tiers.append(TOPICS.raw, 1, BEGIN_MS + 9 * 700, event(9))
    for body in of(9):
        tiers.entry(body)
    tiers.serve()
    bench.check()
    assert {kind for _, kind, _ in bench.kinds()} == {"DOUBLED"}


def test_an_entry_without_an_event_is_found(file: Path) -> None:
    tiers = sound()
    tiers.entry({**of(9)[0], "transaction_id": str(uuid.UUID(int=1))})
    tiers.serve()
    kinds = {kind for _, kind, _ in audited(tiers, file).kinds()}
    assert kinds == {"UNKNOWN", "UNBALANCED"}


def test_an_entry_in_another_partition_is_found(file: Path) -> None:
    tiers = sound()
    remove_entries(tiers, 9, ("SENT",))
    body = of(9)[1]
    home = kafka_partition(str(body["account_id"]), 4)
    tiers.entry(body, partition=(home + 1) % 4)
    tiers.serve()
    assert ("ENTRIES", "MISPLACED", interval(9)) in audited(tiers, file).kinds()


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b"{}", b'{"account_id": 1}', b"\xff\xfe", b"null"]
)
def test_garbage_among_the_entries_is_found(file: Path, value: bytes | None) -> None:
    tiers = sound()
    tiers.append(TOPICS.entries, 2, BEGIN_MS, value, b"key")
    assert audited(tiers, file).kinds() == {("ENTRIES", "MALFORMED", BEGIN_MS)}


def test_a_late_event_is_no_finding_and_its_interval_is_compared_again(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    tiers.append(TOPICS.raw, 0, BEGIN_MS + 1, event(4_000))
    found = raw_transfer(event(4_000), BEGIN_MS + 1)
    assert found is not None
    for body in bodies(*found):
        tiers.entry(body)
    tiers.serve()
    bench.check(2)
    assert bench.kinds() == set()
    assert bench.state.number("matched") == COUNT + 1


def test_duplicates_with_another_time_may_count_in_either_place(file: Path) -> None:
    tiers = sound()
    # The job took this one first, the audit reads it last.
    remove_entries(tiers, 20, ("RECEIVED", "SENT"))
    tiers.append(TOPICS.raw, 3, BEGIN_MS + 99_999, event(20))
    found = raw_transfer(event(20), BEGIN_MS + 99_999)
    assert found is not None
    for body in bodies(*found):
        tiers.entry(body)
    tiers.serve()
    bench = audited(tiers, file)
    assert bench.kinds() == set()
    assert bench.state.conflicts() == (0, ())


def test_conflicting_duplicates_are_counted_and_are_no_corruption(file: Path) -> None:
    tiers = sound()
    tiers.append(TOPICS.raw, 3, BEGIN_MS + 1, event(20, amount="1000000"))
    bench = audited(tiers, file)
    assert bench.kinds() == set()
    tiers.append(TOPICS.raw, 3, BEGIN_MS + 1, event(21, to_account_id="thief"))
    bench.check()
    assert bench.kinds() == set()
    assert bench.state.conflicts()[0] == 2


def test_rejected_events_expect_nothing(file: Path) -> None:
    tiers = sound()
    tiers.append(TOPICS.raw, 3, BEGIN_MS + 1, event(4_000, amount="-1"))
    assert audited(tiers, file).kinds() == set()


def test_an_id_that_the_job_has_forgotten_counts_anew_and_around_then_may_or_may_not(
    file: Path,
) -> None:
    tiers = sound(10)
    window = DedupWindow(14 * DAY_MS, DAY_MS)
    bench = Bench(tiers, file, NOW_MS, window)
    bench.check()
    bench.clock_ms += 14 * DAY_MS  # right at the edge
    tiers.append(TOPICS.raw, 0, NOW_MS + 5, event(1))
    bench.check()
    assert bench.kinds() == set()
    bench.clock_ms += 2 * DAY_MS  # well past it: now it must count
    tiers.append(TOPICS.raw, 0, NOW_MS + 6, event(2))
    bench.check()
    assert {kind for _, kind, _ in bench.kinds()} == {"LOST"}


# --- Pinot


def pinot_row(tiers: MemoryTiers, number: int) -> Row:
    rows = tiers.pinot[interval(number)]
    id_ = str(uuid.UUID(int=number + 2**70))
    return next(row for row in rows if row.transaction_id == id_)


PINOT_DAMAGE = {
    "lost": ("LOST", None),
    "doubled": ("DOUBLED", {}),
    "amount": ("CHANGED", {"amount": 7}),
    "counterparty": ("CHANGED", {"counterparty_id": "x"}),
    "account": ("CHANGED", {"account_id": "x"}),
    "time": ("CHANGED", {"time_ms": 1}),
    "partition": ("CHANGED", {"partition": -1}),
}


@pytest.mark.parametrize("damage", PINOT_DAMAGE)
def test_damage_in_pinot_is_found(file: Path, damage: str) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    kind, change = PINOT_DAMAGE[damage]
    row = pinot_row(tiers, 30)
    rows = tiers.pinot[interval(30)]
    if damage == "doubled":
        rows[row] += 1
    else:
        del rows[row]
        if change:
            if "time_ms" in change:
                change = {"time_ms": row.time_ms + 1}
            rows[row._replace(**change)] += 1
    bench.clock_ms += 60_000
    bench.check(3)
    assert bench.kinds() == {("PINOT", kind, interval(30))}


def test_two_amounts_swapped_in_pinot_are_found_although_count_and_sum_agree(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    rows = tiers.pinot[interval(30)]
    one, other = sorted(row for row in rows if row.direction == "SENT")[:2]
    del rows[one], rows[other]
    rows[one._replace(amount=other.amount)] += 1
    rows[other._replace(amount=one.amount)] += 1
    bench.check(3)
    assert bench.kinds() == {("PINOT", "CHANGED", interval(30))}


def test_a_row_of_an_hour_that_nobody_knows_is_found(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    row = pinot_row(tiers, 30)
    strange = row._replace(time_ms=1_700_000_000_000)
    tiers.pinot[1_700_000_000_000] = Counter({strange: 1})
    bench.clock_ms += 60_000
    bench.check(4)
    assert ("PINOT", "UNKNOWN", 1_700_000_000_000) in bench.kinds()


def test_pinot_being_ahead_for_a_moment_is_no_finding(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    found = raw_transfer(event(4_000), BEGIN_MS + 1)
    assert found is not None
    late = MemoryTiers()
    for body in bodies(*found):
        late.entry(body)
    late.serve()
    for start, rows in late.pinot.items():
        tiers.pinot[start].update(rows)
    bench.check()  # seen once
    tiers.append(TOPICS.raw, 0, BEGIN_MS + 1, event(4_000))
    for body in bodies(*found):
        tiers.entry(body)
    bench.check(3)
    assert bench.kinds() == set()


def test_what_is_mended_in_pinot_is_no_finding_any_more(file: Path) -> None:
    tiers = sound()
    bench = audited(tiers, file)
    row = pinot_row(tiers, 30)
    rows = tiers.pinot[interval(30)]
    rows[row] += 1
    bench.check(3)
    assert bench.kinds()
    rows[row] -= 1
    bench.check(2)
    assert bench.kinds() == set()


# --- crashes and repair


def test_a_crash_at_any_moment_neither_forgets_nor_repeats(tmp_path: Path) -> None:
    for crash_after in range(12):
        tiers = sound()
        remove_entries(tiers, 7, ("RECEIVED", "SENT"))
        tiers.entry(of(11)[0])
        tiers.append(TOPICS.raw, 1, BEGIN_MS, event(20))
        tiers.serve()
        file = tmp_path / f"{crash_after}.sqlite3"
        first = Bench(tiers, file, NOW_MS)
        for _ in range(crash_after):
            first.auditor.read(0)
            first.clock_ms += 500
            first.auditor.look()
            first.auditor.compare()
        first.state.close()  # what was not written is gone
        second = Bench(tiers, file, NOW_MS + 60_000)
        second.check(3)
        assert second.kinds() == {
            ("ENTRIES", "LOST", interval(7)),
            ("ENTRIES", "DOUBLED", interval(11)),
            ("ENTRIES", "UNBALANCED", interval(11)),
        }
        assert second.state.number("matched") == COUNT - 1
        assert second.state.number("duplicates") == 1
        second.state.close()


def test_a_repaired_loss_turns_green_also_after_a_restart(file: Path) -> None:
    tiers = sound()
    remove_entries(tiers, 7, ("RECEIVED", "SENT"))
    remove_entries(tiers, 8, ("SENT",))
    tiers.serve()
    bench = audited(tiers, file)
    assert len(bench.state.findings.mismatches(9, 1)) == 3
    bench.auditor.write()
    bench.state.close()
    for body in [*of(7), of(8)[1]]:
        tiers.entry(body)
    tiers.serve()
    again = Bench(tiers, file, NOW_MS + 60_000)
    again.check(2)
    assert again.kinds() == set()
    assert again.state.open_ids.count() == 0


def test_a_repair_done_twice_is_found(file: Path) -> None:
    tiers = sound()
    remove_entries(tiers, 7, ("RECEIVED", "SENT"))
    bench = audited(tiers, file)
    for body in of(7) * 2:
        tiers.entry(body)
    tiers.serve()
    bench.check(3)
    assert {kind for _, kind, _ in bench.kinds()} == {"DOUBLED"}


def test_more_open_ids_than_memory_may_hold_wait_in_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_jobs.audit.auditor.MAX_OPEN_IN_MEMORY", 50)
    monkeypatch.setattr("stream_jobs.audit.auditor.UNDECIDED_A_TIME", 20)
    tiers = MemoryTiers()
    fill(tiers, ((event(n), BEGIN_MS + n * 700) for n in range(COUNT)))
    bench = Bench(tiers, file, NOW_MS)
    bench.read_all()
    bench.auditor.write()
    assert bench.state.open_ids.count() == COUNT
    count_events(tiers)
    remove_entries(tiers, 7, ("RECEIVED", "SENT"))
    tiers.serve()
    bench.check(3)
    assert bench.kinds() == {("ENTRIES", "LOST", interval(7))}
    assert bench.state.number("matched") == COUNT - 1
