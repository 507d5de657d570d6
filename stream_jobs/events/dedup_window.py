"""For how long the job remembers, and which reversals it therefore saw together with their transfer; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

DEFAULT_WINDOW: Final = timedelta(days=14)
DEFAULT_SLACK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DedupWindow:
    """For how long the job remembers an id; within `slack_ms` around it either outcome is right."""

    window_ms: int
    slack_ms: int

    @property
    def surely_ms(self) -> int:
        """What came so long ago is certainly remembered."""
        return self.window_ms - self.slack_ms

    @property
    def perhaps_ms(self) -> int:
        """What came longer ago is certainly forgotten."""
        return self.window_ms + self.slack_ms


DEFAULT: Final = DedupWindow(
    round(DEFAULT_WINDOW.total_seconds() * 1000), round(DEFAULT_SLACK.total_seconds() * 1000)
)


def met(transfers_ms: Iterable[int], reversals_ms: Iterable[int], gap_ms: int) -> frozenset[int]:
    """At which times reversals came that a job saw together with their transfer.

    It forgets a transfer and what is held for it when nothing about it, transfer or reversal, comes for `gap_ms`.
    """
    transfers = frozenset(transfers_ms)
    found: set[int] = set()
    run: list[int] = []
    for time_ms in [*sorted(transfers.union(reversals_ms)), None]:
        if run and (time_ms is None or time_ms - run[-1] > gap_ms):
            if not transfers.isdisjoint(run):
                found.update(run)
            run = []
        if time_ms is not None:
            run.append(time_ms)
    return frozenset(found)
