"""Entries against Pinot: which intervals are compared when, and when a difference is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.frontier import Settled
from stream_jobs.audit.hour_check import HourCheck
from stream_jobs.audit.interval_table import Interval
from stream_jobs.audit.intervals import HOUR_MS, INTERVAL_MS, Cell, Sums, Tiers
from stream_jobs.audit.pinot_tier import PinotTier, Row
from stream_jobs.audit.rows import money
from stream_jobs.audit.state import State

# So many rows Pinot hashes in one query.
ROWS_A_QUERY: Final = 100_000
INTERVALS_A_QUERY: Final = 5_000
# So many rows a second of old intervals are compared once more, in turns.
ROWS_AGAIN_A_SECOND: Final = 5_000
INTERVALS_AGAIN: Final = 1_000
HOURS_EVERY_MS: Final = 10_000
# Of an hour that is still being filled every interval is counted, which costs more.
MOVING_HOURS_EVERY_MS: Final = 60_000
# Rows of an interval that are fetched to name the ids.
MAX_EXPLAINED_ROWS: Final = 200_000
MAX_NAMED: Final = 1_000

EntriesOf = Callable[[int], "Counter[Row] | None"]


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A difference seen once: Pinot may only have been ahead of what the audit had read."""

    seen_ms: int
    round: int


class PinotCheck:
    """Takes settled checks and compares, one query a step.

    A difference counts once it is seen again by a check that began after it was seen first: by then the audit has
    read all that Pinot had shown, and nothing new came into the interval.
    """

    def __init__(
        self, state: State, pinot: PinotTier, entries_of: EntriesOf, clock_ms: Callable[[], int]
    ) -> None:
        self._state = state
        self._pinot = pinot
        self._entries_of = entries_of
        self._clock_ms = clock_ms
        self._offered: Settled | None = None
        self._target: Settled | None = None
        self._reached = False
        self._cursor_ms = 0
        self._again_ms = 0
        self._again_rows = 0.0
        self._again_at_ms = clock_ms()
        self._hours_at_ms = 0
        self._moving_at_ms = 0
        self._suspects: dict[int, _Suspect] = {}
        self._explained: dict[int, object] = {}
        self._hours = HourCheck(state, pinot, clock_ms)

    def offer(self, settled: Settled) -> None:
        """The newest check that is over for the entries."""
        self._offered = settled

    def step(self) -> list[Finding] | None:
        """One query at most: what is newly found; None if there was nothing to do.

        Raises what the Pinot tier raises; all is as before then.
        """
        if self._target is None:
            if self._offered is None:
                return None
            self._target, self._offered = self._offered, None
            self._reached, self._cursor_ms = False, 0
        target = self._target
        if not self._reached:
            self._reached = self._pinot.has_reached(target.entry_ends)
            return None
        due = self._state.intervals.due(
            "pinot", self._cursor_ms, target.as_of_ms, target.round, INTERVALS_A_QUERY
        )
        if due:
            return self._compare(self._within_budget(due), target)
        if self._suspects.keys() <= self._explained.keys():
            self._state.write_pinot_through(target.as_of_ms)
        self._compare_hours(target)
        self._turn_to_old_ones()
        found = self._hours.slice(target)
        self._target = None
        return found

    def _within_budget(self, due: list[Interval]) -> list[Interval]:
        """As many of the due intervals as one query over all between them may hash."""
        wanted = {each.interval_ms: each for each in due}
        taken: list[Interval] = []
        rows, before_ms = 0, due[0].interval_ms
        for each in self._state.intervals.beginning_at(due[0].interval_ms, INTERVALS_A_QUERY):
            rows += each.rows
            # What may lie in a gap is not counted in its rows.
            if taken and (rows > ROWS_A_QUERY or each.interval_ms > before_ms + HOUR_MS):
                break
            before_ms = each.interval_ms
            if each.interval_ms in wanted:
                taken.append(wanted[each.interval_ms])
        return taken

    def _compare(self, intervals: list[Interval], target: Settled) -> list[Finding]:
        start_ms, end_ms = intervals[0].interval_ms, intervals[-1].interval_ms + INTERVAL_MS
        found = _by_interval(self._pinot.sums(start_ms, end_ms))
        expected = _by_interval(_entries(self._state.intervals.cells(start_ms, end_ms)))
        new, equal = [], []
        for each in intervals:
            wanted, got = expected.get(each.interval_ms, {}), found.get(each.interval_ms, {})
            if wanted == got:
                self._suspects.pop(each.interval_ms, None)
                self._explained.pop(each.interval_ms, None)
                equal.append(each.interval_ms)
            elif self._is_certain(each, target):
                new += self._differs(each, wanted, got)
        self._state.write_pinot(dict.fromkeys(equal, ()), self._clock_ms())
        self._cursor_ms = end_ms
        return new

    def _is_certain(self, interval: Interval, target: Settled) -> bool:
        suspect = self._suspects.get(interval.interval_ms)
        if suspect is not None and suspect.round == interval.round:
            return target.as_of_ms > suspect.seen_ms
        self._suspects[interval.interval_ms] = _Suspect(self._clock_ms(), interval.round)
        return False

    def _differs(
        self, interval: Interval, wanted: dict[Cell, Sums], got: dict[Cell, Sums]
    ) -> list[Finding]:
        signature = (tuple(sorted(wanted.items())), tuple(sorted(got.items())))
        if self._explained.get(interval.interval_ms) == signature:
            return []
        start_ms = interval.interval_ms
        rows = self._pinot.rows(start_ms, start_ms + INTERVAL_MS, MAX_EXPLAINED_ROWS)
        entries = self._entries_of(start_ms) if rows is not None else None
        findings = []
        if rows is not None and entries is not None:
            findings = list(_explained(start_ms, entries, rows))[:MAX_NAMED]
        if not findings:
            findings = list(_unexplained(start_ms, wanted, got))
        new = self._state.write_pinot({start_ms: findings}, self._clock_ms())
        self._explained[start_ms] = signature
        return new

    def _compare_hours(self, target: Settled) -> None:
        """Find intervals that nothing is known of, or that were damaged: they become due."""
        now_ms = self._clock_ms()
        if now_ms - self._hours_at_ms < HOURS_EVERY_MS:
            return
        self._hours_at_ms = now_ms
        wanted, moving = self._state.intervals.hours(target.round)
        if now_ms - self._moving_at_ms >= MOVING_HOURS_EVERY_MS:
            self._moving_at_ms, moving = now_ms, set()
        wanted = {key: sums for key, sums in wanted.items() if sums[0]}
        got = self._pinot.hours()
        for hour_ms in sorted({key[0] for key in wanted.keys() | got.keys()} - moving):
            keys = sorted(key for key in wanted.keys() | got.keys() if key[0] == hour_ms)
            differing = [(key, wanted.get(key), got.get(key)) for key in keys]
            differing = [each for each in differing if each[1] != each[2]]
            if self._state.hours.has(hour_ms):
                self._hours.told(hour_ms, differing or None)
            elif differing:
                self._state.mark_pinot_due(self._differing_intervals(hour_ms))

    def _differing_intervals(self, hour_ms: int) -> set[int]:
        end_ms = hour_ms + HOUR_MS
        wanted: dict[tuple[int, str], tuple[int, int]] = {}
        for cell, sums in _entries(self._state.intervals.cells(hour_ms, end_ms)).items():
            key = (cell.interval_ms, cell.direction)
            count, amount = wanted.get(key, (0, 0))
            wanted[key] = (count + sums.rows, amount + sums.amount)
        got = self._pinot.coarse(hour_ms, end_ms)
        return {key[0] for key in wanted.keys() | got.keys() if wanted.get(key) != got.get(key)}

    def _turn_to_old_ones(self) -> None:
        """A few intervals that were compared before become due again."""
        now_ms = self._clock_ms()
        earned = (now_ms - self._again_at_ms) / 1000 * ROWS_AGAIN_A_SECOND
        self._again_rows = min(self._again_rows + earned, ROWS_A_QUERY)
        self._again_at_ms = now_ms
        chosen: list[int] = []
        some = self._state.intervals.beginning_at(self._again_ms, INTERVALS_AGAIN)
        for each in some:
            if self._again_rows <= 0:
                break
            self._again_rows -= max(each.rows, 1)
            chosen.append(each.interval_ms)
        self._again_ms = 0 if not some else chosen[-1] + 1 if chosen else self._again_ms
        self._state.mark_pinot_turn(chosen)


