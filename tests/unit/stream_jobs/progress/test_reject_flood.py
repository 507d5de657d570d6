"""A flood of garbage is told once it is one, and its end; a short or small one is not."""

from __future__ import annotations

from stream_jobs.progress.reject_flood import RejectFlood, Seen


def after(flood: RejectFlood, *looks: tuple[int, int, int]) -> list[bool]:
    """Whether it floods after each look at (second, events, rejected)."""
    told = []
    for second, events, rejected in looks:
        flood.add(Seen(second * 1000, events, rejected))
        told.append(flood.flooding)
    return told


def test_half_of_a_thousand_events_is_a_flood() -> None:
    assert after(RejectFlood(), (0, 0, 0), (30, 999, 999)) == [False, False]
    assert after(RejectFlood(), (0, 0, 0), (30, 1_000, 499)) == [False, False]
    assert after(RejectFlood(), (0, 0, 0), (30, 1_000, 500)) == [False, True]


def test_what_was_before_the_last_minute_does_not_count() -> None:
    told = after(RejectFlood(), (0, 0, 0), (10, 5_000, 5_000), (75, 7_000, 5_100))
    assert told == [False, True, False]


def test_a_short_burst_in_much_traffic_is_no_flood() -> None:
    assert after(RejectFlood(), (0, 0, 0), (59, 118_000, 1_500)) == [False, False]


def test_it_is_told_when_it_begins_and_when_it_ends_not_between() -> None:
    flood = RejectFlood()
    changed = [
        flood.add(Seen(second * 1000, events, rejected))
        for second, events, rejected in [
            (0, 0, 0),
            (10, 2_000, 2_000),
            (20, 4_000, 3_000),
            (30, 10_000, 3_000),  # 30 %: not below half of the limit yet
            (40, 20_000, 3_000),
        ]
    ]
    assert changed == [False, True, False, False, True]


def test_counters_that_begin_anew_raise_no_alarm() -> None:
    assert after(RejectFlood(), (0, 90_000, 10), (5, 0, 0), (10, 1_500, 0))[-1] is False


def test_nothing_sent_is_no_flood() -> None:
    flood = RejectFlood()
    assert after(flood, (0, 0, 0), (60, 0, 0)) == [False, False]
    assert flood.share == 0.0
