"""The stores' questions and their right answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.load.stores.payments import (
    DAY_MS,
    DAYS,
    Question,
    Reference,
    Transfer,
    cents_of,
    make_questions,
    make_transfers,
)

END_MS = 1_763_800_000_000


def test_the_same_seed_makes_the_same_transfers_within_the_days() -> None:
    made = make_transfers(500, 3, END_MS)
    assert made == make_transfers(500, 3, END_MS)
    assert all(END_MS - DAYS * DAY_MS <= each.time_ms < END_MS for each in made)
    assert len({each.transaction_id for each in made}) == 500


def test_half_of_the_questions_are_about_whole_days_and_half_about_rankings() -> None:
    made = make_questions(make_transfers(500, 3, END_MS), 40, 3, END_MS)
    assert [sum(each.whole_days for each in made), sum(each.top for each in made)] == [20, 20]
    for each in made:
        assert each.start_ms < each.end_ms <= END_MS
        assert (each.start_ms % DAY_MS == each.end_ms % DAY_MS == 0) is each.whole_days


def test_the_reference_ranks_by_amount_then_count_then_id() -> None:
    def paid(payer: str, cents: int, time_ms: int = 5) -> Transfer:
        return Transfer(payer, "shop", "id", cents, time_ms)

    transfers = [paid("b", 4), paid("b", 6), paid("c", 10), paid("a", 10), paid("d", 99, 10)]
    reference = Reference(transfers)
    top = Question("shop", 0, 10, top=True, whole_days=False)
    assert reference.answer(top) == [("b", 2, 10), ("a", 1, 10), ("c", 1, 10)]
    totals = Question("shop", 0, 10, top=False, whole_days=False)
    assert reference.answer(totals) == [("", 4, 30)]
    assert reference.answer(Question("nobody", 0, 10, top=False, whole_days=False)) == []


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("12", 1200), ("12.3", 1230), ("12.30000", 1230), (Decimal("0.05"), 5), (7, 700)],
)
def test_amounts_in_any_form_are_the_same_cents(amount: object, cents: int) -> None:
    assert cents_of(amount) == cents


def test_parts_of_a_cent_are_noticed() -> None:
    with pytest.raises(AssertionError, match="parts of a cent"):
        cents_of("1.005")
