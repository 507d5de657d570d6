"""What Pinot's retention may have taken: an answer about a window that begins before it is not exact."""

from __future__ import annotations

from typing import Any

from gateway.analytics.calendars import DAY_MS
from gateway.analytics.model import Interval
from gateway.analytics.pipeline_plan import RejectedPlan
from gateway.analytics.query_plan import EntriesPlan, QueryPlan

FORGOTTEN = "entries from the beginning of the window are no longer kept"


def forgotten(
    plan: QueryPlan[Any], kept_days: int, now_ms: int, *, is_empty: bool = False
) -> str | None:
    """Why an answer may lack entries that there were; `kept_days` of 0: none is ever forgotten.

    What was looked for by its id, at any time, and found lacks nothing: only if it `is_empty`, it may.
    By the clock and not by `asOf`: Pinot forgets while the pipeline stands still, too.
    """
    interval: Interval | None = getattr(plan, "interval", None)
    if not kept_days or interval is None or isinstance(plan, RejectedPlan):
        return None
    if isinstance(plan, EntriesPlan) and plan.transaction_id is not None and not is_empty:
        return None
    return FORGOTTEN if interval.start_ms < now_ms - kept_days * DAY_MS else None
