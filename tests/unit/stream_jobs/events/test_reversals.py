"""Reversals in any order of events: one that fits takes effect, once; every other is held or rejected, none is lost."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.events.reasons import MAX_REVERSALS
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.reversals import Arrival, Settled, content, settle
from stream_jobs.events.rules import TransactionEvent, judge

NOW_MS = 1_700_000_000_000
ORIGINAL = uuid.UUID(int=1)
TRANSFER = {"from_account_id": "alice", "to_account_id": "bob", "amount": "10.50"}


def transfer(**changes: str) -> bytes:
    return json.dumps({**TRANSFER, "transaction_id": str(ORIGINAL), **changes}).encode()


def reversal(number: int, **changes: str) -> bytes:
    ids = {"transaction_id": str(uuid.UUID(int=1_000 + number)), "reverses": str(ORIGINAL)}
    return json.dumps({**TRANSFER, "type": "reversal", **ids, **changes}).encode()


@dataclass
class OneTransfer:
    """What Flink's SQL remembers of one transfer and its reversals, in the order in which they arrive."""

    seen: set[str] = field(default_factory=set)
    first: int | None = None
    kept: list[str] = field(default_factory=list)
    offset: int = 0

    def take(self, payload: bytes) -> list[Settled]:
        event = judge(payload, NOW_MS)
        assert isinstance(event, TransactionEvent)
        self.offset += 1
        if event.reverses is None:
            if self.first is not None:
                return []
            self.first = content(event)
            return list(settle(None, self.first, ",".join(self.kept))) if self.kept else []
        if event.transaction_id in self.seen:
            return []
        self.seen.add(event.transaction_id)
        packed = Arrival(payload, NOW_MS, 3, self.offset, content(event)).packed()
        if len(self.seen) <= MAX_REVERSALS:
            self.kept.append(packed)
        return list(settle(packed, self.first, ",".join(self.kept) or None))


def outcome(payloads: Iterable[bytes]) -> dict[str, str]:
    """By number of the reversal what became of it; what is held is not there."""
    one = OneTransfer()
    fates: dict[str, str] = {}
    for payload in payloads:
        for settled in one.take(payload):
            number = str(json.loads(settled.arrival.payload)["transaction_id"])
            assert number not in fates, "settled twice"
            verdict = settled.verdict
            fates[number] = verdict.reason if isinstance(verdict, Rejection) else "EFFECTIVE"
    return {str(uuid.UUID(key).int - 1_000): fate for key, fate in sorted(fates.items())}


FITTING = reversal(1, amount="10.5")
DIFFERING = [
    reversal(2, amount="10"),
    reversal(3, amount="10.50000001"),
    reversal(4, from_account_id="bob", to_account_id="alice"),
    reversal(5, to_account_id="bobby"),
]


@pytest.mark.parametrize("order", list(permutations([transfer(), FITTING, DIFFERING[0]])))
def test_one_that_fits_takes_effect_in_whatever_order_they_come(order: Sequence[bytes]) -> None:
    assert outcome(order) == {"1": "EFFECTIVE", "2": "REVERSAL_DIFFERS"}


@pytest.mark.parametrize("wrong", DIFFERING)
def test_what_differs_is_rejected(wrong: bytes) -> None:
    assert list(outcome([transfer(), wrong]).values()) == ["REVERSAL_DIFFERS"]
    assert list(outcome([wrong, transfer()]).values()) == ["REVERSAL_DIFFERS"]


def test_a_reversal_waits_for_its_transfer() -> None:
    assert outcome([FITTING]) == {}
    assert outcome([FITTING, transfer()]) == {"1": "EFFECTIVE"}


def test_a_repeated_reversal_counts_once_and_is_no_reject() -> None:
    assert outcome([FITTING, FITTING, transfer(), FITTING, transfer()]) == {"1": "EFFECTIVE"}


def test_the_second_that_fits_is_rejected_whether_they_wait_or_not() -> None:
    both = {"1": "EFFECTIVE", "7": "ALREADY_REVERSED"}
    again = reversal(7)
    assert outcome([transfer(), FITTING, again]) == both
    assert outcome([FITTING, transfer(), again]) == both
    assert outcome([FITTING, again, transfer()]) == both
    assert outcome([again, FITTING, transfer()]) == {"1": "ALREADY_REVERSED", "7": "EFFECTIVE"}


def test_the_first_occurrence_of_a_transfer_is_what_must_be_repeated() -> None:
    conflicting = transfer(amount="99")
    assert outcome([transfer(), conflicting, FITTING]) == {"1": "EFFECTIVE"}
    assert outcome([conflicting, transfer(), FITTING]) == {"1": "REVERSAL_DIFFERS"}


