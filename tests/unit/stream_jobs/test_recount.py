"""The recount counts each id once, the first occurrence, exactly."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_jobs.recount import Recount, Transfer, scaled, unscaled
from stream_jobs.reference_answers import Row, Totals, Window, counterparties, ranked, totals

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER_ID = "1f8fad5b-d9cb-469f-a165-70867728950e"
KEY = bytes.fromhex(ID.replace("-", ""))


def _event(
    transaction_id: str = ID, amount: str = "1", payer: str = "a", payee: str = "b"
) -> bytes:
    return json.dumps(
        {
            "transaction_id": transaction_id,
            "from_account_id": payer,
            "to_account_id": payee,
            "amount": amount,
        }
    ).encode()


NOW_MS = 1_700_000_000_000


@given(st.from_regex(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?", fullmatch=True))
def test_amounts_are_scaled_without_losing_a_digit(amount: str) -> None:
    assert Fraction(scaled(amount), 10**8) == Fraction(amount)
    assert Fraction(unscaled(scaled(amount))) == Fraction(amount)


def test_a_ninth_decimal_is_not_lost_silently() -> None:
    assert scaled("0.100000000") == 10_000_000
    with pytest.raises(ValueError, match="8 decimals"):
        scaled("0.000000001")


def test_the_first_occurrence_in_a_partition_counts() -> None:
    recount = Recount()
    recount.add(0, NOW_MS, _event(amount="1"))
    recount.add(0, NOW_MS + 5, _event(ID.upper(), amount="2"))
    assert list(recount.transfers()) == [Transfer("a", "b", 10**8, NOW_MS)]
    assert (recount.records, recount.distinct, recount.duplicates) == (2, 1, 1)
    assert recount.ambiguous() == {}


def test_rejected_records_are_counted_by_reason() -> None:
    recount = Recount()
    recount.add(0, NOW_MS, b"nonsense")
    recount.add(0, NOW_MS, None)
    recount.add(0, 0, _event())
    assert recount.rejected == {"NOT_JSON": 1, "EMPTY": 1, "TIME_OUT_OF_RANGE": 1}
    assert recount.distinct == 0


def test_differing_first_occurrences_in_two_partitions_are_ambiguous_until_settled() -> None:
    recount = Recount()
    recount.add(0, NOW_MS, _event(amount="1"))
    recount.add(1, NOW_MS, _event(amount="2"))
    recount.add(1, NOW_MS, _event(amount="3"))
    counted = Transfer("a", "b", 2 * 10**8, NOW_MS)
    assert recount.ambiguous() == {KEY: (Transfer("a", "b", 10**8, NOW_MS), counted)}
    recount.settle(KEY, counted)
    assert list(recount.transfers()) == [counted]


def test_equal_occurrences_in_two_partitions_are_not_ambiguous() -> None:
    recount = Recount()
    recount.add(0, NOW_MS, _event())
    recount.add(1, NOW_MS, _event())
    recount.add(1, NOW_MS + 1, _event())
    assert recount.ambiguous() == {}


def test_transfers_of_an_account_are_those_on_either_side() -> None:
    recount = Recount()
    recount.add(0, NOW_MS, _event(ID, payer="a", payee="a"))
    recount.add(0, NOW_MS, _event(OTHER_ID, payer="b", payee="c"))
    assert [t.to_account_id for t in recount.of_accounts(["a"])] == ["a"]
    assert [t.to_account_id for t in recount.of_accounts(["c", "unknown"])] == ["c"]
    assert recount.busiest() == ["a", "b", "c"]
    assert recount.times_ms() == [NOW_MS, NOW_MS]


TRANSFERS = [
    Transfer("x", "me", 5, 10),
    Transfer("y", "me", 3, 11),
    Transfer("y", "me", 2, 12),
    Transfer("z", "me", 5, 20),
    Transfer("me", "me", 7, 15),
    Transfer("me", "x", 1, 15),
]


def test_counterparties_are_of_one_direction_and_one_half_open_window() -> None:
    rows = counterparties(TRANSFERS, "me", "RECEIVED", Window(10, 20))
    assert sorted(rows, key=lambda row: row.account_id) == [
        Row("me", 1, 7),
        Row("x", 1, 5),
        Row("y", 2, 5),
    ]
    assert totals(rows) == Totals(4, 17, 3)
    assert counterparties(TRANSFERS, "me", "SENT", Window(15, 16)) == [
        Row("me", 1, 7),
        Row("x", 1, 1),
    ]


def test_ranks_are_by_one_measure_then_the_other_then_the_id() -> None:
    rows = counterparties(TRANSFERS, "me", "RECEIVED", Window(0, 100))
    by_amount = [row.account_id for row in ranked(rows, "TRANSACTION_AMOUNT")]
    by_count = [row.account_id for row in ranked(rows, "TRANSACTION_COUNT")]
    assert by_amount == ["me", "y", "x", "z"]
    assert by_count == ["y", "me", "x", "z"]
