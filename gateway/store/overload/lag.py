"""Whether requests stand in line before this process has even read them: told by a timer that rings late.

What waits in sockets cannot be counted from here. But a loop that comes back to its timer late,
again and again, makes whoever comes wait for as long. A single stop tells nothing (CoDel, RFC 8289:
the delay that matters is the one that stays above a target for an interval).
"""

from __future__ import annotations

import asyncio
import math

from gateway.process.clock import Monotonic

PERIOD_S = 0.005
INTERVAL_S = 0.1
WARY_S = 1.0
"""For so long after a line was seen, the first late ring is believed."""


class LoopLag:
    """Watches one event loop, once it is started; a ring is late from `target_s` on."""

    def __init__(self, monotonic: Monotonic, target_s: float) -> None:
        self._monotonic = monotonic
        self._target_s = target_s
        self._due_s = math.inf
        self._late_since_s = math.inf
        self._wary_until_s = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> bool:
        """Whether requests wait too long before they are seen, and have for a while; a line seen is remembered."""
        now_s = self._monotonic()
        if now_s < self._wary_until_s:
            stands = self._late_since_s < math.inf or self._is_late(now_s)
        else:
            stands = now_s - self._late_since_s >= INTERVAL_S
        if stands:
            self._wary_until_s = now_s + WARY_S
        return stands

    def start(self) -> None:
        """Watch the running loop."""
        self._due_s = self._monotonic() + PERIOD_S
        self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._ring)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = self._late_since_s = math.inf

    def _ring(self) -> None:
        now_s = self._monotonic()
        # From the end of the first late ring on: before it there was one stop, however long.
        self._late_since_s = min(self._late_since_s, now_s) if self._is_late(now_s) else math.inf
        self.start()

    def _is_late(self, now_s: float) -> bool:
        return now_s - self._due_s >= self._target_s
