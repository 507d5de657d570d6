"""What counted against Pinot: each closing at once, and every old hour again in turns.

A closing is compared by the raw offsets that it closed, which nothing that comes later can change: count, sum and
content hash, in one statement for many hours of event time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stream_jobs.audit.differences import Differences, RowsOfRaw
from stream_jobs.audit.erased import Gained, versions
from stream_jobs.audit.expected import Expected
from stream_jobs.audit.findings import tell
from stream_jobs.audit.hour import Hour
from stream_jobs.audit.old_hours import OldHours
from stream_jobs.audit.pinot_tier import PinotTier
from stream_jobs.audit.state import State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Cell, CellSums, Counted, rows_of
from stream_jobs.audit.suspects import Proof
from stream_jobs.events.settings import DEFAULT, EventRules
from stream_jobs.topics.offsets import Offsets, all_at_least

# Hours of a closing that one query asks for: events that come late, or from an archive, are of thousands.
HOURS_A_QUERY: Final = 200
# Closings that wait are compared as one, up to so many records: a query costs Pinot a look at every row that is not yet
# in a finished segment, however few of them are asked for.
JOINED_RECORDS: Final = 50_000
# Of their stretches, each of which may be an offset that the query names.
JOINED_STRETCHES: Final = 2_000
# Suspects whose ids one query asks for.
LOOKS_A_STEP: Final = 200


@dataclass(slots=True)
class Block:
    """What one closing counted, and how far Pinot must have read to have it all.

    By then everything below `frontier` is closed, and below `decided` nothing of that is set aside; `hours` are those in which something counted, `cells` or not.
    """

    stretches: Sequence[Stretch]
    counted: Sequence[Expected]
    cells: Mapping[Cell, Counted]
    entry_ends: Offsets
    frontier: Offsets
    decided: Offsets
    hours: frozenset[int]
    as_of_ms: int | None
    differed: set[int] = field(default_factory=set)
    wanted: dict[int, CellSums] = field(init=False)
    left: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.wanted = _by_hour({cell: each.sums for cell, each in self.cells.items()})
        self.left = sorted(self.wanted)


def joined(blocks: Sequence[Block]) -> Block:
    """Some closings in their order as one."""
    cells: dict[Cell, Counted] = {}
    ends: dict[int, int] = {}
    for block in blocks:
        for cell, counted in block.cells.items():
            cells[cell] = cells[cell].plus(counted) if cell in cells else counted
        for partition, end in block.entry_ends.items():
            ends[partition] = max(end, ends.get(partition, 0))
    return Block(
        [each for block in blocks for each in block.stretches],
        [each for block in blocks for each in block.counted],
        cells,
        ends,
        blocks[-1].frontier,
        blocks[-1].decided,
        frozenset().union(*(block.hours for block in blocks)),
        next((block.as_of_ms for block in reversed(blocks) if block.as_of_ms), None),
    )


class PinotCheck:
    """Takes closings and compares, a few queries a step; a difference counts once it is seen twice.

    `offer` and `waiting` are for the thread that closes; all else belongs to the one that compares, with a state of
    its own, so that a slow Pinot keeps nobody from reading. `whole_from_ms`: from this hour on all rows come from raw
    records that the audit vouches for.
    """

    def __init__(
        self,
        state: State,
        pinot: PinotTier,
        rows_of_raw: RowsOfRaw,
        clock_ms: Callable[[], int],
        whole_from_ms: int,
        proof: Proof,
        rules: EventRules = DEFAULT,
    ) -> None:
        self._proof = proof
        self._rules = rules
        self._state = state
        self._pinot = pinot
        self._clock_ms = clock_ms
        self._differences = Differences(pinot, rows_of_raw)
        self._old = OldHours(
            state, pinot, self._differences, clock_ms, whole_from_ms, self._is_served
        )
        self._blocks: deque[Block] = deque()
        self._begun: Block | None = None
        # Pinot has what is closed up to here.
        self._frontier: Offsets = {}
        self._decided: Offsets = {}
        self.through_ms = 0

    def offer(self, block: Block) -> None:
        """A closing, to be compared once Pinot has read so far; it comes before what it counted is in the state."""
        # What closed nothing says how far all is, which the next one will say as well.
        if block.stretches or block.hours or not self._blocks:
            self._blocks.append(block)

    @property
    def waiting(self) -> int:
        """Records of closings that are not compared yet, and one for each closing."""
        return sum(len(block.counted) + 1 for block in tuple(self._blocks))

    def step(self) -> bool:
        """One closing if one waits; a slice of old hours if none does, or it is due; whether more is to do at once.

        What is newly found is kept and told. Raises what the Pinot tier raises.
        """
        waited = bool(self._blocks)
        compared = waited and self._compare(self._next())
        due = self._old.due
        if due:
            self._old.coarse()
        if due or not waited:
            self._old.again()
        self._prove()
        return compared

    def _next(self) -> Block:
        """The closing that was begun, or the first ones that wait as one; Pinot could never catch up with one that grows."""
        if self._blocks[0] is not self._begun:
            first: list[Block] = []
            records = stretches = 0
            for block in tuple(self._blocks):
                records += len(block.counted)
                stretches += len(block.stretches)
                if first and (records > JOINED_RECORDS or stretches > JOINED_STRETCHES):
                    break
                first.append(block)
            self._begun = joined(first) if len(first) > 1 else first[0]
            for _ in first[1:]:
                self._blocks.popleft()
            self._blocks[0] = self._begun
        return self._blocks[0]

    def _compare(self, block: Block) -> bool:
        if not self._pinot.has_reached(block.entry_ends):
            return False
        left = list(block.left)
        for n in range(0, len(left), HOURS_A_QUERY):
            self._block_hours(block, left[n : n + HOURS_A_QUERY])
        if block.left:
            return False
        self._blocks.popleft()
        self._begun = None
        self._frontier, self._decided = block.frontier, block.decided
        self.through_ms = block.as_of_ms or self.through_ms
        return True

    def _is_served(self, hour_ms: int, hour: Hour) -> bool:
        has_all = all(each.end <= self._frontier.get(each.partition, 0) for each in hour.stretches)
        return has_all and not any(hour_ms in block.hours for block in tuple(self._blocks))

    def _prove(self) -> None:
        """Look at what seemed wrong by its id, once all is compared that the job had committed by then.

        What is set aside is not: the first of two records may be there, and its rows not yet in Pinot.
        """
        first = self._state.suspects(LOOKS_A_STEP, self._rules)
        due = {n: each for n, each in first.items() if all_at_least(self._decided, each.committed)}
        if not due:
            return
        suspects = list(due.values())
        rows = self._pinot.rows_of_ids(sorted({id_ for each in suspects for id_ in each.ids}))
        found = self._proof.findings(suspects, rows)
        tell(self._state.looked_at(due, found, self._clock_ms()))

    def _block_hours(self, block: Block, hours: Sequence[int]) -> None:
        """Compare some hours of a closing; what differs is looked at in the next step, and told if it still does."""
        got = _by_hour(self._pinot.sums(hours, block.stretches))
        for hour_ms in hours:
            gained = self._state.erased.of(hour_ms, block.stretches, self._clock_ms())
            right = versions(block.wanted[hour_ms], gained)
            if got.get(hour_ms) in right:
                block.left.remove(hour_ms)
            elif hour_ms in block.differed:
                self._block_differs(block, hour_ms, right[0], gained)
                block.left.remove(hour_ms)
            else:
                block.differed.add(hour_ms)  # Pinot may have been between two states

    def _block_differs(
        self, block: Block, hour_ms: int, wanted: CellSums, gained: Sequence[Gained]
    ) -> None:
        rows = (row for each in block.counted for row in rows_of(each))
        counted = Counter(row for row in rows if row.cell.hour_ms == hour_ms)
        found = self._differences.of(hour_ms, block.stretches, wanted, gained, counted)
        tell(self._state.add_findings(found, self._clock_ms()))


def _by_hour(cells: CellSums) -> dict[int, CellSums]:
    found: dict[int, CellSums] = {}
    for cell, sums in cells.items():
        found.setdefault(cell.hour_ms, {})[cell] = sums
    return found
