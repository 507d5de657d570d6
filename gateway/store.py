"""The only port of the gateway: a store that answers plans, each with the age of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gateway.query_plan import QueryPlan

Row_co = TypeVar("Row_co", covariant=True)
PlanRow = TypeVar("PlanRow")


@dataclass(frozen=True, slots=True)
class StoreResult(Generic[Row_co]):
    """Rows, and what can be said about them.

    `as_of_ms`: everything that reached the pipeline before this instant is in the rows.
    `snapshot`: grows with what the store holds of the accounts asked about, and compares between
    answers about the same ones; equal numbers mean equal data. 0: not known, older than any other.
    `inexact`: why the rows may be incomplete; `None` if they are proven complete.
    """

    rows: tuple[Row_co, ...]
    as_of_ms: int
    snapshot: int = 0
    inexact: str | None = None


class Store(Protocol):
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

    async def fetch(self, plan: QueryPlan[PlanRow], timeout_s: float) -> StoreResult[PlanRow]:
        """Answer a plan within `timeout_s` seconds, or raise a `StoreError`."""
        ...
