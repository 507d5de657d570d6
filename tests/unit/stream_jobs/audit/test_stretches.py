"""The condition for some raw offsets finds just them, and is short however they lie."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_jobs.audit.stretches import Stretch, of_stretches

PARTITIONS, OFFSETS = 3, 120
ANY = st.builds(
    lambda partition, start, length: Stretch(partition, start, min(start + length, OFFSETS)),
    st.integers(0, PARTITIONS - 1),
    st.integers(0, OFFSETS - 1),
    st.integers(1, 60),
)


def found(stretches: list[Stretch]) -> set[tuple[int, int]]:
    rows = duckdb.connect().execute(
        f"SELECT kafka_partition, kafka_offset FROM range({PARTITIONS}) p(kafka_partition), "
        f"range({OFFSETS}) o(kafka_offset) WHERE {of_stretches(stretches)}"
    )
    return set(rows.fetchall())


@given(st.lists(ANY, min_size=1, max_size=20))
@example([Stretch(0, 0, 5), Stretch(0, 21, 22), Stretch(0, 22, 60), Stretch(2, 119, 120)])
@example([Stretch(1, 10, 40), Stretch(1, 12, 13), Stretch(1, 57, 58), Stretch(1, 75, 76)])
def test_it_finds_these_offsets_and_no_other(stretches: list[Stretch]) -> None:
    assert found(stretches) == {
        (partition, offset) for partition, start, end in stretches for offset in range(start, end)
    }


def test_what_is_named_is_the_shorter_of_both() -> None:
    every_tenth = [Stretch(0, offset, offset + 1) for offset in range(0, 2_000, 10)]
    assert of_stretches(every_tenth).count(", ") == len(every_tenth) - 1
    all_but_every_tenth = [Stretch(0, offset + 1, offset + 10) for offset in range(0, 2_000, 10)]
    assert of_stretches(all_but_every_tenth).count(", ") == len(every_tenth) - 2


@pytest.mark.parametrize("step", [2, 3, 40, 1_000])
def test_hundreds_of_single_offsets_and_of_gaps_are_one_alternative_each(step: int) -> None:
    single = [Stretch(0, offset, offset + 1) for offset in range(7, 7 + 200 * step, step)]
    assert of_stretches(single).count("kafka_partition") == 1
    cut = [Stretch(5, at, at + 500) for at in range(10_000, 110_000, 501)]
    both = of_stretches([*cut, *single])
    assert both.count("kafka_partition") == 2
    assert "NOT IN (10500, 11001, " in both


def test_one_range_is_said_as_one() -> None:
    assert of_stretches([Stretch(2, 5, 90)]) == (
        "((kafka_partition = 2 AND kafka_offset >= 5 AND kafka_offset < 90))"
    )
