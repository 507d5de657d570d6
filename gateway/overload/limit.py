"""How many store queries may run at once, learnt from how long they take.

A query is slow in comparison with others of its kind, so times count as multiples of what their
kind takes when there is room. The limit follows the gradient of Netflix's concurrency-limits
(github.com/Netflix/concurrency-limits, Gradient2Limit): it shrinks with the multiple's excess over
a tolerance, and grows by its square root as long as it is what holds queries back.
"""

from __future__ import annotations

import math
from statistics import median

WINDOW = 20
TOLERANCE = 2.0
SMOOTHING = 0.2
LEAST_GRADIENT = 0.5
BACKOFF = 0.9
DRIFT = 0.1


class AdaptiveLimit:
    """A limit between two bounds."""

    def __init__(self, least: int, most: int, start: int) -> None:
        self._least, self._most = least, most
        self._value = float(min(max(start, least), most))
        self._usual_s: dict[str, float] = {}
        self._times: list[tuple[str, float]] = []
        self._busiest = 0
        self._timed_out = False

    @property
    def value(self) -> int:
        """How many may run at once."""
        return int(self._value)

    def observe(self, kind: str, seconds: float, running: int, *, timed_out: bool = False) -> None:
        """One query of a kind ended, while `running` ran, itself included."""
        self._times.append((kind, seconds))
        self._busiest = max(self._busiest, running)
        self._timed_out = self._timed_out or timed_out
        if len(self._times) >= WINDOW:
            self._adjust()
            self._times, self._busiest, self._timed_out = [], 0, False

    def _adjust(self) -> None:
        held_back = self._busiest >= self.value
        multiple = self._multiple(learning=self._busiest <= self.value / 2)
        gradient = min(1.0, max(LEAST_GRADIENT, TOLERANCE / multiple))
        wanted = self._value * gradient
        if held_back:
            wanted += math.sqrt(self._value)
        if self._timed_out:
            wanted = min(wanted, self._value * BACKOFF)
        wanted = (1 - SMOOTHING) * self._value + SMOOTHING * wanted
        self._value = min(float(self._most), max(float(self._least), wanted))

    def _multiple(self, *, learning: bool) -> float:
        """How much slower than usual the window was; what is usual only grows while there is room."""
        by_kind: dict[str, list[float]] = {}
        for kind, seconds in self._times:
            by_kind.setdefault(kind, []).append(max(seconds, 1e-6))
        for kind, times in by_kind.items():
            now_s, usual_s = median(times), self._usual_s.get(kind)
            if usual_s is None or now_s < usual_s:
                self._usual_s[kind] = now_s
            elif learning:
                self._usual_s[kind] = usual_s + DRIFT * (now_s - usual_s)
        return median(max(seconds, 1e-6) / self._usual_s[kind] for kind, seconds in self._times)
