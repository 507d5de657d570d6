"""The audit and the accounting judge each other: a loss that only one of them sees is a finding."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tests.chaos.accounting import Difference
from tests.chaos.auditing import Verdict, first_told_s

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


def test_the_first_finding_after_a_fault_is_taken_from_the_audits_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    lines = [
        "started without JSON",
        '{"time": "2026-11-23T06:00:00+00:00", "message": "mismatch", "kind": "LOST"}',
        '{"time": "2026-11-23T06:00:05+00:00", "message": "auditing"}',
        '{"time": "2026-11-23T06:00:09+00:00", "message": "mismatch", "kind": "LOST"}',
    ]
    log.write_text("\n".join(lines))
    began_s = datetime(2026, 11, 23, 6, 0, 1, tzinfo=UTC).timestamp()
    assert first_told_s(log, began_s) == began_s + 8
    assert first_told_s(log, began_s + 60) is None
