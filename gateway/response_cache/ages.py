"""How long an answer may stand: by what it took to answer, aligned so that a page's panels agree."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.query_plan import (
    AuditPlan,
    EntryCountPlan,
    ProgressPlan,
    QueryPlan,
    RejectedPlan,
)


class FieldClass(Enum):
    """What an answer is about, by how soon it changes."""

    PIPELINE = "pipeline"
    LIVE = "live"
    CLOSED = "closed"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds since its making that an answer is fresh, and then served while it is made anew."""

    fresh_s: float
    stale_s: float


@dataclass(frozen=True, slots=True)
class Ages:
    """The lifetime of each class; `rescue_s`: how old an answer may be while the store is out."""

    pipeline: Lifetime
    live: Lifetime
    closed: Lifetime
    fixed: Lifetime
    rescue_s: float

    def of(self, field_class: FieldClass) -> Lifetime:
        """The lifetime of a class."""
        lifetime: Lifetime = getattr(self, field_class.value)
        return lifetime


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


def phase_of(group: bytes) -> float:
    """Where in its ticks a group of answers expires, 0 to 1: spreads the work of expiry."""
    return zlib.crc32(group) / 2**32


def fresh_for_s(lifetime_s: float, phase: float, now_s: float) -> float:
    """Seconds that an answer made at `now_s` (epoch) is fresh: over half its lifetime, at most all.

    Time is cut into ticks of half a lifetime, and answers expire at the end of the tick after the
    one they are made in. So those that a page asks for together expire together.
    """
    tick_s = lifetime_s / 2
    if tick_s <= 0:
        return 0.0
    into_tick_s = (now_s - phase * tick_s) % tick_s
    return lifetime_s - into_tick_s
