"""Percentiles and histograms of latencies."""

from __future__ import annotations

import math

import pytest

from tests.load.gateway.latency import histogram, percentile, summary


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (1.0, 100), (0.0, 1)]
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    share: float, expected: int
) -> None:
    assert percentile(range(1, 101), share) == expected


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.99) == 7.0


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 0.5))


def test_the_histogram_counts_every_value_once() -> None:
    assert histogram([0.1, 0.5, 0.6, 10, 10.1, 99_999]) == {
        "<=0.5": 2,
        "<=1": 1,
        "<=10": 1,
        "<=15": 1,
        ">10000": 1,
    }


def test_a_summary_does_not_depend_on_the_order() -> None:
    assert summary([3.0, 1.0, 2.0]) == summary([1.0, 2.0, 3.0])
    assert summary([3.0, 1.0, 2.0])["max_ms"] == 3.0


def test_a_summary_of_nothing_has_no_figures() -> None:
    assert summary([]) == {
        "count": 0,
        **dict.fromkeys(("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms")),
    }
