"""The only port of the gateway: a store that answers plans, each with the age of its answer."""

from __future__ import annotations

from typing import Protocol

from gateway.analytics.asking import PlanRow, StoreResult
from gateway.analytics.query_plan import QueryPlan


class Answering(Protocol):
    """What can be asked."""

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """Answer a plan within `timeout_s` seconds, or raise a `StoreError`."""
        ...


class Store(Answering, Protocol):
    """What the embedded store and Pinot have in common."""

    @property
    def sample_data(self) -> bool:
        """Whether the entries are made up, for front-end work."""
        ...

    async def open(self) -> None:
        """Make ready to answer; does not fail because a remote part is not up yet."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
