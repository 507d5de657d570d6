"""The table says what was measured, what missed its target, what failed, and when others were at work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.load.__main__ import BENCHMARKS
from tests.load.all import figures
from tests.load.all.one import measured
from tests.load.all.quiet import Look
from tests.load.all.runs import Run
from tests.load.all.table import HEAD, Row, markdown
from tests.load.gateway.targets import Target, judged

QUIET, LOUD = Look(0.4, 0.1), Look(7.0, 1.6)
RUN = Run("job", "The job | alone", figures.job, quick="--events 9")
ROW = Row(RUN, RUN.command(quick=True), QUIET, Look(1.8, 0.0), 12.0, "5/s")


def last_of(row: Row) -> str:
    return markdown([row]).removeprefix(HEAD).splitlines()[1]


def test_a_row_says_what_how_much_and_how_to_measure_it_again() -> None:
    assert (
        last_of(ROW) == r"| The job \| alone | 5/s | `./dev bench job --events 9` |  | 0.4, 1.8 |"
    )
    assert markdown([ROW]).endswith("\nThe machine was quiet before and after each.\n")


def test_a_missed_target_is_told() -> None:
    targets = judged(Target("p99 in ms", 12.5, 10, at_least=False), Target("rate", 3, 3))
    told = last_of(replace(ROW, targets=targets)).split(" | ")[3]
    assert told == "**missed**: p99 in ms 12.5 (≤ 10); met: rate 3 (≥ 3)"


def test_others_at_work_before_or_after_are_told() -> None:
    for before, after in ((LOUD, QUIET), (QUIET, LOUD)):
        said = markdown([ROW, replace(ROW, before=before, after=after)])
        assert said.count("**not quiet**: 1.6 cores by others") == 1
        assert "**Not quiet** (1 of 2): others took the processor beside job." in said


def test_a_benchmark_that_fails_is_a_row_with_its_last_words() -> None:
    row = measured(Run("no-such", "nothing", figures.job), lambda: QUIET, quick=True)
    assert row.failed.splitlines()[-1] == f"  stores       {BENCHMARKS['stores']}"
    assert last_of(row).startswith("| nothing | **failed**:   stores ")
    assert "\nFailed: no-such.\n" in markdown([ROW, row])


def test_one_whose_stack_did_not_start_is_not_run() -> None:
    row = measured(RUN, lambda: LOUD, quick=True, hindered="port 9092 is taken\nno stack")
    assert last_of(row).startswith(r"| The job \| alone | **failed**: no stack |")


def test_a_store_that_failed_among_the_others_is_a_failure() -> None:
    with pytest.raises(figures.BrokenError, match="redis: it ended"):
        figures.stores({"stores": {"redis": {"failed": "it ended"}, "chdb": {"absent": "no"}}})
