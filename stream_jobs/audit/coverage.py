"""Coverage of the raw topic's offsets: each committed record has exactly one outcome, with the content it must have.

In memory is what is under way: raw records without their outcome, outcomes whose raw record has not been read, those
matched since the last check, and those that differ. Below the frontier everything is decided, and an outcome that comes
for it still is one too many, unless its record was held or found lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from stream_jobs.audit.announced import Announced
from stream_jobs.audit.by_key import ByKey
from stream_jobs.audit.expected import Expected, Waits
from stream_jobs.audit.findings import Finding, Kind
from stream_jobs.audit.matching import Matching
from stream_jobs.audit.outcomes import HELD, Source, source_of, told_of
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.readers import Record
from stream_jobs.audit.taken import Taken
from stream_jobs.audit.told_entry import ErasedEntry
from stream_jobs.events.settings import DEFAULT, EventRules
from stream_jobs.topics.names import Names
from stream_jobs.topics.offsets import Offsets, all_at_least

_NONE: Final[dict[int, Expected]] = {}
# Of a value; so many more count as one more record.
USUAL_BYTES: Final = 512


class Settled(NamedTuple):
    """What a closing decided: records with an outcome, those that were late to get it, and what is wrong.

    `erased` are the entries since the last one that tell a pseudonym, as they may.
    """

    outcomes: list[Expected]
    late: list[Expected]
    held: list[Expected]
    lost: list[Expected]
    set_aside: list[Expected]
    findings: list[Finding]
    healed: list[Source]
    erased: list[ErasedEntry]


class Coverage:
    """Takes records of all topics in the order of each partition; `begin` is where it vouches from."""

    def __init__(
        self,
        names: Names,
        placement: Placement,
        begin: Offsets,
        frontier: Offsets,
        taken: Sequence[Taken],
        announced: Announced,
        rules: EventRules = DEFAULT,
        by_key: ByKey | None = None,
    ) -> None:
        self._rules = rules
        self._names = names
        self._matching = Matching(names.entries_topic, placement, announced, by_key or ByKey())
        self._begin = dict(begin)
        self._taken = taken
        self.frontier: dict[int, int] = dict(frontier)
        # By raw partition, in the order of their offsets.
        self.pending: dict[int, dict[int, Expected]] = {}
        self.pending_count = self._pending_bytes = 0
        # By raw partition and offset.
        self.early: dict[int, dict[int, list[Record]]] = {}
        self.early_count = self._early_bytes = 0
        self._ahead: dict[tuple[str, int], Source] = {}
        # Below the frontier: reversals that wait for their transfer, records found without an outcome, and those of
        # which this is not decided.
        self.held: dict[Source, Expected] = {}
        self.lost: dict[Source, Expected] = {}
        self.set_aside: dict[Source, Expected] = {}
        # Counted reversals that were closed before all notes were read: that one was held may still be told.
        self._unheld: set[Source] = set()
        self._unheld_below: Offsets = dict(frontier)
        self._late: list[Expected] = []
        self._healed: list[Source] = []
        # What was closed before and has got an outcome since that is not its last.
        self._touched: set[Source] = set()

    def go_on_with(self, waiting: Mapping[Waits, Mapping[Source, Expected]]) -> None:
        """Closed records that an earlier run left waiting."""
        self.held |= waiting[Waits.HELD]
        self.lost |= waiting[Waits.LOST]
        self.set_aside |= waiting[Waits.SET_ASIDE]

    @property
    def pending_weight(self) -> int:
        """What raw records under way take in memory, in such of a usual size: a rejected one is there as text, too."""
        return self.pending_count + self._pending_bytes // USUAL_BYTES

    @property
    def early_weight(self) -> int:
        """The same of outcomes without their raw records."""
        return self.early_count + self._early_bytes // USUAL_BYTES

    def begin_of(self, partition: int) -> int:
        """The first offset of a raw partition that it vouches for."""
        return self._begin.get(partition, 0)

    def decided(self) -> dict[int, int]:
        """Up to where each raw partition is closed, with nothing set aside below."""
        ends = dict(self.frontier)
        for partition, offset in self.set_aside:
            ends[partition] = min(offset, ends[partition])
        return ends

    def take(self, record: Record) -> None:
        """One record of any of the topics."""
        if record.topic == self._names.transactions_topic:
            self._take_raw(record)
            return
        expected = self._matching.awaited.pop(record.value or b"", None)
        if expected is not None:
            self._matching.match(record, expected)
            return
        source = source_of(record.value)
        if source is None:
            self._matching.findings.malformed(record)
        elif (expected := self.pending.get(source[0], _NONE).get(source[1])) is not None:
            self._matching.match(record, expected)
        else:
            self._take_unawaited(record, source)

    def is_ahead(self, topic: str, partition: int) -> bool:
        """Whether an outcome has been read there whose raw record has not."""
        source = self._ahead.get((topic, partition))
        return source is not None and source[1] in self.early.get(source[0], ())

    def most_awaited(self) -> set[int]:
        """The raw partition with the fewest records under way, of those whose outcomes were read before them."""
        under_way = {partition: len(self.pending.get(partition, ())) for partition in self.early}
        return {min(under_way, key=under_way.__getitem__)} if under_way else set()

    def decided_up_to(self, most_open: int) -> Offsets:
        """How far the older half of each raw partition's records has its outcomes, but for `most_open` of them.

        Partitions of which nothing can be closed are left out. The younger half is still awaited.
        """
        found: dict[int, int] = {}
        for partition, records in self.pending.items():
            still_open = 0
            for each in islice(records.values(), len(records) // 2):
                if _is_decided(each):
                    found[partition] = each.offset + 1
                elif (still_open := still_open + 1) > most_open:
                    break
        return found

    def judge_differing(self) -> None:
        """What differs by pseudonyms alone as it may, or was refused as it may be, is right, all else is told. To be done before anything is closed.

        Raises what Kafka's client raises; then it is still to be done.
        """
        for expected in self._matching.judge_differing():
            for waiting in (self.held, self.lost, self.set_aside):
                if expected.source in waiting:
                    self._look_whether_late(expected, waiting)

    def close(self, raw: Offsets, raw_ends: Offsets, *, whole: bool = True) -> Settled:
        """Decide everything below `raw`: by what `Frontier` says of it, no outcome is still to come.

        Of nothing at or past `raw_ends` there could be one. If not `whole`, what has no outcome is set aside.
        """
        outcomes: list[Expected] = []
        held: dict[Source, Expected] = {}
        lost: dict[Source, Expected] = {}
        aside: dict[Source, Expected] = {}
        below = self._take_below(raw)
        if whole:
            below += _taken(self.set_aside, raw)
        for expected in below:
            source = expected.source
            if not expected.counted:
                self._matching.await_no_more(expected)
            if not _is_decided(expected):
                if not whole:
                    aside[source] = expected
                    continue
                lost[source] = expected
                self._matching.findings.lost(expected)
                continue
            outcomes.append(expected)
            if not expected.final:
                held[source] = expected
        self._refuse_strangers(raw, raw_ends)
        if whole:
            self._forget_unheld(raw)
        else:
            self._unheld |= {each.source for each in outcomes if each.is_reversal and not each.held}
        self.held |= held
        self.lost |= lost
        self.set_aside |= aside
        for partition, end in raw.items():
            self.frontier[partition] = max(end, self.frontier.get(partition, 0))
        for fresh, waiting in ((held, self.held), (lost, self.lost), (aside, self.set_aside)):
            fresh |= {source: waiting[source] for source in self._touched if source in waiting}
        self._touched.clear()
        waits = (list(held.values()), list(lost.values()), list(aside.values()))
        told = self._matching.findings.taken()
        erased = self._matching.taken_erased()
        settled = Settled(outcomes, self._late, *waits, told, self._healed, erased)
        self._late, self._healed = [], []
        return settled

    def _take_below(self, raw: Offsets) -> list[Expected]:
        """What is under way below `raw`, which it is no more."""
        found: list[Expected] = []
        for partition, end in raw.items():
            records = self.pending.get(partition, {})
            below: list[Expected] = []
            for each in records.values():
                if each.offset >= end:
                    break
                below.append(each)
            for each in below:
                del records[each.offset]
            found += below
        self.pending_count -= len(found)
        self._pending_bytes -= sum(len(each.value or b"") for each in found)
        return found

    def _refuse_strangers(self, raw: Offsets, raw_ends: Offsets) -> None:
        """Tell of outcomes whose raw records were not there where they should have been, or cannot be yet."""
        for partition, records in list(self.early.items()):
            start, end = raw.get(partition, 0), raw_ends.get(partition, 0)
            for offset in [offset for offset in records if not start <= offset < end]:
                for record in self._came(partition, offset):
                    self._matching.findings.strange(
                        record, (partition, offset), "there is no such raw record"
                    )

    def _came(self, partition: int, offset: int) -> list[Record]:
        """The outcomes that were read before their raw record; they are no longer early."""
        of_partition = self.early.get(partition, {})
        records = of_partition.pop(offset, [])
        self.early_count -= len(records)
        self._early_bytes -= sum(len(each.value or b"") for each in records)
        if not of_partition:
            self.early.pop(partition, None)
        return records

    def _take_raw(self, record: Record) -> None:
        partition, offset = record.partition, record.offset
        expected = Expected(record.value, partition, offset, record.time_ms, self._rules)
        self.pending.setdefault(partition, {})[offset] = expected
        self.pending_count += 1
        self._pending_bytes += len(record.value or b"")
        if offset in self.early.get(partition, ()):
            for early in self._came(partition, offset):
                self._matching.match(early, expected)
        self._matching.await_entries(expected)

    def _take_unawaited(self, record: Record, source: Source) -> None:
        """An outcome of what is decided, not read yet, or before all that is vouched for."""
        partition, offset = source
        if offset >= self.frontier.get(partition, 0):
            self.early.setdefault(partition, {}).setdefault(offset, []).append(record)
            self.early_count += 1
            self._early_bytes += len(record.value or b"")
            self._ahead[record.topic, record.partition] = source
            return
        if any(t.has(record.topic, record.partition, record.offset, source) for t in self._taken):
            return
        for waiting in (self.held, self.lost, self.set_aside):
            if source in waiting:
                self._take_late(record, source, waiting)
                return
        if offset >= self.begin_of(partition) and not self._is_late_note(record, source):
            self._matching.findings.strange(
                record, source, "it has an outcome already", Kind.DOUBLED
            )

    def _is_late_note(self, record: Record, source: Source) -> bool:
        """Whether it says of a reversal that has counted since, and was closed by that, that it was held before."""
        if told_of(record.value).outcome != HELD:
            return False
        if source in self._unheld:
            self._unheld.discard(source)
            return True
        return source[1] < self._unheld_below.get(source[0], 0)

    def _forget_unheld(self, raw: Offsets) -> None:
        """All notes of what lies below `raw` have been read."""
        self._unheld = {each for each in self._unheld if each[1] >= raw.get(each[0], 0)}
        if all_at_least(raw, self._unheld_below):
            self._unheld_below = {}

    def _take_late(self, record: Record, source: Source, waiting: dict[Source, Expected]) -> None:
        """What was held is released, or what was lost has been repaired."""
        expected = waiting[source]
        self._matching.match(record, expected)
        self._look_whether_late(expected, waiting)

    def _look_whether_late(self, expected: Expected, waiting: dict[Source, Expected]) -> None:
        source = expected.source
        if expected.final:
            del waiting[source]
            self._late.append(expected)
            if waiting is self.lost:
                self._healed.append(source)
        else:
            self._touched.add(source)


def _is_decided(each: Expected) -> bool:
    """Whether its last outcome was seen, or that it is held."""
    return each.final or (each.held and not each.sides)


def _taken(found: dict[Source, Expected], raw: Offsets) -> list[Expected]:
    """What lies below `raw`, taken out of `found`."""
    below = [each for each in found.values() if each.offset < raw.get(each.partition, 0)]
    for each in below:
        del found[each.source]
    return below
