"""The example of docs/reversals.md that corrects a payment, as it stands there: judged, settled and summed up."""

from __future__ import annotations

import re
from fractions import Fraction

from local_stack.settings import CHECKOUT
from stream_jobs.events.reversals import Arrival, content, settle
from stream_jobs.events.rules import TransactionEvent, judge

NOW_MS = 1_700_000_000_000
PAGE = (CHECKOUT / "docs" / "reversals.md").read_text(encoding="utf-8")
WRONG = (
    b'{"transaction_id": "0b0e9a4c-2f3a-4f0e-9d57-3f0c0f8a1b2c", "from_account_id": "acct-000007", '
    b'"to_account_id": "acct-000001", "amount": "1000000.50"}'
)


def event(value: bytes) -> TransactionEvent:
    judged = judge(value, NOW_MS)
    assert isinstance(judged, TransactionEvent)
    return judged


def test_a_correction_takes_effect_and_leaves_the_right_amount() -> None:
    (block,) = re.findall(r"^```jsonl\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    undoing, anew = (line.encode() for line in block.splitlines())
    reversal, right, wrong = event(undoing), event(anew), event(WRONG)
    arrival = Arrival(undoing, NOW_MS, 0, 0, content(reversal)).packed()
    (settled,) = settle(None, content(wrong), arrival)
    assert settled.verdict == reversal
    assert len({each.transaction_id for each in (reversal, right, wrong)}) == 3
    assert (right.from_account_id, right.to_account_id) == (
        wrong.from_account_id,
        wrong.to_account_id,
    )
    amounts = (Fraction(wrong.amount), -Fraction(reversal.amount), Fraction(right.amount))
    assert sum(amounts) == Fraction("100000.50")
