"""The small parts of subscriptions: ids of events, numbering, pace, places, wishes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.errors import BadUserInputError, TooManyStreamsError
from gateway.live import event_id, wishes
from gateway.live.audience import Audience, Limits
from gateway.live.event_id import EventId, question_of
from gateway.live.pace import Pace
from gateway.live.telling import Snapshot, Telling
from gateway.live.wishes import Wish

QUESTION, OTHER = question_of(b"one"), question_of(b"another")
A, B = (Snapshot(b'{"data":{"at":"%c"}}' % mark, bytes([mark]) * 12) for mark in b"ab")


@pytest.mark.parametrize("sequence", [1, 999_999_999_999_999])
def test_the_id_of_an_event_is_read_as_it_was_written(sequence: int) -> None:
    written = EventId(sequence, QUESTION, bytes(range(240, 252)))
    assert event_id.read(written.text()) == written


@pytest.mark.parametrize("text", [None, "", "7", "0.AAAAAAAA.AAAAAAAAAAAAAAAA", "1.A.A", "x" * 100])
def test_what_is_no_id_is_read_as_none(text: str | None) -> None:
    assert event_id.read(text) is None


def test_what_was_told_last_is_not_told_again() -> None:
    telling = Telling(QUESTION)
    assert telling.is_new(A)
    assert json.loads(telling.event(A).body) == {"data": {"at": "a"}, "extensions": {"sequence": 1}}
    assert not telling.is_new(A)
    assert telling.is_new(B)
    told = json.loads(telling.event(B, {"cost": 7}).body)
    assert told["extensions"] == {"sequence": 2, "cost": 7}
    assert telling.is_new(A)


def test_who_comes_back_goes_on_where_it_was() -> None:
    last = event_id.read(Telling(QUESTION).event(A).id)
    back = Telling(QUESTION, last)
    assert not back.is_new(A), "nothing twice"
    assert back.is_new(B), "and no gap"
    assert json.loads(back.event(B).body)["extensions"]["sequence"] == 2


def test_the_id_of_another_question_is_of_no_use() -> None:
    last = event_id.read(Telling(OTHER).event(A).id)
    begun = Telling(QUESTION, last)
    assert begun.is_new(A)
    assert json.loads(begun.event(A).body)["extensions"]["sequence"] == 1


@pytest.mark.parametrize("now_s", [0.0, 0.3, 999.99, 12_345.678])
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_question_is_looked_at_once_an_interval(now_s: float, chance: float) -> None:
    pace = Pace(2.0, 0.25, chance)
    began_s, next_s = pace.began_s(now_s), pace.next_s(now_s)
    assert 0 <= now_s - began_s < 2.0
    assert pace.began_s(next_s) == pytest.approx(began_s + 2.0)
    assert pace.next_s(next_s) == pytest.approx(next_s + 2.0), "and not a moment earlier or later"


def test_whoever_asks_the_same_has_the_same_intervals() -> None:
    assert Pace(1.0, 0.4, 0.1).began_s(77.7) == Pace(1.0, 0.4, 0.9).began_s(77.7)


def test_places_are_limited_in_all_and_of_each_payer() -> None:
    audience = Audience(Limits(most=3, most_of_payer=2))
    with audience.place("a"), audience.place("a"):
        with pytest.raises(TooManyStreamsError, match="You have 2"), audience.place("a"):
            pass
        with audience.place("b"):
            assert audience.open == 3
            with pytest.raises(TooManyStreamsError, match="This process"), audience.place("c"):
                pass
        with audience.place("c"):
            pass
    assert audience.open == 0
    with audience.place("a"):
        pass


@pytest.mark.parametrize(
    ("extensions", "wish"),
    [
        ({}, Wish()),
        ({"live": None}, Wish()),
        ({"live": {"intervalMs": 5000}}, Wish(5_000)),
        ({"live": {"lastEventId": "x"}}, Wish(1_000, "x")),
    ],
)
def test_a_wish_is_read(extensions: dict[str, Any], wish: Wish) -> None:
    assert wishes.read(extensions) == wish


@pytest.mark.parametrize(
    "said",
    [
        *(5, [], {"interval": 1}, {"intervalMs": 999}, {"intervalMs": 3_600_001}),
        *({"intervalMs": True}, {"intervalMs": 1000.0}, {"lastEventId": 1}),
        {"lastEventId": "x" * 65},
    ],
)
def test_a_wish_that_cannot_be_is_refused(said: Any) -> None:
    with pytest.raises(BadUserInputError, match=r"extensions\.live"):
        wishes.read({"live": said})
