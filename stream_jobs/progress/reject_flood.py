"""Tells when most of the input is garbage for a while: a broken producer must not go unnoticed; pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

WINDOW_MS: Final = 60_000
LEAST_EVENTS: Final = 1_000
SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """How many events were read, and how many of them rejected, since the beginning."""

    at_ms: int
    events: int
    rejected: int


class RejectFlood:
    """Watches the two counters over the last minute; the alarm ends at half the share it begins at."""

    def __init__(
        self, window_ms: int = WINDOW_MS, least_events: int = LEAST_EVENTS, share: float = SHARE
    ) -> None:
        self._window_ms = window_ms
        self._least_events = least_events
        self._begins_at = share
        self._ends_below = share / 2
        self._seen: deque[Seen] = deque()
        self.share = 0.0
        self.flooding = False

    def add(self, now: Seen) -> bool:
        """Take a look into account; return whether the alarm began or ended with it."""
        if self._seen and (now.events, now.rejected) < (
            self._seen[-1].events,
            self._seen[-1].rejected,
        ):
            self._seen.clear()  # counters began anew
        self._seen.append(now)
        # The last look before the window stays: the window begins there.
        while len(self._seen) > 1 and self._seen[1].at_ms <= now.at_ms - self._window_ms:
            self._seen.popleft()
        first = self._seen[0]
        events, rejected = now.events - first.events, now.rejected - first.rejected
        self.share = min(1.0, rejected / events) if events else 0.0
        was = self.flooding
        limit = self._ends_below if was else self._begins_at
        self.flooding = events >= self._least_events and self.share >= limit
        return self.flooding != was
