"""How many store queries may run at once, learnt from how long they take.

A query is slow in comparison with others of its kind, so times count as multiples of what their
kind takes when there is room. The limit follows the gradient of Netflix's concurrency-limits
(github.com/Netflix/concurrency-limits, Gradient2Limit): it shrinks with the multiple's excess over
a tolerance, and grows by its square root as long as it is what holds queries back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
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
        self._blocks: dict[str, _Block] = {}
        self._times: list[tuple[str | None, float]] = []
        self._busiest = 0
        self._timed_out = False

    @property
    def value(self) -> int:
        """How many may run at once."""
        return int(self._value)

    def observe(
        self, kind: str | None, seconds: float, running: int, *, timed_out: bool = False
    ) -> None:
        """One query of a kind ended, while `running` ran, itself included; `None`: its time tells nothing."""
        self._times.append((kind, max(seconds, 1e-6)))
        if kind is not None:
            self._learn(kind, max(seconds, 1e-6), running)
        self._busiest = max(self._busiest, running)
        self._timed_out = self._timed_out or timed_out
        if len(self._times) >= WINDOW:
            self._adjust()
            self._times, self._busiest, self._timed_out = [], 0, False

    def _adjust(self) -> None:
        held_back = self._busiest >= self.value
        multiple = self._multiple()
        gradient = min(1.0, max(LEAST_GRADIENT, TOLERANCE / multiple))
        wanted = self._value * gradient
        if held_back:
            wanted += math.sqrt(self._value)
        if self._timed_out:
            wanted = min(wanted, self._value * BACKOFF)
        wanted = (1 - SMOOTHING) * self._value + SMOOTHING * wanted
        self._value = min(float(self._most), max(float(self._least), wanted))

    def _learn(self, kind: str, seconds: float, running: int) -> None:
        """What is usual only grows while there is room; it takes a whole window of one kind to tell."""
        block = self._blocks.setdefault(kind, _Block())
        block.times_s.append(seconds)
        block.busiest = max(block.busiest, running)
        if len(block.times_s) < WINDOW:
            return
        del self._blocks[kind]
        now_s, usual_s = median(block.times_s), self._usual_s.get(kind)
        if usual_s is None or now_s < usual_s:
            self._usual_s[kind] = now_s
        elif block.busiest <= self.value / 2:
            self._usual_s[kind] = usual_s + DRIFT * (now_s - usual_s)

    def _multiple(self) -> float:
        """How much slower than usual the window was, as far as that is known."""
        multiples = [
            seconds / self._usual_s[kind] for kind, seconds in self._times if kind in self._usual_s
        ]
        return median(multiples) if multiples else 1.0


@dataclass(slots=True)
class _Block:
    """The latest times of one kind, until they are enough to tell what is usual."""

    times_s: list[float] = field(default_factory=list)
    busiest: int = 0
