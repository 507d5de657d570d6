"""Exact decimal arithmetic: a context wide enough that no sum of amounts is ever rounded.

An amount has up to 18 + 8 digits; 10^18 of them need 44. Ratios and averages, which have no exact
decimal, are rounded half to even at a stated number of places.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
from functools import reduce

ZERO = Decimal(0)
AVERAGE_PLACES = 8
RATIO_PLACES = 8
UNIT_PLACES = 8
"""Decimals that an amount has at most."""

_EXACT = Context(prec=80, traps=[Inexact])
_ROUNDED = Context(prec=80, rounding=ROUND_HALF_EVEN)


def add(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(_EXACT.add, amounts, ZERO)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(left, right)


def average(amount: Decimal, count: int) -> Decimal | None:
    """The mean, half-even at 8 places; null without transactions."""
    return divide(amount, Decimal(count), AVERAGE_PLACES)


def ratio(part: Decimal, base: Decimal) -> Decimal | None:
    """A part of a base, half-even at 8 places; null where the base is zero or less.

    To a negative base every ratio has the wrong sign: a rise reads as a fall.
    """
    return divide(part, base, RATIO_PLACES) if base > 0 else None


def divide(dividend: Decimal, divisor: Decimal, places: int) -> Decimal | None:
    """A quotient, half-even at some places; null for a divisor of zero."""
    if divisor == 0:
        return None
    # Scaled to an integer quotient and remainder, so that it is rounded once only.
    scaled = _ROUNDED.scaleb(dividend, places)
    quotient = int(_ROUNDED.divide_int(scaled, divisor))
    twice_rest = 2 * abs(_ROUNDED.remainder(scaled, divisor))
    if twice_rest > abs(divisor) or (twice_rest == abs(divisor) and quotient % 2):
        quotient += 1 if (dividend < 0) == (divisor < 0) else -1
    return _ROUNDED.scaleb(Decimal(quotient), -places)


def to_units(amount: Decimal) -> int:
    """An amount in units of 10^-8, of which it is a whole number; raises `decimal.Inexact` if it is not."""
    return int(_EXACT.to_integral_exact(_EXACT.scaleb(amount, UNIT_PLACES)))


def from_units(units: int) -> Decimal:
    """So many units of 10^-8 as an amount."""
    return _EXACT.scaleb(Decimal(units), -UNIT_PLACES)


def exact(number: int) -> Decimal:
    """An integer as a decimal, all digits kept."""
    return Decimal(number)
