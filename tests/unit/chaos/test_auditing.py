"""The audit and the accounting judge each other: a loss that only one of them sees is a finding."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from tests.chaos.accounting import Difference
from tests.chaos.auditing import Verdict

NOTHING = Difference(0, 0, 0, Fraction(0))
LOST = Difference(3, 0, 0, Fraction(7))


def verdict(state: str, **findings: int) -> Verdict:
    return Verdict(state, Counter({f"ENTRIES {kind}": n for kind, n in findings.items()}))


def test_agreement_is_no_contradiction() -> None:
    assert verdict("CONSISTENT").contradiction(NOTHING) == ""
    assert verdict("INCONSISTENT", LOST=1, LOST_SIDE=1).contradiction(LOST) == ""


@pytest.mark.parametrize(
    ("said", "difference"),
    [
        (verdict("CONSISTENT"), LOST),
        (verdict("INCONSISTENT", LOST=1), LOST),
        (verdict("INCONSISTENT", DOUBLED=1), NOTHING),
        (verdict("INCONSISTENT", LOST=1), NOTHING),
        (verdict("CONSISTENT"), Difference(0, 1, 0, Fraction(1))),
        (verdict("BEHIND"), NOTHING),
    ],
)
def test_what_only_one_of_them_finds_is_told(said: Verdict, difference: Difference) -> None:
    assert said.contradiction(difference)
