"""What the resolvers of all fields have in common: the operation, the field's place, and the rules."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.analytics.answers import Evidence
from gateway.analytics.questions import Analytics
from gateway.execution.context import OperationContext, Path


@dataclass(frozen=True, slots=True)
class FieldResolvers:
    """One field of one operation."""

    context: OperationContext
    path: Path

    @property
    def rules(self) -> Analytics:
        """What questions are answered with."""
        return self.context.analytics

    @property
    def final_after_days(self) -> int:
        """After how many days a window is final."""
        return self.rules.limits.final_after_days

    def note(self, evidence: Evidence) -> None:
        """Keep why the field's answer is inexact, if it is."""
        if evidence.inexact is not None:
            self.context.inexact[tuple(self.path)] = evidence.inexact
