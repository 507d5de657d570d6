"""What an audit that takes over has of the last record of the one before it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from stream_jobs.audit.findings import NOWHERE, Finding, Kind, Tier
from stream_jobs.audit.state import State
from stream_jobs.audit.sums import HOUR_MS
from stream_jobs.topics.reader import Record

log = logging.getLogger("audit")


class Handover:
    """`last` reads the last record there is."""

    def __init__(
        self, state: State, last: Callable[[], Record | None], clock_ms: Callable[[], int]
    ) -> None:
        self._state = state
        self._last = last
        self._clock_ms = clock_ms
        self._recorded_at_ms = 0

    def recorded_at_ms(self) -> int:
        """The time of recording, which always rises, from what was taken on: readers take the newest record by it."""
        self._recorded_at_ms = max(self._clock_ms(), self._recorded_at_ms + 1)
        return self._recorded_at_ms

    def take(self) -> None:
        """Go on where the last record ended. Raises what `last` raises."""
        record = self._last()
        value = json.loads((record and record.value) or b"{}")
        self._recorded_at_ms = max(self._recorded_at_ms, value.get("recorded_at_ms", 0))
        known = set(self._state.findings.pinot_hours(HOUR_MS))
        found = [
            each
            for each in pinot_findings(value)
            if each.time_ms - each.time_ms % HOUR_MS not in known
        ]
        self._state.add_findings(found, self._clock_ms())
        log.info("tells from now on, with %d findings open", len(self._state.findings))


def pinot_findings(value: Mapping[str, Any]) -> list[Finding]:
    """Where a record says that Pinot differs; the next look at those hours judges anew, and puts its own in their place."""
    return [
        Finding(
            *(Tier.PINOT, Kind(each["kind"]), each["start_ms"], NOWHERE, NOWHERE),
            *(transaction_id, each["detail"]),
        )
        for each in json.loads(value.get("mismatches", "[]"))
        # An audit of a later version may tell of a kind that this one does not know.
        if each["tier"] == Tier.PINOT and each["kind"] in frozenset(Kind)
        for transaction_id in each["ids"] or [""]
    ]