def test_more_than_are_looked_at_are_refused_at_once_and_do_not_take_effect_later() -> None:
    wrong = [reversal(100 + n, amount="1") for n in range(MAX_REVERSALS)]
    fates = outcome([*wrong, FITTING, transfer()])
    assert fates.pop("1") == "TOO_MANY_REVERSALS"
    assert set(fates.values()) == {"REVERSAL_DIFFERS"}
    assert len(fates) == MAX_REVERSALS


def test_a_rejected_reversal_keeps_its_bytes_and_where_it_stood() -> None:
    payload = reversal(2, amount="1", memo="a, b\n💸").replace(b'"amount"', b' "amount"')
    one = OneTransfer()
    assert one.take(payload) == []
    (settled,) = one.take(transfer())
    said = judge(payload, NOW_MS)
    assert isinstance(said, TransactionEvent)
    assert settled.arrival == Arrival(payload, NOW_MS, 3, 1, content(said))
    assert isinstance(settled.verdict, Rejection)
    assert base64.b64decode(settled.verdict.payload_base64) == payload
    assert settled.verdict.payload_bytes == len(payload)


def test_what_waited_while_the_rules_changed_is_rejected_by_them() -> None:
    one = OneTransfer()
    one.take(transfer())
    assert one.first is not None
    packed = Arrival(b'{"of": "another version"}', NOW_MS, 0, 7, one.first).packed()
    (settled,) = settle(packed, one.first, packed)
    assert isinstance(settled.verdict, Rejection)
    assert settled.verdict.reason == "MISSING_FIELD"


def test_stricter_rules_do_not_let_a_second_one_take_effect() -> None:
    one = OneTransfer()
    one.take(transfer())
    assert one.first is not None
    before = Arrival(b'{"of": "another version"}', NOW_MS, 0, 7, one.first).packed()
    again = Arrival(reversal(2), NOW_MS, 0, 8, one.first).packed()
    (settled,) = settle(again, one.first, f"{before},{again}")
    assert isinstance(settled.verdict, Rejection)
    assert settled.verdict.reason == "ALREADY_REVERSED"


def test_the_content_in_the_jobs_state_is_made_as_it_always_was() -> None:
    said = judge(transfer(), NOW_MS)
    assert isinstance(said, TransactionEvent)
    assert content(said) == -137_054_661_626_562_873


def test_what_waits_is_packed_without_a_comma() -> None:
    assert "," not in Arrival(reversal(1, memo=",,,"), NOW_MS, 0, 12, -(2**63)).packed()


reversals = st.builds(
    reversal,
    st.integers(0, 8),
    amount=st.sampled_from(["10.5", "10.50", "10", "0.1"]),
    to_account_id=st.sampled_from(["bob", "bob", "eve"]),
)
histories = st.lists(st.one_of(reversals, st.just(transfer())), max_size=14)


@given(histories)
def test_every_reversal_has_one_fate_and_one_at_most_takes_effect(history: list[bytes]) -> None:
    fates = outcome(history)
    first: dict[str, bytes] = {}
    for payload in history:
        if payload != transfer():
            first.setdefault(
                str(uuid.UUID(json.loads(payload)["transaction_id"]).int - 1_000), payload
            )
    if transfer() not in history:
        assert fates == {}
        return
    assert fates.keys() == first.keys()
    fitting = {number for number, payload in first.items() if fits(payload)}
    effective = [number for number, fate in fates.items() if fate == "EFFECTIVE"]
    assert effective == [number for number in first if number in fitting][:1]
    for number, fate in fates.items():
        if number in fitting:
            assert fate in ("EFFECTIVE", "ALREADY_REVERSED")
        else:
            assert fate == "REVERSAL_DIFFERS"


@given(histories, st.randoms(use_true_random=False))
def test_with_unequal_ids_the_order_changes_at_most_which_of_two_that_fit_takes_effect(
    history: list[bytes], chance: object
) -> None:
    unique = list({json.loads(each)["transaction_id"]: each for each in history}.values())
    shuffled = unique.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = outcome(unique), outcome(shuffled)
    assert before.keys() == after.keys()
    assert sorted(before.values()) == sorted(after.values())
    differing = [
        {k for k, v in fates.items() if v == "REVERSAL_DIFFERS"} for fates in (before, after)
    ]
    assert differing[0] == differing[1]


def fits(payload: bytes) -> bool:
    said = json.loads(payload)
    return said["to_account_id"] == "bob" and said["amount"] in ("10.5", "10.50")


@given(st.from_regex(r"[1-9][0-9]{0,17}\.[0-9]{0,7}[1-9]", fullmatch=True), st.integers(0, 7))
def test_trailing_zeros_are_the_same_amount(amount: str, zeros: int) -> None:
    padded = (amount + "0" * zeros)[: amount.index(".") + 9]
    one, other = (judge(transfer(amount=each), NOW_MS) for each in (amount, padded))
    assert isinstance(one, TransactionEvent)
    assert isinstance(other, TransactionEvent)
    assert content(one) == content(other)
