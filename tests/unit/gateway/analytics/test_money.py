"""Exact sums of any size, and the rounding of what has no exact decimal."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.analytics import money

amounts = st.decimals(
    min_value=0, max_value=Decimal("999999999999999999.99999999"), places=8, allow_nan=False
)


def test_a_million_of_the_largest_amounts_add_up_exactly() -> None:
    largest = Decimal("999999999999999999.99999999")
    assert money.add([largest] * 1_000_000) == Decimal("999999999999999999999999.99000000")


@given(st.lists(amounts, max_size=30))
def test_sums_are_those_of_fractions(chosen: list[Decimal]) -> None:
    assert Fraction(money.add(chosen)) == sum((Fraction(each) for each in chosen), Fraction(0))


def test_differences_are_exact_and_may_be_negative() -> None:
    large = Decimal("99999999999999999999999999999999.99999999")
    assert money.subtract(Decimal("0.00000001"), large) == Decimal(
        "-99999999999999999999999999999999.99999998"
    )


@pytest.mark.parametrize(
    ("amount", "count", "mean"),
    [
        ("10", 4, "2.5"),
        ("10", 3, "3.33333333"),
        ("20", 3, "6.66666667"),
        ("0.00000001", 2, "0.00000000"),
        ("0.00000003", 2, "0.00000002"),
        ("1", 0, None),
    ],
)
def test_a_mean_is_rounded_half_to_even_at_eight_places(
    amount: str, count: int, mean: str | None
) -> None:
    assert money.average(Decimal(amount), count) == (None if mean is None else Decimal(mean))


@given(amounts, st.integers(-(10**9), 10**9).filter(bool))
def test_a_quotient_is_that_of_fractions_rounded_once(dividend: Decimal, divisor: int) -> None:
    quotient = money.divide(dividend, Decimal(divisor), 8)
    assert quotient is not None
    assert Fraction(quotient) == round(Fraction(dividend) / divisor, 8)


def test_a_ratio_to_nothing_or_to_less_is_null() -> None:
    assert money.ratio(Decimal(1), Decimal(0)) is None
    assert money.ratio(Decimal(50), Decimal(-100)) is None
    assert money.ratio(Decimal(-100), Decimal(-100)) is None
    assert money.ratio(money.exact(-1), money.exact(3)) == Decimal("-0.33333333")


@pytest.mark.parametrize(
    ("dividend", "divisor", "rounded"),
    [
        ("5", "2", 2),
        ("7", "2", 4),
        ("-7", "2", -4),
        ("-5", "2", -2),
        ("2", "0.3", 7),
        ("-2", "0.3", -7),
    ],
)
def test_ties_go_to_the_even_neighbour_and_divisors_may_be_small(
    dividend: str, divisor: str, rounded: int
) -> None:
    assert money.divide(Decimal(dividend), Decimal(divisor), 0) == rounded


@given(st.integers(min_value=-(10**26), max_value=10**26))
def test_units_are_there_and_back_the_same(units: int) -> None:
    amount = money.from_units(units)
    assert Fraction(amount) == Fraction(units, 10**8)
    assert money.to_units(amount) == units


def test_what_is_no_whole_number_of_units_is_no_amount() -> None:
    assert money.to_units(Decimal("-1.50000000000")) == -150_000_000
    with pytest.raises(Inexact):
        money.to_units(Decimal("0.000000001"))


def test_a_ratio_to_less_than_one_is_one() -> None:
    assert money.ratio(Decimal(1), Decimal("0.25")) == 4
