"""Amounts as integers in units of the eighth decimal, so that no sum can round."""

from __future__ import annotations

SCALE = 10**8


def scaled(amount: str) -> int:
    """A plain decimal of any sign as an integer in units of 10^-8.

    Raises ValueError if it has more decimals that count.
    """
    if amount.startswith("-"):
        return -scaled(amount[1:])
    whole, _, decimals = amount.partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > 8:
        raise ValueError(f"{amount} has more than 8 decimals")
    return int(whole) * SCALE + int(decimals.ljust(8, "0"))


def unscaled(amount: int) -> str:
    """The shortest plain decimal of an amount in units of 10^-8."""
    whole, decimals = divmod(abs(amount), SCALE)
    return "-" * (amount < 0) + f"{whole}.{decimals:08d}".rstrip("0").rstrip(".")
