"""What is announced of erased outcomes: all whose raw records are there, whole, and in records that Kafka takes."""

from __future__ import annotations

from stream_jobs.events.erased_outcomes import (
    OUTCOMES_A_RECORD,
    ErasedOutcome,
    ErasedOutcomes,
    of_value,
    values,
)


def test_outcomes_whose_raw_records_are_gone_are_left_out() -> None:
    outcomes = [ErasedOutcome(p, offset, 2**63 - 1, offset) for p in (0, 1) for offset in (6, 7)]
    (record,) = values("erased-x", outcomes, {0: 7})
    assert of_value(record) == ErasedOutcomes("erased-x", outcomes[1:])
    assert list(values("erased-x", outcomes, {0: 8, 1: 8})) == []


def test_many_are_told_in_several_records_of_which_kafka_takes_the_largest() -> None:
    most = [ErasedOutcome(63, 10**15 + n, 2**63 - 1, 2**63 - 1) for n in range(OUTCOMES_A_RECORD)]
    records = [*values("erased-" + 32 * "x", [*most, *most, most[0]], {})]
    assert [len(of_value(each).outcomes) for each in records] == [len(most), len(most), 1]
    assert max(map(len, records)) < 1_048_588
