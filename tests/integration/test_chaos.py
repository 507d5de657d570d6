"""A short chaos run on the stack of the session; `./dev chaos` has the long ones."""

from __future__ import annotations

import argparse

import pytest

from tests.chaos.__main__ import run
from tests.integration.running_stack import RunningStack


@pytest.mark.timeout(1_500)  # five faults, each with its recovery, on a machine that may be busy
def test_some_faults_by_seed_lose_and_double_nothing(stack: RunningStack) -> None:
    options = argparse.Namespace(
        seed=20,
        faults=5,
        minutes=None,
        # One part killed at a time is test_faults.py's.
        only=["pause", "kill-audit", "aborted", "open-transaction", "garbage"],
        part=None,
        outage_s=0.0,
        repair=False,
    )
    figures = run(stack, options)
    assert figures["faults"] == 5
    assert figures["findings"] == []
    assert (figures["lost"], figures["duplicated"], figures["unknown"]) == (0, 0, 0)
    assert figures["amount_difference"] == "0"
    assert figures["wrong_answers"] == 0
