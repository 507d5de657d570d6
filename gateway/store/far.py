"""A store as it is asked out of another thread: each question is asked in the loop that the store lives in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.analytics.asking import StoreResult
from gateway.analytics.query_plan import QueryPlan
from gateway.errors import OverloadedError
from gateway.process import beside
from gateway.store.port import Answering

PlanRow = TypeVar("PlanRow")


class FarStore:
    """One operation's way to its store from elsewhere; made in the store's own loop.

    `admit` is asked there, too, with the first plan: the operation is let in, or refused whole.
    """

    def __init__(self, store: Answering, admit: Callable[[QueryPlan[Any]], None]) -> None:
        self._store = store
        self._admit = admit
        self._home = asyncio.get_running_loop()
        self._let_in = False
        self._refusal: OverloadedError | None = None

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """The store's answer; it is given up with whoever waits for it."""
        return await beside.there(self._fetch(plan, timeout_s), self._home)

    async def _fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        if self._refusal is not None:
            raise self._refusal
        if not self._let_in:
            try:
                self._admit(plan)
            except OverloadedError as error:
                self._refusal = error
                raise
            self._let_in = True
        return await self._store.fetch(plan, timeout_s)
