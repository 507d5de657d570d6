"""What a subscriber may wish for beside its question: a slower pace, and to go on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.errors import BadUserInputError

MIN_INTERVAL_MS = 1_000
MAX_INTERVAL_MS = 3_600_000
MAX_EVENT_ID = 64


class Wish(NamedTuple):
    """Of one subscription: the shortest time between snapshots, and the last event that it had."""

    interval_ms: int = MIN_INTERVAL_MS
    last_event_id: str | None = None


def read(extensions: Mapping[str, Any]) -> Wish:
    """The wish in a request's `extensions.live`; raises `BadUserInputError` for one that cannot be."""
    said = extensions.get("live")
    if said is None:
        return Wish()
    if not isinstance(said, dict) or not said.keys() <= {"intervalMs", "lastEventId"}:
        raise BadUserInputError(
            "extensions.live", "is an object of `intervalMs`, `lastEventId` or both"
        )
    interval_ms = said.get("intervalMs", MIN_INTERVAL_MS)
    whole = isinstance(interval_ms, int) and not isinstance(interval_ms, bool)
    if not whole or not MIN_INTERVAL_MS <= interval_ms <= MAX_INTERVAL_MS:
        raise BadUserInputError(
            "extensions.live.intervalMs",
            f"must be a whole number from {MIN_INTERVAL_MS} to {MAX_INTERVAL_MS} milliseconds",
        )
    event_id = said.get("lastEventId")
    if event_id is not None and not (isinstance(event_id, str) and len(event_id) <= MAX_EVENT_ID):
        raise BadUserInputError("extensions.live.lastEventId", "must be the id of an event")
    return Wish(interval_ms, event_id)
