"""The stages of a probe's way follow from counts that were seen to grow."""

from __future__ import annotations

import pytest

from tests.load.flow.stages import Account, Passage, Sighting, growth_s, passages, quantiles


def account(pinot: list[Sighting], graphql: list[Sighting]) -> Account:
    return Account(
        sent_s={"a": 10.0, "b": 11.0},
        committed=[("b", 11.5), ("a", 11.6)],  # overtaken on the way
        pinot=pinot,
        graphql=graphql,
    )


def test_a_count_tells_which_probes_an_answer_holds_by_their_order_in_kafka() -> None:
    found = passages(
        account(
            [Sighting(11.4, 0), Sighting(11.7, 1), Sighting(12.0, 2)],
            [Sighting(11.9, 1, 10.4), Sighting(12.2, 2, 10.9), Sighting(12.7, 2, 11.0)],
        )
    )
    first, second = found
    assert first.stages == pytest.approx(
        {
            "sent_to_kafka": 0.5,
            "kafka_to_pinot": 0.2,
            "pinot_to_graphql": 0.2,
            "sent_to_graphql": 0.9,
            "sent_to_as_of": 1.7,
        }
    )
    assert second.sent_s == 10.0
    assert second.stages["sent_to_graphql"] == pytest.approx(2.2)
    assert second.stages["sent_to_as_of"] == pytest.approx(2.2)  # vouched for before it was seen


def test_what_was_never_seen_has_no_way() -> None:
    assert [
        way.sent_s for way in passages(account([Sighting(12, 1)], [Sighting(13, 1, 12.0)]))
    ] == [11.0]
    assert passages(account([Sighting(12, 2)], [Sighting(13, 1, 10.5)])) == []


def test_an_answer_that_counts_less_than_one_before_changes_nothing() -> None:
    sightings = [Sighting(12, 2), Sighting(12.1, 0), Sighting(12.2, 2)]
    found = passages(account(sightings, [Sighting(12.3, 2, 12.0)]))
    assert [way.stages["kafka_to_pinot"] for way in found] == pytest.approx([0.5, 0.4])


def test_a_stage_that_was_seen_too_late_is_not_negative() -> None:
    found = passages(account([Sighting(12.5, 2)], [Sighting(12.4, 2, 12.0)]))
    assert all(way.stages["pinot_to_graphql"] == 0 for way in found)


def test_quantiles_are_of_the_nearest_rank() -> None:
    assert quantiles([float(n) for n in range(1, 101)]) == {
        "p50": 50.0,
        "p90": 90.0,
        "p99": 99.0,
        "max": 100.0,
    }


def way(sent_s: float, delay_s: float) -> Passage:
    return Passage(sent_s, {"sent_to_graphql": delay_s})


def test_a_queue_that_grows_shows_and_one_long_pause_does_not() -> None:
    growing = [way(n, 1 + n / 10) for n in range(100)]
    paused = [way(n, 9.0 if 80 <= n < 90 else 1.0) for n in range(100)]
    assert growth_s(growing) == pytest.approx(7.5)
    assert growth_s(paused) == 0
