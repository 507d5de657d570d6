"""How soon an answer changes, by the plans that it took."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from gateway.analytics.pipeline_plan import AuditPlan, EntryCountPlan, ProgressPlan, RejectedPlan
from gateway.analytics.query_plan import QueryPlan


class FieldClass(Enum):
    """What an answer is about, by how soon it changes."""

    PIPELINE = "pipeline"
    LIVE = "live"
    CLOSED = "closed"
    FIXED = "fixed"


def class_of(plans: Iterable[QueryPlan[Any]], as_of_ms: int) -> FieldClass:
    """The class of an answer made of these plans: that of its part that changes soonest.

    A window that ended before `as_of_ms` only changes by events that bring an old timestamp.
    """
    found = FieldClass.FIXED
    for plan in plans:
        interval = getattr(plan, "interval", None)
        if isinstance(plan, AuditPlan | EntryCountPlan | ProgressPlan):
            return FieldClass.PIPELINE
        if isinstance(plan, RejectedPlan) and interval is None:
            return FieldClass.PIPELINE
        if interval is None or interval.end_ms > as_of_ms:
            found = FieldClass.LIVE
        elif found is FieldClass.FIXED:
            found = FieldClass.CLOSED
    return found
