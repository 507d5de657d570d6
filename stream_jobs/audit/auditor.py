"""The audit's reading thread: take what is read, close what is decided, hand it on to be compared with Pinot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from stream_jobs.audit.coverage import Coverage, Settled
from stream_jobs.audit.expected import Expected, Waits
from stream_jobs.audit.findings import Finding, Kind, Tier, tell
from stream_jobs.audit.flow import Flow, RecordReader
from stream_jobs.audit.frontier import Closed, Frontier
from stream_jobs.audit.history import History
from stream_jobs.audit.outcomes import Source
from stream_jobs.audit.pinot_check import Block, PinotCheck
from stream_jobs.audit.publish import Counts
from stream_jobs.audit.state import Closing, Positions, State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import Cell, Counted, Counting
from stream_jobs.audit.suspects import Suspect
from stream_jobs.audit.taken import Taken
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets

HELD_LONG_MS: Final = 60_000
# An audit that began lately knows no earlier ids, so that every duplicate of them is one; the rest is only counted.
MAX_SUSPECTS: Final = 10_000
MAX_LATE: Final = 200
# So many closed records wait for Pinot; then no more are read.
MAX_NOT_COMPARED: Final = 300_000


class Auditor:
    """Reads, follows the job and closes; all is called from one thread, and Pinot is compared in another."""

    def __init__(
        self,
        names: Names,
        state: State,
        reader: RecordReader,
        frontier: Frontier,
        coverage: Coverage,
        history: History,
        pinot: PinotCheck,
        clock_ms: Callable[[], int],
    ) -> None:
        self._names = names
        self._state = state
        self._reader = reader
        self._flow = Flow(names, reader, frontier, coverage)
        self.coverage = coverage
        self.history = history
        self._pinot = pinot
        self._clock_ms = clock_ms
        self.matched = state.number("matched")
        self.unproven = state.number("unproven")
        self._taken = state.positions().taken
        self.through_ms = 0
        self._held_since: dict[Source, int] = {}
        self._told_unread: set[tuple[int, int]] = set()

    def read(self, timeout_s: float) -> int:
        """Take the next records; how many they were."""
        return self._flow.read(timeout_s, full=self._pinot.waiting > MAX_NOT_COMPARED)

    def look(self) -> bool:
        """Follow the job: close what is decided, if anything is; whether that was more than before."""
        closed = self._flow.look()
        if closed is None:
            return False
        before = dict(self.coverage.frontier)
        self._close(closed)
        return self.coverage.frontier != before

    def counts(self, ids_bytes: int) -> Counts:
        """What was seen, and what waits."""
        coverage, history = self.coverage, self.history
        now_ms = self._clock_ms()
        long_ms = now_ms - HELD_LONG_MS
        known = self._held_since
        self._held_since = {each: known.get(each, now_ms) for each in coverage.held}
        held_long = [since_ms for since_ms in self._held_since.values() if since_ms < long_ms]
        return Counts(
            matched=self.matched,
            duplicates=history.duplicates,
            conflicts=history.conflicts,
            unproven=self.unproven,
            under_way=coverage.pending_count + coverage.early_count + len(coverage.set_aside),
            held=len(self._held_since),
            held_long=len(held_long),
            newest_held_ms=max(held_long, default=None),
            state_bytes=self._state.size_bytes() + ids_bytes,
        )

    def refuse_unread(self, starts: Offsets, committed: Offsets) -> None:
        """Tell of raw records that Kafka deleted before the job had read them: nobody can say what they were."""
        now_ms = self._clock_ms()
        # A committed offset may stand at a transaction's marker, which is deleted, too, and was no record.
        closed = self.coverage.frontier
        gone = {
            p: start
            for p, start in starts.items()
            if committed.get(p, start) < start and closed.get(p, 0) < start
        }
        tell(
            self._state.add_findings(
                [
                    Finding(
                        *(Tier.ENTRIES, Kind.LOST, now_ms, partition, committed[partition], ""),
                        f"raw records {committed[partition]} to {start - 1} of partition {partition} were deleted "
                        "before the job had read them",
                    )
                    for partition, start in gone.items()
                    if (partition, committed[partition]) not in self._told_unread
                ],
                now_ms,
            )
        )
        self._told_unread |= {(partition, committed[partition]) for partition in gone}

    def _close(self, closed: Closed) -> None:
        now_ms = self._clock_ms()
        before = dict(self.coverage.frontier)
        settled = self.coverage.close(closed.raw, closed.raw_ends, whole=closed.whole)
        decided = [*settled.outcomes, *settled.late]
        suspects = self.history.closed(decided, closed.committed, now_ms)
        room = max(0, MAX_SUSPECTS - self._state.count_suspects()) if suspects else 0
        self.unproven += len(suspects[room:])
        counted = all_counted = [each for each in decided if each.counted]
        late = settled.late
        cells = compared = counted_in(all_counted)
        if len(late) > MAX_LATE:
            # A statement names each of them; that many are compared with their hours.
            late, counted = [], [each for each in settled.outcomes if each.counted]
            compared = counted_in(counted)
        self.matched += len(all_counted)
        stretches = stretches_between(before, self.coverage.frontier, settled.set_aside, late)
        ends = closed.outcomes[self._names.entries_topic]
        closed_to = dict(self.coverage.frontier), self.coverage.decided()
        hours = frozenset(cell.hour_ms for cell in cells)
        block = Block(stretches, counted, compared, ends, *closed_to, hours, closed.as_of_ms)
        # Before it is compared; what of these is not closed is not looked at yet, and read again after a crash.
        if settled.erased:
            self._state.tell_erased(settled.erased, now_ms)
        self._pinot.offer(block)
        tell(self._state.write(self._closing(settled, cells, suspects[:room]), now_ms))
        for each in all_counted:
            each.forget_bytes()
        self.through_ms = closed.as_of_ms or self.through_ms

    def _closing(
        self, settled: Settled, cells: Mapping[Cell, Counted], suspects: Sequence[Suspect]
    ) -> Closing:
        coverage = self.coverage
        raw = dict(coverage.frontier)
        read = {topic: dict(self._reader.positions(topic)) for topic in self._names.outcomes}
        now = Taken(raw, read)
        self._taken = [each for each in self._taken if not each.is_within(now)]
        restart = {**self._flow.restart(), self._names.transactions_topic: raw}
        return Closing(
            Positions(restart, [*self._taken, now]),
            [Stretch(p, coverage.begin_of(p), end) for p, end in coverage.frontier.items()],
            cells,
            [each.source for each in settled.late],
            [
                *((each, Waits.HELD) for each in settled.held),
                *((each, Waits.LOST) for each in settled.lost),
                *((each, Waits.SET_ASIDE) for each in settled.set_aside),
            ],
            {
                "matched": self.matched,
                "duplicates": self.history.duplicates,
                "unproven": self.unproven,
            },
            settled.findings,
            settled.healed,
            suspects,
        )


def counted_in(records: Iterable[Expected]) -> dict[Cell, Counted]:
    """Records that counted, by hour, partition and direction."""
    counting = Counting()
    for each in records:
        counting.add(each)
    return counting.cells()


def stretches_between(
    before: Offsets, now: Offsets, set_aside: Iterable[Expected], late: Iterable[Expected]
) -> tuple[Stretch, ...]:
    """What was closed between two frontiers without what was set aside, and single records that were late."""
    gaps: dict[int, list[int]] = {}
    for partition, offset in sorted(each.source for each in set_aside):
        gaps.setdefault(partition, []).append(offset)
    found: list[Stretch] = []
    for partition, end in sorted(now.items()):
        start = before.get(partition, 0)
        for gap in (*gaps.get(partition, ()), end):
            if start < gap:
                found.append(Stretch(partition, start, gap))
            start = max(start, gap + 1)
    single = sorted(each.source for each in late)
    return (*found, *(Stretch(p, offset, offset + 1) for p, offset in single))
