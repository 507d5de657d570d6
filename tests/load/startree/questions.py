"""What is asked: plans as the gateway makes them, of accounts of all sizes and of the network, over a day to all months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access.caller import EVERYONE
from gateway.analytics.calendars import HOUR_MS
from gateway.analytics.model import Direction, Interval, RankBy
from gateway.analytics.query_plan import QueryPlan, SlotsPlan, TopPlan, TotalsPlan
from tests.load.startree.rows import BEGIN_MS, DAY_MS, MONTH_MS, SHARES, Crowd

NETWORK = "network"
END_HOURS = 9
"""Windows end so long before the rows do, and begin after they do: their ends cut segments, as they mostly do."""
RAGGED_MS = 17 * 60_000 + 3_001


@dataclass(frozen=True, slots=True)
class Question:
    """A plan in words; `hours`: whether its window begins and ends on hours."""

    what: str
    of: str
    window: str
    hours: bool
    plan: QueryPlan[Any]

    @property
    def by_tree(self) -> bool:
        """Whether a star-tree must spare rows: of counts and sums by hours, where many rows share an hour.

        The network's windows on no round hour are put together of hours and two edges, an account's are not.
        """
        is_hourly = not isinstance(self.plan, TopPlan) and (self.hours or self.of == NETWORK)
        return is_hourly and self.of in (NETWORK, "heavy")


def questions(crowd: Crowd, months: int) -> list[Question]:
    """All of them, in the order of the table."""
    windows = _windows(months)
    found: list[Question] = []
    for of in (NETWORK, *SHARES, "usual"):
        who = None if of == NETWORK else (crowd.account_id(of),)
        scope = EVERYONE.may_read_network() if who is None else EVERYONE.may_read(who)
        asked: list[tuple[str, str, bool, QueryPlan[Any]]] = []
        for (window, hours), interval in windows.items():
            asked.append(
                ("totals", window, hours, TotalsPlan(scope, frozenset(Direction), interval))
            )
            if of in (NETWORK, "heavy", "usual") and window != "1 day":
                asked.append(("by day", window, hours, _slots(scope, interval, DAY_MS)))
            if of in (NETWORK, "heavy", "usual") and window == "1 month" and hours:
                asked.append(("by hour", window, hours, _slots(scope, interval, HOUR_MS)))
            if of == "heavy" and window == "1 month":
                top = TopPlan(scope, Direction.RECEIVED, interval, RankBy.TRANSACTION_AMOUNT, 10)
                asked.append(("top 10", window, hours, top))
        found += [Question(what, of, window, hours, plan) for what, window, hours, plan in asked]
    return found


def _slots(scope: Any, interval: Interval, slot_ms: int) -> SlotsPlan:
    return SlotsPlan(scope, Direction.RECEIVED, interval, slot_ms)


def _windows(months: int) -> dict[tuple[str, bool], Interval]:
    end_ms = BEGIN_MS + months * MONTH_MS - END_HOURS * HOUR_MS
    begins_ms = {
        "1 day": end_ms - DAY_MS,
        "1 month": end_ms - MONTH_MS,
        f"{months} months": BEGIN_MS + END_HOURS * HOUR_MS,
    }
    return {
        (window, hours): Interval(begin_ms + ragged_ms, end_ms - ragged_ms)
        for window, begin_ms in begins_ms.items()
        for hours, ragged_ms in ((True, 0), (False, RAGGED_MS))
    }
