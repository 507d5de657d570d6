"""What one operation carries: its identity, its rules, and what its answers could not prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.access.masking import Show
from gateway.analytics.questions import Analytics
from gateway.store.sharing import OperationStore
from graphql_schema.port import Resolvers

Path = Sequence[str | int]
"""Where a field stands in the response."""


@dataclass(slots=True)
class OperationContext:
    """The context value of one execution.

    `shown` is what the caller sees of an account's id. `inexact` maps a field's path to why it is
    inexact; `accounts` are those it was asked about.
    """

    request_id: str
    store: OperationStore
    analytics: Analytics
    shown: Show
    make_resolvers: Callable[[OperationContext, Path], Resolvers]
    inexact: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    def resolvers_at(self, path: Path) -> Resolvers:
        """The resolvers for the field at a path."""
        return self.make_resolvers(self, path)

    def extensions(self) -> dict[str, Any]:
        """What the response's `extensions` say; empty if nothing is to be said."""
        reasons = [{"path": list(path), "reason": why} for path, why in self.inexact.items()]
        return {"inexact": reasons} if reasons else {}
