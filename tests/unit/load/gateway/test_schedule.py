"""When requests are due, and which phase they belong to."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.load.gateway.schedule import Phase, intended_times, phase_at

PHASES = (Phase(100, 20), Phase(1_000, 10), Phase(0, 5), Phase(100, 20))


def test_each_phase_has_its_rate() -> None:
    times = intended_times(random.Random(3), PHASES)
    counts = [0, 0, 0, 0]
    for at_s in times:
        counts[phase_at(PHASES, at_s)] += 1
    assert counts[2] == 0
    for phase, count in zip(PHASES, counts, strict=True):
        assert count == pytest.approx(phase.rate * phase.seconds, rel=0.1)


def test_times_are_in_order_and_within_the_phases() -> None:
    times = intended_times(random.Random(3), PHASES)
    assert list(times) == sorted(times)
    assert times[0] > 0
    assert times[-1] < 55


def test_gaps_vary_as_those_of_independent_clients() -> None:
    times = intended_times(random.Random(3), (Phase(1_000, 50),))
    gaps = [after - before for before, after in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance**0.5 == pytest.approx(mean, rel=0.05)


def test_what_comes_after_the_end_belongs_to_the_last_phase() -> None:
    assert phase_at(PHASES, 19.999) == 0
    assert phase_at(PHASES, 20) == 1
    assert phase_at(PHASES, 1_000) == 3
