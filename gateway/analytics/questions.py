"""One operation's way to the rules: who asks, when, within which limits, of which store."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.access.caller import Caller, Scope
from gateway.access.masking import Masking
from gateway.analytics import earlier, window
from gateway.analytics.answers import Evidence
from gateway.analytics.asking import Asking, StoreResult
from gateway.analytics.cursor import Cursors
from gateway.analytics.limits import Limits
from gateway.analytics.model import (
    Calendar,
    CalendarPeriod,
    Compared,
    Comparison,
    Direction,
    Interval,
    WholeUnits,
    Whose,
    Window,
    WindowChoice,
)
from gateway.analytics.query_plan import TotalsPlan


class Apart(NamedTuple):
    """Where reversals are told apart from transfers: nobody asks for that otherwise."""

    totals: bool = False
    series: bool = False


NOT_APART = Apart()


@dataclass(frozen=True, slots=True)
class Analytics:
    """What every question of an operation is answered with.

    `now_ms` is where windows end that end now; `clock` tells epoch milliseconds, a little later ones.
    """

    store: Asking
    now_ms: int
    limits: Limits
    sample_data: bool
    caller: Caller
    clock: Callable[[], int]
    cursors: Cursors
    masking: Masking
    apart: Apart = NOT_APART
    _true_for_ms: list[int] = field(default_factory=list, init=False, compare=False)

    def scope(self, whose: Whose) -> Scope:
        """The proof that the caller may read what a plan asks for; raises `ForbiddenError`."""
        if whose.account_ids is None:
            return self.caller.may_read_network()
        return self.caller.may_read(whose.account_ids)

    def totals_plan(
        self,
        whose: Whose,
        directions: Iterable[Direction],
        interval: Interval,
        counterparty_id: str | None = None,
    ) -> TotalsPlan:
        """The plan of totals, such as all fields of this operation share."""
        return TotalsPlan(
            self.scope(whose),
            frozenset(directions),
            interval,
            self.apart.totals,
            self.named(counterparty_id),
            whose.outside,
        )

    def named(self, counterparty_id: str | None, argument: str = "counterpartyId") -> str | None:
        """The id of another account as stores have it, if the caller may search by it.

        Raises `BadUserInputError` for what cannot be an id, `ForbiddenError` for one it is not shown.
        """
        if counterparty_id is None:
            return None
        return self.masking.named(self.caller, counterparty_id, argument)

    def window(self, choice: WindowChoice, calendar: Calendar) -> Window:
        """What a caller's window means in this operation."""
        asked = window.resolve(choice, self.now_ms, calendar, self.limits.max_window_days)
        if isinstance(choice, CalendarPeriod | WholeUnits):
            self._true_for_ms.append(window.turn_ms(choice, self.now_ms, calendar) - self.clock())
        return asked

    def compared(
        self, choice: WindowChoice, asked: Window, with_: Compared | None
    ) -> Window | None:
        """The window that an answer about `asked` is compared with, if any."""
        if with_ is None:
            return None
        if isinstance(with_, Comparison):
            return earlier.earlier(choice, asked, with_, self.now_ms)
        return self.window(with_, asked.calendar)

    @property
    def true_for_s(self) -> float:
        """How long the windows asked for so far mean the same: up to the first that turns."""
        return min(self._true_for_ms, default=math.inf) / 1000


def evidence_of(result: StoreResult[object]) -> Evidence:
    """What a result says about itself."""
    return Evidence(result.as_of_ms, result.inexact)


def merge(evidences: Iterable[Evidence]) -> Evidence:
    """The evidence of an answer put together: as old as its oldest part, inexact if any part is."""
    parts = tuple(evidences)
    reasons = (part.inexact for part in parts if part.inexact is not None)
    return Evidence(min(part.as_of_ms for part in parts), next(reasons, None))
