"""A repair writes exactly what is missing, once, and leaves alone what it cannot mend."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Sequence

import pytest

from stream_jobs.repair import main, repair
from stream_jobs.repair_plan import Missing
from stream_jobs.topic_reader import Record

START_MS, END_MS = 1_795_000_000_000, 1_795_000_010_000


def event(number: int, time_ms: int = START_MS, **changes: str) -> Record:
    body = {
        "from_account_id": f"payer-{number}",
        "to_account_id": "Nguyễn",
        "transaction_id": str(uuid.UUID(int=number)).upper(),
        "amount": f"{number}.50",
        **changes,
    }
    return Record(0, time_ms, json.dumps(body).encode())


class MemoryTiers:
    """Both topics as lists; remembers in which order it was called."""

    def __init__(self, events: list[Record]) -> None:
        self.raw = events
        self.written: list[Record] = []
        self.refused: list[Record] = []
        self.calls: list[str] = []

    def settle(self) -> None:
        self.calls.append("settle")

    def fence(self) -> None:
        self.calls.append("fence")

    def events(self) -> Iterable[Record]:
        return iter(self.raw)

    def entries(self) -> Iterable[Record]:
        return iter(self.written)

    def rejected(self) -> Iterable[Record]:
        return iter(self.refused)

    def write(self, missing: Sequence[Missing]) -> None:
        self.calls.append("write")
        self.written += [Record(0, 1, v) for each in missing for _, v in each.records()]


def test_a_dry_run_says_what_is_missing_and_writes_nothing() -> None:
    tiers = MemoryTiers([event(1), event(2, START_MS + 1)])
    wanted = repair(tiers, START_MS, END_MS, apply=False)
    assert [each.transaction_id[-1] for each in wanted.missing] == ["1", "2"]
    assert (wanted.entries, wanted.amount) == (4, 2 * (150_000_000 + 250_000_000))
    assert tiers.calls == ["settle"]


def test_what_is_written_is_byte_for_byte_what_the_job_writes() -> None:
    tiers = MemoryTiers([event(1)])
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert [key for each in wanted.missing for key, _ in each.records()] == ["Nguyễn", "payer-1"]
    assert (
        tiers.written[0].value
        == (
            '{"account_id":"Nguyễn","counterparty_id":"payer-1","direction":"RECEIVED",'
            '"transaction_id":"00000000-0000-0000-0000-000000000001","amount":"1.50",'
            '"event_time_ms":1795000000000,"kind":"TRANSFER","reverses":null}'
        ).encode()
    )


def test_a_second_repair_does_nothing() -> None:
    tiers = MemoryTiers([event(n) for n in range(1, 2_500)])
    repair(tiers, START_MS, END_MS, apply=True)
    assert tiers.calls == ["fence", "settle", "write", "write", "write"]
    again = repair(tiers, START_MS, END_MS, apply=True)
    assert again.missing == ()
    assert tiers.calls[5:] == ["fence", "settle"]


def test_of_a_half_written_event_only_the_other_half_is_written() -> None:
    tiers = MemoryTiers([event(1)])
    repair(tiers, START_MS, END_MS, apply=True)
    kept = tiers.written.pop(0)
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert [each.directions for each in wanted.missing] == [("RECEIVED",)]
    assert tiers.written[-1] == kept


def test_only_events_of_the_interval_that_keep_the_rules_are_repaired() -> None:
    outside = [event(1, START_MS - 1), event(2, END_MS)]
    tiers = MemoryTiers([*outside, event(3, amount="-1"), event(4)])
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert [each.transaction_id[-1] for each in wanted.missing] == ["4"]


def test_a_duplicate_of_a_counted_event_is_not_missing() -> None:
    tiers = MemoryTiers([event(1, START_MS - 50_000)])
    repair(tiers, START_MS - 60_000, START_MS, apply=True)
    tiers.raw.append(event(1))
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


def test_an_event_that_came_twice_is_repaired_in_one_interval_only() -> None:
    tiers = MemoryTiers([event(1), event(1, START_MS - 5)])
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()
    before = repair(tiers, START_MS - 10, START_MS, apply=True)
    assert [each.transfer.time_ms for each in before.missing] == [START_MS - 5]


def test_an_entry_that_contradicts_its_event_is_told_and_left_alone() -> None:
    tiers = MemoryTiers([event(1)])
    repair(tiers, START_MS, END_MS, apply=True)
    tiers.written = [
        Record(0, 1, (tiers.written[0].value or b"").replace(b'"1.50"', b'"9.50"')),
    ]
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert (wanted.missing, len(wanted.contradicting)) == ((), 1)
    assert tiers.calls.count("write") == 1


def reversal(number: int, serial: int = 0, time_ms: int = START_MS, **changes: str) -> Record:
    ids = {
        "transaction_id": str(uuid.UUID(int=1_000 + 100 * serial + number)),
        "reverses": str(uuid.UUID(int=number)),
    }
    return event(number, time_ms, **{"type": "reversal", **ids, **changes})


def test_a_lost_reversal_is_written_as_the_job_writes_it() -> None:
    tiers = MemoryTiers([event(1), reversal(1)])
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert (wanted.entries, wanted.amount) == (4, 0)
    assert (
        tiers.written[-1].value
        == (
            '{"account_id":"payer-1","counterparty_id":"Nguyễn","direction":"SENT",'
            '"transaction_id":"00000000-0000-0000-0000-0000000003e9","amount":"-1.50",'
            '"event_time_ms":1795000000000,"kind":"REVERSAL",'
            '"reverses":"00000000-0000-0000-0000-000000000001"}'
        ).encode()
    )
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


@pytest.mark.parametrize(
    "wrong",
    [
        reversal(2),
        reversal(1, to_account_id="somebody"),
        reversal(1, amount="1"),
    ],
)
def test_a_reversal_that_does_not_take_effect_is_not_missing(wrong: Record) -> None:
    tiers = MemoryTiers([event(1), wrong])
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert [each.transfer.reverses for each in wanted.missing] == [""]
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


def test_of_two_lost_reversals_of_one_transfer_the_first_is_written() -> None:
    tiers = MemoryTiers([event(1), reversal(1, 1, START_MS + 5), reversal(1, 2)])
    repair(tiers, START_MS, START_MS + 1, apply=True)
    assert b"0000000004b1" in (tiers.written[-1].value or b"")
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


def test_where_another_reversal_took_effect_none_is_missing() -> None:
    tiers = MemoryTiers([event(1), reversal(1, 1, END_MS + 5)])
    repair(tiers, START_MS, END_MS + 10, apply=True)
    tiers.raw.append(reversal(1, 2))
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


def refused(record: Record, reason: str) -> Record:
    body = {
        "reason": reason,
        "payload_base64": base64.b64encode(record.value or b"").decode(),
        "event_time_ms": record.time_ms,
    }
    return Record(0, 1, json.dumps(body).encode())


@pytest.mark.parametrize("reason", ["ALREADY_REVERSED", "REVERSAL_DIFFERS"])
def test_what_the_job_rejected_stays_rejected_though_it_is_the_earliest(reason: str) -> None:
    counted, late = reversal(1, 1, START_MS + 5), reversal(1, 2)
    tiers = MemoryTiers([event(1), counted, late])
    tiers.refused = [refused(late, reason), refused(event(1), "EMPTY"), Record(0, 1, b"{")]
    repair(tiers, START_MS, END_MS, apply=True)
    assert [b"00000000044d" in (each.value or b"") for each in tiers.written[2:]] == [True, True]
    assert repair(tiers, START_MS, END_MS, apply=True).missing == ()


DAY_MS = 86_400_000


@pytest.mark.parametrize("days", [-40, -15, 15, 40])
def test_a_reversal_that_the_job_holds_is_told_and_not_written(days: int) -> None:
    tiers = MemoryTiers([event(1, START_MS + days * DAY_MS), reversal(1)])
    wanted = repair(tiers, START_MS, END_MS, apply=True)
    assert wanted.missing == ()
    assert wanted.held == (str(uuid.UUID(int=1_001)),)
    assert tiers.written == []


@pytest.mark.parametrize("days", [-13, 13])
def test_a_reversal_within_the_dedup_window_is_missing(days: int) -> None:
    tiers = MemoryTiers([event(1, START_MS + days * DAY_MS), reversal(1)])
    assert repair(tiers, START_MS, END_MS, apply=True).entries == 2


def test_a_duplicate_lengthens_the_time_in_which_a_reversal_is_missing() -> None:
    tiers = MemoryTiers(
        [event(1, START_MS - 26 * DAY_MS), event(1, START_MS - 13 * DAY_MS), reversal(1)]
    )
    assert repair(tiers, START_MS, END_MS, apply=True).entries == 2


def test_the_other_half_of_an_old_reversal_is_written_since_it_took_effect() -> None:
    tiers = MemoryTiers([event(1, START_MS - 13 * DAY_MS), reversal(1)])
    repair(tiers, START_MS, END_MS, apply=True)
    tiers.written.pop()
    tiers.raw[0] = event(1, START_MS - 40 * DAY_MS)
    assert repair(tiers, START_MS, END_MS, apply=True).entries == 1


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (("2026-11-23T03:00:00", "2026-11-23T04:00:00Z"), "has no offset"),
        (("yesterday", "2026-11-23T04:00:00Z"), "is no RFC 3339 instant"),
        (("2026-11-23T04:00:00Z", "2026-11-23T04:00:00Z"), "--from must be before --to"),
    ],
)
def test_a_wrong_interval_is_refused(
    bounds: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--kafka", "127.0.0.1:1", "--from", bounds[0], "--to", bounds[1]])
    assert said in capsys.readouterr().err
