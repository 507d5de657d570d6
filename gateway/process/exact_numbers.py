"""Numbers as they are written, where Python would read others."""

from __future__ import annotations

from decimal import Decimal


def becomes_whole(text: str) -> bool:
    """Whether the float of a number's text is a whole number, and another one than was written.

    Fractions are rounded, as everywhere; but an Int takes a float that is whole, and a percentile of
    99.99999999999999999999 is not the largest.
    """
    value = float(text)
    try:
        return value.is_integer() and Decimal(text) != value
    except ArithmeticError:
        return True  # an exponent beyond all decimals: it is not the zero that floats have of it
