"""Reversals through the whole pipeline: each undoes its transfer once, waits for it, or is rejected with its reason."""

from __future__ import annotations

import base64
from collections import Counter
from uuid import uuid4

import pytest

from tests.integration.ledger import Record, Reversal, Transfer
from tests.integration.running_stack import RunningStack, now_ms
from tests.integration.test_pipeline import read_all

DAY_MS = 86_400_000


def paid(payer: str, payee: str, amount: str = "12.50") -> Transfer:
    return Transfer(str(uuid4()), payer, payee, amount, now_ms())


def undo(transfer: Transfer) -> Reversal:
    return Reversal(str(uuid4()), transfer, now_ms())


def sent(stack: RunningStack, *records: Record) -> None:
    stack.wait_complete(stack.send(records))


def assert_exact(stack: RunningStack, *accounts: str) -> None:
    stack.assert_exact(list(accounts), (now_ms() - DAY_MS, now_ms() + DAY_MS))
    said = stack.pipeline()
    assert said["entries"] == 2 * len(stack.ledger.transfers)
    assert said["rejected"] == stack.ledger.rejected


def rejects(stack: RunningStack, *ids: str) -> dict[str, str]:
    """By id of a reversal the reason for which it was rejected."""
    payloads = [
        (value, base64.b64decode(value["payload_base64"]).decode(errors="replace"))
        for value in read_all(stack, "transactions-rejected")
    ]
    return {id_: value["reason"] for value, text in payloads for id_ in ids if id_ in text}


def test_a_reversal_lowers_the_sums_of_both_accounts_and_stays_visible(stack: RunningStack) -> None:
    kept, wrong = paid("undo-a", "undo-b", "100"), paid("undo-a", "undo-b")
    undone = undo(wrong)
    stack.ledger.add([kept, wrong, undone.effect])
    sent(stack, kept.record(), wrong.record(), undone.record(), undone.record())
    assert_exact(stack, "undo-a", "undo-b")
    entries = [
        each
        for each in read_all(stack, "account-entries")
        if each["transaction_id"] == undone.transaction_id
    ]
    assert {(e["direction"], e["account_id"], e["amount"]) for e in entries} == {
        ("RECEIVED", "undo-b", "-12.50"),
        ("SENT", "undo-a", "-12.50"),
    }
    assert {(e["kind"], e["reverses"]) for e in entries} == {("REVERSAL", wrong.transaction_id)}


def test_of_a_transfer_one_reversal_that_fits_takes_effect(stack: RunningStack) -> None:
    wrong = paid("fit-a", "fit-b")
    partial, other, fitting, again = (undo(wrong) for _ in range(4))
    stack.ledger.add([wrong, fitting.effect])
    stack.ledger.rejected += 3
    sent(stack, wrong.record())
    sent(stack, partial.record(amount="2.50"), other.record(to_account_id="fit-c"))
    sent(stack, fitting.record(amount="12.5"))
    sent(stack, again.record())
    assert_exact(stack, "fit-a", "fit-b", "fit-c")
    ids = [each.transaction_id for each in (partial, other, fitting, again)]
    assert rejects(stack, *ids) == {
        partial.transaction_id: "REVERSAL_DIFFERS",
        other.transaction_id: "REVERSAL_DIFFERS",
        again.transaction_id: "ALREADY_REVERSED",
    }


def test_what_names_nothing_it_could_reverse_is_rejected_at_once(stack: RunningStack) -> None:
    reversal = undo(paid("none-a", "none-b"))
    stack.ledger.rejected += 2
    sent(
        stack,
        reversal.record(reverses="yesterday's"),
        reversal.record(reverses=reversal.transaction_id),
    )
    assert_exact(stack, "none-a")
    assert rejects(stack, reversal.transaction_id) == {reversal.transaction_id: "REVERSES_INVALID"}


@pytest.mark.timeout(900)  # an upgrade
def test_a_reversal_waits_for_its_transfer_over_a_savepoint(stack: RunningStack) -> None:
    late, never = paid("late-a", "late-b"), paid("never-a", "never-b")
    first, second, differing, held = undo(late), undo(late), undo(late), undo(never)
    sent(stack, first.record(), differing.record(amount="1"), held.record())
    assert_exact(stack, "late-a", "late-b")
    said = stack.dev("upgrade")
    assert said.returncode == 0, said.stdout + said.stderr
    sent(stack, second.record())
    assert_exact(stack, "late-a", "late-b")
    stack.ledger.add([late, first.effect])
    stack.ledger.rejected += 2
    sent(stack, late.record(), late.record())
    assert_exact(stack, "late-a", "late-b", "never-a")
    assert Counter(rejects(stack, second.transaction_id, differing.transaction_id).values()) == {
        "ALREADY_REVERSED": 1,
        "REVERSAL_DIFFERS": 1,
    }
    verified = stack.dev("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "1 reversals held" in verified.stdout
