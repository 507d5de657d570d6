"""When requests are meant to be sent: fixed beforehand, whatever the answers do."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time with one rate, in requests a second."""

    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """What is sent when, in seconds from the start: as many ascending times as requests."""

    times_s: Sequence[float]
    requests: Sequence[bytes]


def intended_times(chance: random.Random, phases: Sequence[Phase]) -> array[float]:
    """Seconds from the start at which each request is due: a Poisson process of each phase's rate."""
    times: array[float] = array("d")
    began = 0.0
    for phase in phases:
        ends, at = began + phase.seconds, began
        while phase.rate > 0:
            at += chance.expovariate(phase.rate)
            if at >= ends:
                break
            times.append(at)
        began = ends
    return times


def phase_at(phases: Sequence[Phase], at_s: float) -> int:
    """Which phase an instant falls into; the last for everything after the end."""
    ends = 0.0
    for number, phase in enumerate(phases):
        ends += phase.seconds
        if at_s < ends:
            return number
    return len(phases) - 1
