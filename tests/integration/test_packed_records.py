"""What is small on its way and huge once it is unpacked exhausts nobody: it is refused, or taken a little at a time."""

from __future__ import annotations

import pytest

from tests.integration.ledger import Transfer
from tests.integration.packed_batch import INVALID_RECORD, NONE, blanks, produce
from tests.integration.running_stack import RunningStack, now_ms, wait_until

MIB = 1024 * 1024
DAY_MS = 86_400_000
PARTS = ("kafka", "flink_taskmanager", "pinot_server", "audit")


def restarts(stack: RunningStack) -> dict[str, int]:
    said = stack.status()
    return {part: said[part]["restarts"] for part in PARTS}


def assert_that_events_count(stack: RunningStack, serial: int) -> None:
    account = f"after-packed-{serial}"
    after = Transfer(f"00000000-0000-4000-a000-{serial:012d}", account, "b", "1", now_ms())
    stack.ledger.add([after])
    stack.wait_complete(stack.send([after.record()]), 400)
    stack.assert_exact([account], (now_ms() - DAY_MS, now_ms() + DAY_MS))


@pytest.mark.timeout(900)
def test_a_value_of_900_mib_in_one_gzip_batch_is_refused_at_the_door(stack: RunningStack) -> None:
    before = restarts(stack)
    batch = blanks(1, 900 * MIB, now_ms())
    assert len(batch) < MIB
    assert produce(stack.kafka, "transactions", 0, batch) == INVALID_RECORD
    assert (
        produce(stack.kafka, "transactions", 1, blanks(1, MIB + 1024, now_ms())) == INVALID_RECORD
    )
    assert_that_events_count(stack, 1)
    assert stack.pipeline()["rejected"] == stack.ledger.rejected
    assert restarts(stack) == before


@pytest.mark.timeout(900)
def test_a_thousand_values_of_a_mebibyte_in_one_batch_are_rejected_one_by_one(
    stack: RunningStack,
) -> None:
    before = restarts(stack)
    batch = blanks(950, MIB - 64, now_ms())
    assert len(batch) < MIB
    assert produce(stack.kafka, "transactions", 2, batch) == NONE
    stack.ledger.rejected += 950
    assert_that_events_count(stack, 2)
    assert stack.pipeline()["rejected"] == stack.ledger.rejected
    assert restarts(stack) == before
    # The audit reads all of it, a little at a time, and is where the pipeline is within a minute.
    wait_until(lambda: audit_state(stack) == "CONSISTENT", 120, "the audit is still behind")


def audit_state(stack: RunningStack) -> str:
    state: str = stack.ask("{ pipeline { audit { state } } }")["pipeline"]["audit"]["state"]
    return state
