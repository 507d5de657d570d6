"""An operation that is executed in another thread asks its store in the store's own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.analytics.asking import StoreResult
from gateway.analytics.pipeline_plan import ProgressPlan, ProgressRow
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import OverloadedError
from gateway.process import beside
from gateway.store.far import FarStore

pytestmark = pytest.mark.anyio


@dataclass
class Near:
    """A store that remembers in which threads it was asked, and whom it lets in."""

    refuses: bool = False
    threads: list[str] = field(default_factory=list)
    admitted: int = 0

    def admit(self, _: QueryPlan[Any]) -> None:
        self.threads.append(threading.current_thread().name)
        self.admitted += 1
        if self.refuses:
            raise OverloadedError("too much")

    async def fetch(self, plan: QueryPlan[Any], timeout_s: float) -> StoreResult[Any]:
        self.threads.append(threading.current_thread().name)
        return StoreResult((ProgressRow(5),), 5)


async def test_questions_are_asked_where_the_store_is_and_let_in_once() -> None:
    near = Near()
    far = FarStore(near, near.admit)

    async def asks() -> list[int]:
        return [(await far.fetch(ProgressPlan(), 1.0)).as_of_ms for _ in range(2)]

    assert await beside.run(asks()) == [5, 5]
    assert set(near.threads) == {threading.current_thread().name}
    assert near.admitted == 1


async def test_an_operation_is_refused_whole() -> None:
    near = Near(refuses=True)
    far = FarStore(near, near.admit)
    for _ in range(2):
        with pytest.raises(OverloadedError, match="too much"):
            await beside.run(far.fetch(ProgressPlan(), 1.0))
        near.refuses = False
    assert near.admitted == 1
