"""The judge of chaos runs is judged: what is missing, doubled or of nobody is counted."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.chaos.accounting import Entries
from tests.integration.ledger import DIRECTIONS, Ledger, Transfer

ID = "00000000-0000-0000-0000-00000000000{}"


def entry(number: int, direction: str, amount: str = "1.5") -> dict[str, str]:
    return {"transaction_id": ID.format(number), "direction": direction, "amount": amount}


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.add([Transfer(ID.format(n), "a", "b", "1.5", 0) for n in range(3)])
    return made


@pytest.fixture
def entries() -> Entries:
    made = Entries("nowhere")
    for number in range(3):
        for direction in DIRECTIONS:
            made._add(entry(number, direction))
    return made


def test_all_entries_once_make_no_difference(entries: Entries, ledger: Ledger) -> None:
    assert entries.against(ledger).none


def test_a_lost_entry_is_lost(entries: Entries, ledger: Ledger) -> None:
    ledger.add([Transfer(ID.format(7), "a", "b", "2", 0)])
    found = entries.against(ledger)
    assert (found.lost, found.duplicated, found.unknown) == (2, 0, 0)
    assert found.amount == Fraction(4)


def test_a_doubled_entry_is_doubled(entries: Entries, ledger: Ledger) -> None:
    entries._add(entry(1, "SENT"))
    found = entries.against(ledger)
    assert (found.lost, found.duplicated, found.amount) == (0, 1, Fraction("1.5"))


def test_an_entry_of_nobody_is_unknown(entries: Entries, ledger: Ledger) -> None:
    entries._add(entry(9, "SENT", "0"))
    assert entries.against(ledger).unknown == 1


def test_a_changed_amount_is_a_difference(ledger: Ledger) -> None:
    changed = Entries("nowhere")
    for number in range(3):
        for direction in DIRECTIONS:
            changed._add(entry(number, direction, "1.5" if number else "1.50000001"))
    found = changed.against(ledger)
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.amount == Fraction("0.00000002")
    assert not found.none
