"""A kept answer's snapshot is made once, however many subscribers wake for it at once and whoever leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from gateway.execution.schema import make_schema
from gateway.http.watching import BYTES_A_VALUE, Snapshots
from gateway.live.still import Shape
from gateway.process import beside
from gateway.response_cache import entry

pytestmark = pytest.mark.anyio

SCHEMA = make_schema().graphql_schema
SUBSCRIBERS = 30


class CountedShape(Shape):
    """Marks as every shape does, once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[bytes] = []
        self.may = threading.Event()

    def mark(self, data: Mapping[str, Any] | None, errors: Any = ()) -> bytes:
        self.may.wait(10)
        mark = super().mark(data, errors)
        self.made.append(mark)
        return mark


def kept(first: int, items: int) -> entry.Entry:
    body = orjson.dumps(
        {"data": {"numbers": [str(first + each).zfill(BYTES_A_VALUE) for each in range(items)]}}
    )
    return entry.make(body, 0.0, 1.0, 1.0, 1.0, 1)


@pytest.mark.parametrize("items", [2, beside.LARGE * 2])
async def test_all_that_wake_for_an_answer_get_the_same_snapshot(items: int) -> None:
    shape, snapshots, answer = CountedShape(), Snapshots(SCHEMA), kept(1, items)
    shape.may.set()
    woken = [snapshots.of_entry(b"question", answer, shape) for _ in range(SUBSCRIBERS)]
    made = await asyncio.gather(*woken)
    assert all(each is made[0] for each in made)
    assert await snapshots.of_entry(b"question", answer, shape) is made[0]
    assert len(shape.made) == 1


async def test_whoever_leaves_takes_it_from_nobody() -> None:
    shape, snapshots, answer = CountedShape(), Snapshots(SCHEMA), kept(1, beside.LARGE * 2)
    woken = [
        asyncio.ensure_future(snapshots.of_entry(b"question", answer, shape))
        for _ in range(SUBSCRIBERS)
    ]
    await asyncio.sleep(0)
    woken[0].cancel()
    await asyncio.sleep(0)
    shape.may.set()
    made = await asyncio.gather(*woken, return_exceptions=True)
    assert isinstance(made[0], asyncio.CancelledError)
    assert [each is made[1] for each in made[1:]] == [True] * (SUBSCRIBERS - 1)
    assert len(shape.made) == 1


async def test_each_answer_and_each_question_has_its_own() -> None:
    shape, snapshots = CountedShape(), Snapshots(SCHEMA)
    shape.may.set()
    asked = [
        (question, kept(first, beside.LARGE * 2)) for question in (b"a", b"b") for first in (1, 2)
    ]
    made = await asyncio.gather(
        *(snapshots.of_entry(question, answer, shape) for question, answer in asked)
    )
    assert [each.body for each in made] == [answer.body for _, answer in asked]
    assert len(shape.made) == len(asked)
