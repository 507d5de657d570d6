"""What the rules ask of whatever holds the data: plans, answered with their age and what is proven."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from gateway.analytics.query_plan import QueryPlan

Row_co = TypeVar("Row_co", covariant=True)
PlanRow = TypeVar("PlanRow")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class StoreResult(Generic[Row_co]):
    """Rows, and what can be said about them.

    `as_of_ms`: everything that reached the pipeline before this instant is in the rows.
    `snapshot`: grows with what the store holds of the accounts asked about, and compares between
    answers about the same ones; equal numbers mean equal data. 0: not known, older than any other.
    `inexact`: why the rows may be incomplete; `None` if they are proven complete.
    `age_s`: how long before this question the store was asked for them, if it was.
    `erasures`: grows when accounts were erased; what was kept when there were fewer may name them.
    """

    rows: tuple[Row_co, ...]
    as_of_ms: int
    snapshot: int = 0
    inexact: str | None = None
    age_s: float = 0.0
    erasures: int = 0


class Asking(Protocol):
    """One operation's way to the data."""

    async def fetch(
        self, plan: QueryPlan[PlanRow], not_before: int | None = None
    ) -> StoreResult[PlanRow]:
        """Answer a plan, of the snapshot `not_before` or a newer one; raises a `StoreError`."""
        ...

    async def once(self, about: object, make: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """What is made of the answers about one object, for all that need it."""
        ...
