"""How long an answer may stand: by what it took to answer, aligned so that a page's panels agree."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from gateway.analytics.field_class import FieldClass


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds since its making that an answer is fresh, and then served while it is made anew."""

    fresh_s: float
    stale_s: float


@dataclass(frozen=True, slots=True)
class Ages:
    """The lifetime of each class; `rescue_s`: how old an answer may be while the store is out.

    `budget_s`: the same while more is asked of the store than it can answer at once.

    What tells the pipeline's state never stands in: it would say that all is well in an outage.
    """

    pipeline: Lifetime
    live: Lifetime
    closed: Lifetime
    fixed: Lifetime
    rescue_s: float
    budget_s: float = 0.0

    def of(self, field_class: FieldClass) -> Lifetime:
        """The lifetime of a class."""
        lifetime: Lifetime = getattr(self, field_class.value)
        return lifetime

    def rescue_of(self, field_class: FieldClass) -> float:
        """How old an answer of a class may be that stands in while the store is out."""
        return 0.0 if field_class is FieldClass.PIPELINE else self.rescue_s


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
