"""Reversals in the recount: those that take effect count, the others are told apart; the entries settle which."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter

import orjson
import pytest

from stream_jobs.event_rules import MAX_REVERSALS, Rejection
from stream_jobs.recount import Recount, Transfer
from stream_jobs.topic_reader import Record
from stream_jobs.verify_settle import settle, undecided
from tests.unit.stream_jobs.test_reversals import NOW_MS, ORIGINAL, OneTransfer, reversal, transfer

KEY = ORIGINAL.bytes
UNIT = 10**8


def counted(*payloads: bytes) -> Recount:
    recount = Recount()
    for number, payload in enumerate(payloads):
        recount.add(number % 3, NOW_MS + number, payload)
    return recount


def entry(payload: bytes, time_ms: int) -> Record:
    said = json.loads(payload)
    body = {
        "account_id": said["to_account_id"],
        "counterparty_id": said["from_account_id"],
        "direction": "RECEIVED",
        "transaction_id": said["transaction_id"],
        "amount": f"-{said['amount']}",
        "event_time_ms": time_ms,
        "kind": "REVERSAL",
        "reverses": said["reverses"],
    }
    return Record(0, 0, orjson.dumps(body))


def test_a_reversal_counts_negative_at_its_own_time() -> None:
    recount = counted(reversal(1), transfer(), reversal(1))
    assert list(recount.undone()) == [Transfer("alice", "bob", -1_050_000_000, NOW_MS)]
    assert recount.of_accounts(["bob"]) == [*recount.transfers(), *recount.undone()]
    assert recount.of_accounts(["carol"]) == []
    assert (recount.records, recount.distinct, recount.duplicates) == (3, 1, 1)


def test_what_waits_is_counted_apart() -> None:
    recount = counted(reversal(1), reversal(2, amount="1"))
    fates = recount.fates()
    assert (fates.effective, fates.rejected, fates.held) == ({}, {}, 2)


def test_what_differs_and_what_comes_too_late_is_rejected() -> None:
    recount = counted(transfer(), reversal(1), reversal(2), reversal(3, amount="1"))
    fates = recount.fates()
    assert len(fates.effective) == 1
    assert fates.rejected == {"ALREADY_REVERSED": 1, "REVERSAL_DIFFERS": 1}


def test_beyond_the_most_that_are_looked_at_all_are_rejected() -> None:
    many = [reversal(n, amount="1") for n in range(MAX_REVERSALS + 3)]
    assert counted(*many).fates().held == MAX_REVERSALS
    assert counted(*many).fates().rejected == {"TOO_MANY_REVERSALS": 3}
    assert counted(transfer(), *many).fates().rejected == {
        "TOO_MANY_REVERSALS": 3,
        "REVERSAL_DIFFERS": MAX_REVERSALS,
    }


def test_of_two_that_fit_the_entries_show_which_took_effect() -> None:
    recount = counted(transfer(), reversal(1), reversal(2))
    assert undecided(recount, set()) == {KEY}
    assert settle(recount, [entry(reversal(2), NOW_MS + 2)], {KEY}) == {KEY}
    assert [each.time_ms for each in recount.undone()] == [NOW_MS + 2]
    assert recount.fates().rejected == {"ALREADY_REVERSED": 1}
    assert undecided(recount, {KEY}) == set()


@pytest.mark.parametrize("wrong", [reversal(9), reversal(2, amount="1")])
def test_entries_that_no_event_stands_for_settle_nothing(wrong: bytes) -> None:
    recount = counted(transfer(), reversal(1), reversal(2))
    assert settle(recount, [entry(wrong, NOW_MS + 2)], {KEY}) == set()
    assert [each.time_ms for each in recount.undone()] == [NOW_MS + 1]


def test_an_entry_of_one_that_must_not_take_effect_is_not_believed() -> None:
    differing = reversal(2, amount="1")
    recount = counted(transfer(), reversal(1), differing)
    settle(recount, [entry(differing, NOW_MS + 2)], {KEY})
    assert [each.time_ms for each in recount.undone()] == [NOW_MS + 1]
    assert recount.fates().rejected == {"REVERSAL_DIFFERS": 1}


@pytest.mark.parametrize("seed", range(30))
def test_counts_and_amounts_are_those_of_the_job_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    history = [
        reversal(chance.randrange(30), amount=chance.choice(["10.5", "10.50", "1"]))
        for _ in range(chance.randrange(40))
    ] + [transfer()] * chance.randrange(3)
    chance.shuffle(history)
    one, recount = OneTransfer(), Recount()
    took: Counter[str] = Counter()
    for number, payload in enumerate(history):
        recount.add(0, NOW_MS + number, payload)
        for settled in one.take(payload):
            verdict = settled.verdict
            took[verdict.reason if isinstance(verdict, Rejection) else "EFFECTIVE"] += 1
    fates = recount.fates()
    assert len(fates.effective) == took.pop("EFFECTIVE", 0)
    assert fates.rejected == took
    assert fates.held == len(one.seen) - took.total() - len(fates.effective)
    assert sum(t.amount for t in recount.undone()) == -len(fates.effective) * 21 * UNIT // 2


def test_an_id_may_be_of_a_transfer_and_of_a_reversal() -> None:
    same = str(uuid.UUID(int=77))
    recount = counted(transfer(), transfer(transaction_id=same), reversal(77 - 1_000))
    assert (recount.distinct, len(list(recount.undone())), recount.duplicates) == (2, 1, 0)


DAY_MS = 86_400_000


def came(*records: tuple[int, int, bytes]) -> Recount:
    """Kafka partition, days and payload of each record."""
    recount = Recount()
    for partition, days, payload in records:
        recount.add(partition, NOW_MS + days * DAY_MS, payload)
    return recount


@pytest.mark.parametrize("days", [-40, -15, 15, 40])
def test_a_reversal_that_missed_its_transfer_is_counted_apart(days: int) -> None:
    recount = came((0, 0, transfer()), (0, days, reversal(1)), (0, days, reversal(2, amount="1")))
    fates = recount.fates()
    assert (fates.effective, fates.rejected, fates.held, fates.forgotten) == ({}, {}, 0, 2)


def test_a_duplicate_of_the_transfer_lets_a_later_reversal_take_effect() -> None:
    recount = came((0, 0, transfer()), (0, 13, transfer()), (0, 26, reversal(1)))
    assert len(recount.fates().effective) == 1


def test_at_the_edge_of_the_window_the_entries_show_what_became_of_it() -> None:
    recount = came((0, 0, transfer()), (0, 14, reversal(1)))
    assert undecided(recount, set()) == {KEY}
    assert recount.fates().forgotten == 1
    settle(recount, [entry(reversal(1), NOW_MS + 14 * DAY_MS)], {KEY})
    assert (len(recount.fates().effective), recount.fates().forgotten) == (1, 0)


def test_an_id_that_reverses_two_transfers_in_two_partitions_is_settled_by_the_entries() -> None:
    other = uuid.UUID(int=2)
    second = reversal(1, reverses=str(other))
    recount = came(
        (0, 0, transfer()),
        (0, 0, transfer(transaction_id=str(other))),
        (0, 0, reversal(1)),
        (1, 0, second),
    )
    assert undecided(recount, set()) == {KEY, other.bytes}
    assert settle(recount, [entry(second, NOW_MS)], {KEY, other.bytes}) == {other.bytes}
    fates = recount.fates()
    assert [claim.original for claim in fates.effective.values()] == [other.bytes]
    assert (fates.rejected, fates.held) == ({}, 0)


def test_of_more_than_are_looked_at_each_has_one_fate_whichever_the_entries_show() -> None:
    many = [(n % 2, 0, reversal(n)) for n in range(MAX_REVERSALS + 1)]
    recount = came((0, 0, transfer()), *many)
    settle(recount, [entry(many[-1][2], NOW_MS)], {KEY})
    fates = recount.fates()
    assert fates.effective.keys() == {uuid.UUID(int=1_000 + MAX_REVERSALS).bytes}
    assert fates.rejected == {"ALREADY_REVERSED": MAX_REVERSALS - 1, "TOO_MANY_REVERSALS": 1}
