"""Which rates the pipeline bench tries, and what it calls sustained."""

from __future__ import annotations

import pytest

from tests.load.flow.stages import STAGES, Passage
from tests.load.flow.trial import Trial
from tests.load.pipeline import failures, search


def trial(
    rate: int, delay_s: float = 1.0, growth_s: float = 0.0, unseen: int = 0, late_s: float = 0.0
) -> Trial:
    way = Passage(1.0, dict.fromkeys(STAGES, delay_s))
    sender = {"latest_late_s": late_s}
    return Trial(rate, 60, [way], unseen, 1.0, growth_s, {}, sender, {})


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (trial(1, delay_s=31), "p99 31 s is over 30 s"),
        (trial(1, growth_s=2.5), "the delay grew by 2.5 s"),
        (trial(1, unseen=1), "1 probes were not seen"),
        (trial(1, late_s=1.5), "the producer was late"),
    ],
)
def test_a_rate_that_does_not_hold_says_why(bad: Trial, said: str) -> None:
    assert failures(bad, 30) == [said]
    assert failures(trial(1), 30) == []


@pytest.mark.parametrize(
    ("limit", "tried"),
    [
        (13_000, [8_000, 10_000, 12_500, 15_600, 14_000]),
        (5_500, [8_000, 6_400, 5_100, 5_800]),
    ],
)
def test_the_search_goes_up_or_down_to_where_it_turns_and_then_between(
    limit: int, tried: list[int]
) -> None:
    def run(rate: int) -> Trial:
        return trial(rate, growth_s=0.0 if rate <= limit else 9.0)

    found = search(run, 8_000, 30)
    assert [each.rate for each in found] == pytest.approx(tried, abs=100)
