"""Work in steps: the same result in a row and in turns, and others between the turns."""

from __future__ import annotations

import asyncio

import pytest

from gateway.steps import Steps, at_once, in_turns

pytestmark = pytest.mark.anyio


def adding(seen: list[str], name: str, upto: int) -> Steps[int]:
    total = 0
    for number in range(upto):
        total += number
        seen.append(name)
        yield
    return total


def failing() -> Steps[int]:
    yield
    raise ValueError("half way")


async def test_both_ways_give_the_result() -> None:
    seen: list[str] = []
    assert at_once(adding(seen, "a", 4)) == await in_turns(adding(seen, "b", 4)) == 6
    assert seen == ["a"] * 4 + ["b"] * 4


async def test_in_turns_others_go_between_two_steps() -> None:
    seen: list[str] = []
    await asyncio.gather(*(in_turns(adding(seen, name, 3)) for name in "ab"))
    assert seen == ["a", "b"] * 3


async def test_an_error_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="half way"):
        at_once(failing())
    with pytest.raises(ValueError, match="half way"):
        await in_turns(failing())
