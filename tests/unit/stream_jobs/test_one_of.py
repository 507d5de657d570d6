"""Which of several addresses is asked, and when another is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from stream_jobs.json_http import JsonHttp, JsonHttpError
from stream_jobs.one_of import OneOf, Turn, one_of


@dataclass
class Side:
    """One of them: answers with its name, or fails."""

    name: str
    failure: JsonHttpError | None = None
    asked: list[str] = field(default_factory=list)

    def get(self, path: str) -> Any:
        self.asked.append(path)
        if self.failure is not None:
            raise self.failure
        return self.name

    def post(self, path: str, _body: object, _parse_float: Callable[[str], object] = float) -> Any:
        return self.get(path)

    def close(self) -> None:
        self.asked.append("close")


def refused(status: int) -> JsonHttpError:
    failure = JsonHttpError(f"HTTP {status}")
    failure.is_answer = status < 500
    return failure


def test_the_first_is_asked_as_long_as_it_answers() -> None:
    one, two = Side("one"), Side("two")
    both = OneOf([one, two])
    assert [both.get("/a"), both.post("/b", {})] == ["one", "one"]
    assert two.asked == []


def test_one_that_does_not_answer_is_left_for_the_next_until_that_fails() -> None:
    one, two = Side("one", JsonHttpError("timed out")), Side("two")
    both = OneOf([one, two])
    assert [both.get("/"), both.get("/")] == ["two", "two"]
    assert len(one.asked) == 1
    one.failure, two.failure = None, refused(503)
    assert [both.get("/"), both.get("/")] == ["one", "one"]
    assert len(two.asked) == 3


def test_all_connections_to_the_same_learn_what_one_has_found_out() -> None:
    turn = Turn()
    first, second = (
        (Side("one", JsonHttpError("gone")), Side("two")),
        (Side("one"), Side("two")),
    )
    assert OneOf(first, turn).get("/") == "two"
    assert OneOf(second, turn).get("/") == "two"
    assert second[0].asked == []


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_an_answer_which_the_next_would_give_too(status: int) -> None:
    one, two = Side("one", refused(status)), Side("two")
    with pytest.raises(JsonHttpError, match=str(status)):
        OneOf([one, two]).get("/")
    assert two.asked == []


def test_if_none_answers_the_last_ones_failure_is_told() -> None:
    sides = [Side("one", JsonHttpError("one is gone")), Side("two", JsonHttpError("two is gone"))]
    with pytest.raises(JsonHttpError, match="two is gone"):
        OneOf(sides).get("/")


def test_addresses_are_told_apart_by_commas_and_a_wrong_one_is_refused_at_once() -> None:
    assert isinstance(one_of("http://a:1", JsonHttp), JsonHttp)
    several = one_of("http://a:1, http://b:2", JsonHttp)
    assert isinstance(several, OneOf)
    assert len(several.connections) == 2
    with pytest.raises(ValueError, match="not an http or https address"):
        one_of("http://a:1,b:2", JsonHttp)


def test_giving_the_connections_back_gives_back_all_of_them() -> None:
    one, two = Side("one"), Side("two")
    OneOf([one, two]).close()
    assert [one.asked, two.asked] == [["close"], ["close"]]
