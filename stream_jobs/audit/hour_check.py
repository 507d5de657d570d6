"""Whole hours against Pinot, and in themselves: in turns, a slice at a time; at once if count or sum differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.frontier import Settled
from stream_jobs.audit.hour_table import WholeHour
from stream_jobs.audit.intervals import HOUR_MS, INTERVAL_MS, Cell, Sums, Tiers, whole
from stream_jobs.audit.pinot_tier import PinotTier
from stream_jobs.audit.rows import money
from stream_jobs.audit.state import State

# So many rows Pinot hashes in one query, as far as an hour's rows are spread evenly.
ROWS_A_SLICE: Final = 100_000
# So many rows a second are compared once more, in turns.
ROWS_A_SECOND: Final = 5_000


@dataclass
class _Sweep:
    """An hour under way: what Pinot had up to `cursor_ms`."""

    hour: WholeHour
    target: Settled
    cursor_ms: int
    found: dict[Cell, Sums] = field(default_factory=dict)


class HourCheck:
    """One slice of one hour a call.

    As with intervals, a difference counts once it is seen again by a sweep that began after it was seen first,
    if nothing came into the hour meanwhile.
    """

    def __init__(self, state: State, pinot: PinotTier, clock_ms: Callable[[], int]) -> None:
        self._state = state
        self._pinot = pinot
        self._clock_ms = clock_ms
        self._sweep: _Sweep | None = None
        self._urgent: dict[int, None] = {}
        self._differing: dict[int, object] = {}
        self._suspects: dict[int, tuple[int, int]] = {}  # hour: seen at, round
        self._next_ms = 0
        self._rows = 0.0
        self._rows_at_ms = clock_ms()

    def told(self, hour_ms: int, difference: object) -> None:
        """An hour's count and sum differ so (None: not); it is compared before its turn if that is new."""
        if self._differing.get(hour_ms) != difference:
            self._differing[hour_ms] = difference
            self._urgent[hour_ms] = None

    def slice(self, target: Settled) -> list[Finding]:
        """What one query, if it is time for one, completed to find.

        Raises what the Pinot tier raises; all is as before then.
        """
        now_ms = self._clock_ms()
        earned = (now_ms - self._rows_at_ms) / 1000 * ROWS_A_SECOND
        self._rows, self._rows_at_ms = min(self._rows + earned, ROWS_A_SLICE), now_ms
        if self._rows <= 0 and not self._urgent:
            return []
        sweep = self._sweep = self._sweep or self._begin(target)
        if sweep is None:
            return []
        end_ms = sweep.hour.hour_ms + HOUR_MS
        slots = max(1, HOUR_MS // INTERVAL_MS * ROWS_A_SLICE // max(sweep.hour.rows, 1))
        slice_ms = min(sweep.cursor_ms + slots * INTERVAL_MS, end_ms)
        for cell, sums in self._pinot.sums(sweep.cursor_ms, slice_ms).items():
            of_hour = Cell(sweep.hour.hour_ms, cell.partition, cell.direction)
            sweep.found[of_hour] = sweep.found.get(of_hour, Sums()).plus(*sums)
            self._rows -= sums.rows
        self._rows -= 1
        sweep.cursor_ms = slice_ms
        if slice_ms < end_ms:
            return []
        self._sweep = None
        return self._judge(sweep)

    def _begin(self, target: Settled) -> _Sweep | None:
        while self._urgent:
            hour_ms = next(iter(self._urgent))
            del self._urgent[hour_ms]
            hour = self._state.hours.find(hour_ms)
            if hour is not None:
                return _Sweep(hour, target, hour_ms)
        hour = self._state.hours.beginning_at(self._next_ms) or self._state.hours.beginning_at(0)
        if hour is None:
            return None
        self._next_ms = hour.hour_ms + 1
        return _Sweep(hour, target, hour.hour_ms)

    def _judge(self, sweep: _Sweep) -> list[Finding]:
        hour_ms, now_ms = sweep.hour.hour_ms, self._clock_ms()
        suspect = self._suspects.pop(hour_ms, None)
        if self._state.hours.find(hour_ms) != sweep.hour or sweep.hour.round >= sweep.target.round:
            self._urgent[hour_ms] = None  # something came into it meanwhile
            return []
        tiers = self._state.hours.cells(hour_ms)
        new = self._state.write_whole_hour(hour_ms, list(_as_a_whole(hour_ms, tiers)), now_ms)
        wanted = {cell: each.entries for cell, each in tiers.items() if each.entries.rows}
        if wanted == sweep.found:
            return new + self._state.write_hour(hour_ms, [], now_ms)
        seen_ms, round_ = suspect or (now_ms, sweep.hour.round)
        if round_ != sweep.hour.round or sweep.target.as_of_ms <= seen_ms:
            self._suspects[hour_ms] = (seen_ms, sweep.hour.round)
            self._urgent[hour_ms] = None
            return new
        return new + self._state.write_hour(hour_ms, list(_differing(wanted, sweep.found)), now_ms)


def _as_a_whole(hour_ms: int, tiers: Mapping[Cell, Tiers]) -> Iterator[Finding]:
    for _, kind, detail in whole(dict(tiers)):
        said = f"in the hour from here: {detail}"
        yield Finding(Tier.ENTRIES, Kind(kind), hour_ms, None, "", said)


def _differing(wanted: Mapping[Cell, Sums], found: Mapping[Cell, Sums]) -> Iterator[Finding]:
    for cell in sorted(wanted.keys() | found.keys()):
        left, right = wanted.get(cell, Sums()), found.get(cell, Sums())
        if left != right:
            said = (
                f"in the hour from here, {cell.direction}: entries {left.rows} x, "
                f"{money(left.amount)}; Pinot {right.rows} x, {money(right.amount)}"
            )
            yield Finding(Tier.PINOT, Kind.UNEXPLAINED, cell.interval_ms, cell.partition, "", said)
