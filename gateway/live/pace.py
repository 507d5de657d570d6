"""When subscribers look: all of one question in the same interval, each at a moment of its own in it.

Who looks first has the answer made; whoever looks within a second takes it. So as many as there are of
one question cost no more than one who looks each second, and they do not all wake at once.
"""

from __future__ import annotations

from dataclasses import dataclass

PULSE_S = 1.0
"""In a long wait a subscriber is seen to as often: its credential, and whether the process leaves."""

LONG_S = 2.0
"""A wait up to this is none: who looks each second does nothing beside."""

SHARED_S = 1.0
"""How old an answer may be that a look takes: whoever looks once an hour is not told of what was so half an hour ago."""

_SPREAD = 0.5
"""The part of an interval over which the looks are spread: what is new is told within it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """One subscriber's pace; times are monotonic seconds.

    `phase`, 0 to 1: where intervals begin, the question's own. `chance`, 0 to 1: where in each of them
    it looks, the subscriber's own.
    """

    interval_s: float
    phase: float
    chance: float

    def since_s(self, now_s: float) -> float:
        """When what a look takes was asked for at the earliest: in the running interval, and lately."""
        return max(self.began_s(now_s), now_s - SHARED_S)

    def began_s(self, now_s: float) -> float:
        """When the running interval began."""
        return now_s - (now_s - self.phase * self.interval_s) % self.interval_s

    def next_s(self, now_s: float) -> float:
        """When to look next: in the interval after this one."""
        into_s = self.chance * _SPREAD * self.interval_s
        return self.began_s(now_s) + self.interval_s + into_s
