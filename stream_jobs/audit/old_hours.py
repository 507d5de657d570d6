"""Every hour of Pinot again in turns, for as long as the audit runs.

By count and sum, a slice of them at a time, and by content hash as many rows a second as `ROWS_AGAIN_A_SECOND` allows.
So a look costs the same whatever the table's age.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from stream_jobs.audit.differences import MAX_NAMED, Differences, row_finding, said
from stream_jobs.audit.findings import Finding, Kind, tell
from stream_jobs.audit.hour import Hour
from stream_jobs.audit.pinot_tier import PinotTier
from stream_jobs.audit.state import State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import HOUR_MS, CellSums

COARSE_EVERY_MS: Final = 10_000
HOURS_A_LOOK: Final = 48
ROWS_AGAIN_A_SECOND: Final = 5_000
ROWS_A_QUERY: Final = 200_000
# What a look costs, however few its rows: three calls, which are Pinot's time and not its rows'.
ROWS_A_CALL: Final = 1_000
CELLS_A_STEP: Final = 10


class _Odd(NamedTuple):
    """An hour of a partition in which Pinot's sums were seen not to be what counted."""

    counted: CellSums
    seen: CellSums
    seen_ms: int


class OldHours:
    """Looks at what is decided and served; `is_served` says of an hour whether Pinot is known to have all of it."""

    def __init__(
        self,
        state: State,
        pinot: PinotTier,
        differences: Differences,
        clock_ms: Callable[[], int],
        whole_from_ms: int,
        is_served: Callable[[int, Hour], bool],
    ) -> None:
        self._state = state
        self._pinot = pinot
        self._differences = differences
        self._clock_ms = clock_ms
        self._whole_from_ms = whole_from_ms
        self._is_served = is_served
        self._coarse_at_ms = 0
        self._coarse_from_ms = whole_from_ms
        self._doubtful: dict[int, object] = {}
        self._again_at_ms = clock_ms()
        self._again_rows = 0.0
        self._again_from = (whole_from_ms, -1)
        self._odd: dict[tuple[int, int], _Odd] = {}

    @property
    def due(self) -> bool:
        """Whether a look must not wait for closings any longer."""
        return self._clock_ms() - self._coarse_at_ms >= COARSE_EVERY_MS

    def coarse(self) -> None:
        """Hours whose count or sum is not what counted, and those that are wrong already, are looked at closely."""
        self._coarse_at_ms = self._clock_ms()
        hours = self._state.hours_from(self._coarse_from_ms, HOURS_A_LOOK)
        self._coarse_from_ms = hours[-1] + 1 if hours else self._whole_from_ms
        got = self._pinot.coarse(hours) if hours else {}
        for hour_ms in hours:
            wanted = _coarse(self._state.hour(hour_ms, self._coarse_at_ms).cells)
            seen = {direction: sums for (hour, direction), sums in got.items() if hour == hour_ms}
            if wanted == seen:
                self._doubtful.pop(hour_ms, None)
                continue
            if self._doubtful.get(hour_ms) == (wanted, seen) and self._closely(hour_ms):
                continue
            # What is under way is in Pinot before it is closed; it is looked at again in the next turn.
            self._doubtful[hour_ms] = (wanted, seen)
            self._coarse_from_ms = min(self._coarse_from_ms, hour_ms)
        for hour_ms in self._state.findings.pinot_hours(HOUR_MS):
            self._closely(hour_ms)

    def again(self) -> None:
        """The next hours and partitions by their hashes, as many as the time since has earned."""
        now_ms = self._clock_ms()
        for (hour_ms, partition), odd in list(self._odd.items()):
            if now_ms - odd.seen_ms >= COARSE_EVERY_MS:
                self._cell_again(hour_ms, partition)
        earned = (now_ms - self._again_at_ms) / 1000 * ROWS_AGAIN_A_SECOND
        self._again_rows = min(self._again_rows + earned, ROWS_A_QUERY)
        self._again_at_ms = now_ms
        for _ in range(CELLS_A_STEP):
            if self._again_rows <= 0:
                break
            following = self._state.cell_after(*self._again_from)
            if following is None:
                self._again_from = (self._whole_from_ms, -1)
                break
            hour_ms, partition, rows = following
            self._again_from = (hour_ms, partition)
            if self._cell_again(hour_ms, partition):
                self._again_rows -= max(rows, ROWS_A_CALL)

    def _cell_again(self, hour_ms: int, partition: int) -> bool:
        """Compare the sums of one partition in an hour; whether they could be."""
        hour = self._at_rest(hour_ms, partition)
        if hour is None:
            return False
        sums = self._pinot.sums([hour_ms], hour.vouched)
        odd = self._odd.pop((hour_ms, partition), None)
        if hour.agrees(sums):
            return True
        if odd is None or (odd.counted, odd.seen) != (hour.cells, sums):
            # What was held or lost is in Pinot before it is closed: only what stays so differs.
            self._odd[hour_ms, partition] = _Odd(hour.cells, sums, self._clock_ms())
            return True
        found = self._differences.by_raw(hour_ms, hour)
        tell(self._state.add_findings(found, self._clock_ms()))
        return True

    def _closely(self, hour_ms: int) -> bool:
        """Pinot's verdict on a whole hour, in place of an earlier one; whether there can be one now."""
        hour = self._at_rest(hour_ms)
        if hour is None:
            return False
        found: list[Finding] = []
        if not hour.agrees(self._pinot.sums([hour_ms], hour.vouched)):
            found = self._differences.by_raw(hour_ms, hour)
        elif hour_ms >= self._whole_from_ms:
            found = self._strange(hour_ms, hour.vouched)
        tell(self._state.write_pinot(hour_ms, hour_ms + HOUR_MS, found, self._clock_ms()))
        return True

    def _at_rest(self, hour_ms: int, partition: int | None = None) -> Hour | None:
        """What counted in an hour, if that is decided, and Pinot is known to have all of it."""
        hour = self._state.hour(hour_ms, self._clock_ms(), partition)
        return hour if not hour.open and self._is_served(hour_ms, hour) else None

    def _strange(self, hour_ms: int, stretches: Sequence[Stretch]) -> list[Finding]:
        """Rows that no raw record stands for; what is past the frontier may only be under way."""
        ends = {each.partition: each.end for each in stretches}
        return [
            row_finding(
                Kind.UNKNOWN, row, f"Pinot has {said(row)}, and no raw record stands for it"
            )
            for row in self._pinot.strange(hour_ms, stretches, MAX_NAMED)
            if row.offset < ends.get(row.partition, row.offset + 1)
        ]


def _coarse(cells: CellSums) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for cell, sums in cells.items():
        count, amount = found.get(cell.direction, (0, 0))
        found[cell.direction] = (count + sums.rows, amount + sums.amount)
    return found