def _entries(cells: Mapping[Cell, Tiers]) -> dict[Cell, Sums]:
    return {cell: tiers.entries for cell, tiers in cells.items() if tiers.entries.rows}


def _by_interval(sums: Mapping[Cell, Sums]) -> dict[int, dict[Cell, Sums]]:
    split: dict[int, dict[Cell, Sums]] = {}
    for cell, each in sums.items():
        split.setdefault(cell.interval_ms, {})[cell] = each
    return split


def _explained(start_ms: int, entries: Counter[Row], rows: Counter[Row]) -> Iterator[Finding]:
    """What differs, row by row."""
    missing, extra = entries - rows, rows - entries
    changed = {(row.transaction_id, row.direction): row for row in extra}
    for row in sorted(missing):
        other = changed.get((row.transaction_id, row.direction))
        if other is None:
            detail = (
                f"Pinot does not have {row.direction} of {row.account_id!r}, {money(row.amount)}"
            )
            yield _finding(Kind.LOST, start_ms, row, detail)
        else:
            yield _finding(Kind.CHANGED, start_ms, row, f"Pinot has {other}")
    wrong = {(row.transaction_id, row.direction) for row in missing}
    for row in sorted(extra):
        if (row.transaction_id, row.direction) in wrong:
            continue
        kind = Kind.DOUBLED if row in entries else Kind.UNKNOWN
        said = f"Pinot has {row.direction} of {row.account_id!r}, {money(row.amount)}"
        times = f", {rows[row]} times" if kind is Kind.DOUBLED else ", and no entry says so"
        yield _finding(kind, start_ms, row, said + times)


def _finding(kind: Kind, start_ms: int, row: Row, detail: str) -> Finding:
    return Finding(Tier.PINOT, kind, start_ms, row.partition, row.transaction_id, detail)


def _unexplained(
    start_ms: int, wanted: Mapping[Cell, Sums], got: Mapping[Cell, Sums]
) -> Iterator[Finding]:
    for cell in sorted(wanted.keys() | got.keys()):
        left, right = wanted.get(cell, Sums()), got.get(cell, Sums())
        if left != right:
            detail = (
                f"{cell.direction}: entries {left.rows} x, {money(left.amount)}; "
                f"Pinot {right.rows} x, {money(right.amount)}"
            )
            yield Finding(Tier.PINOT, Kind.UNEXPLAINED, start_ms, cell.partition, "", detail)
