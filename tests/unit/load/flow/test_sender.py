"""The sender of a steady flow: as many events as were asked for, each one the job takes, some of them twice."""

from __future__ import annotations

from itertools import islice

from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import judge
from tests.load.flow.sender import endless, send


def test_events_are_legal_and_about_one_in_twenty_comes_again() -> None:
    events = list(islice(endless(3), 20_000))
    assert not any(isinstance(judge(event, 1_795_000_000_000), Rejection) for event in events[:500])
    assert 0.03 < 1 - len(set(events)) / len(events) < 0.07


def test_a_seed_gives_the_same_events() -> None:
    assert list(islice(endless(3), 100)) == list(islice(endless(3), 100))
    assert next(endless(3)) != next(endless(4))


def test_every_event_is_sent_when_it_is_due_and_a_held_up_sender_says_so() -> None:
    now_s, sent_at_s = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += 2.0 if len(sent_at_s) == 50 else seconds

    sent, latest_s = send(
        lambda _: sent_at_s.append(now_s), endless(3), 100, 5, lambda: now_s, sleep
    )
    assert sent == len(sent_at_s) == 500
    assert 1.9 < latest_s < 2.1
    late = [at - number / 100 for number, at in enumerate(sent_at_s, 1)]
    assert min(late) > -0.011
    assert max(late[300:]) < 0.02
