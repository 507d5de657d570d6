"""The audit's one loop: read a batch, match it, write it with its offsets; now and then judge and compare."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.frontier import Frontier, Settled, Topics
from stream_jobs.audit.intervals import start_of, whole
from stream_jobs.audit.matching import Matching
from stream_jobs.audit.outcome import Open
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.readers import Record
from stream_jobs.audit.reversal_judge import judge_reversals
from stream_jobs.audit.reversal_watch import ReversalWatch
from stream_jobs.audit.rows import (
    Entry,
    Malformed,
    Transfer,
    id_text,
    is_misplaced,
    is_reversal,
    parsed_entry,
    raw_transfer,
)
from stream_jobs.audit.state import State
from stream_jobs.dedup_window import DedupWindow
from stream_jobs.offsets import Offsets

BATCH: Final = 5_000
WRITE_EVERY_MS: Final = 1_000
# Above so many open ids in memory the older half waits in the file.
MAX_OPEN_IN_MEMORY: Final = 200_000
UNDECIDED_A_TIME: Final = 50_000
WHOLE_A_TIME: Final = 2_000

log = logging.getLogger("audit")


class RecordReader(Protocol):
    """readers.Reader says what each means."""

    def read(self, limit: int, timeout_s: float) -> list[Record]: ...

    def positions(self, topic: str) -> Offsets: ...


class Auditor:
    """Everything but the comparison with Pinot happens here, in the order in which records come."""

    def __init__(
        self,
        state: State,
        reader: RecordReader,
        frontier: Frontier,
        pinot: PinotCheck,
        clock_ms: Callable[[], int],
        *,
        topics: Topics,
        partitions: int,
        window: DedupWindow,
    ) -> None:
        self._state = state
        self._reader = reader
        self._frontier = frontier
        self._pinot = pinot
        self._clock_ms = clock_ms
        self._topics = topics
        self._partitions = partitions
        self._window = window
        self._matching = Matching(partitions, state.number("round") + 1)
        self._elsewhere = state.open_ids.count()
        self._reversals = ReversalWatch(state, self._matching, clock_ms, window)
        self._written_ms = 0
        self.through_ms = 0
        self.records = 0

    def read(self, timeout_s: float) -> int:
        """Read and match one batch; how many records it had."""
        records = self._reader.read(BATCH, timeout_s)
        if records:
            self._take_in(records)
            self.records += len(records)
        if self._clock_ms() - self._written_ms >= WRITE_EVERY_MS:
            self.write()
        return len(records)

    def look(self) -> None:
        """Follow the check under way and judge what it settled; begin the next."""
        settled = self._frontier.look()
        if settled is not None:
            self._judge(settled)
        round_ = self._matching.round + 1
        if self._frontier.begin(round_):
            self.write()  # what came before the check began belongs to the round before
            self._matching.round = round_

    def compare(self) -> bool:
        """One step of the comparison with Pinot; whether there may be more to do at once."""
        found = self._pinot.step()
        _tell(found or [])
        return found is not None

    def write(self) -> None:
        """Write what happened with the offsets behind it."""
        matching = self._matching
        outcome = matching.take()
        self._reversals.wake(outcome)
        unwritten = {id_: each for id_, each in matching.open.items() if each.dirty}
        positions = {t: self._reader.positions(t) for t in (self._topics.raw, self._topics.entries)}
        now_ms = self._clock_ms()
        _tell(self._state.write(outcome, unwritten, positions, matching.round, now_ms))
        for each in unwritten.values():
            each.stored, each.dirty = True, False
        self._written_ms = now_ms
        self._make_room()
        in_both = sum(each.stored for each in matching.open.values())
        self._elsewhere = self._state.open_ids.count() - in_both

    def _take_in(self, records: list[Record]) -> None:
        transfers: list[tuple[bytes, Transfer]] = []
        entries: list[tuple[bytes, Entry]] = []
        for record in records:
            if record.topic == self._topics.raw:
                transfer = raw_transfer(record.value, record.time_ms)
                if transfer is not None:
                    transfers.append(transfer)
            else:
                entry = self._entry(record)
                if entry is not None:
                    entries.append(entry)
        self._load([id_ for id_, _ in transfers] + [id_ for id_, _ in entries])
        self._add_transfers(transfers)
        for id_, each in entries:
            self._matching.add_entry(id_, each)

    def _entry(self, record: Record) -> tuple[bytes, Entry] | None:
        parsed = parsed_entry(record.value, record.partition, record.offset, record.time_ms)
        where = f"partition {record.partition}, offset {record.offset}"
        if isinstance(parsed, Malformed):
            detail = f"{where}: {parsed.why}"
            self._find(Kind.MALFORMED, parsed.time_ms, record, parsed.transaction_id, detail)
            return None
        id_, entry = parsed
        if is_misplaced(entry, record.key, self._partitions):
            detail = f"{where}: not the account's key or partition"
            told = (entry.transfer.time_ms, record, id_text(id_), detail)
            self._find(Kind.MISPLACED, *told, reversal=is_reversal(id_))
        return parsed

    def _find(
        self,
        kind: Kind,
        time_ms: int,
        record: Record,
        id_: str,
        detail: str,
        *,
        reversal: bool = False,
    ) -> None:
        where = (start_of(time_ms), record.partition)
        finding = Finding(Tier.ENTRIES, kind, *where, id_, detail, reversal)
        self._matching.add_malformed(finding, time_ms)

    def _load(self, ids: list[bytes]) -> None:
        """Bring into memory those of the ids that are open in the file only."""
        if self._elsewhere:
            matching = self._matching
            # What matched since the last write is still open in the file.
            absent = [
                id_
                for id_ in dict.fromkeys(ids)
                if id_ not in matching.open and not matching.has_closed(id_)
            ]
            self._bring(self._state.open_ids.load(absent))

    def _add_transfers(self, transfers: list[tuple[bytes, Transfer]]) -> None:
        matching, now_ms = self._matching, self._clock_ms()
        asked = [id_ for id_, _ in transfers if not matching.has_event(id_)]
        oldest_ms = now_ms - self._window.window_ms
        known = self._state.known_ids.find(asked, oldest_ms - self._window.slack_ms)
        surely = (
            self._state.known_ids.find(known, oldest_ms + self._window.slack_ms) if known else {}
        )
        self._reversals.remember_originals(transfers, surely)
        for id_, transfer in transfers:
            content = matching.counted(id_)
            if content is not None or id_ in surely:
                matching.add_transfer(id_, transfer, surely.get(id_, content))
            else:
                matching.add_transfer(id_, transfer, known.get(id_), optional=id_ in known)

    def _judge(self, settled: Settled) -> None:
        matching = self._matching
        self.write()  # so that what is known is in one place
        while True:
            self._bring(self._state.open_ids.undecided(settled.round, UNDECIDED_A_TIME))
            ids = matching.undecided(settled.round)
            if not ids:
                break
            reversals = [id_ for id_ in ids if is_reversal(id_) and matching.open[id_].fresh]
            others = list(set(ids).difference(reversals))
            if others:  # before the reversals of any of them
                alone = [id_ for id_ in others if not matching.open[id_].candidates]
                oldest_ms = self._clock_ms() - self._window.window_ms - self._window.slack_ms
                matching.judge(others, self._state.known_ids.find(alone, oldest_ms))
            else:
                judge_reversals(matching, reversals, self._reversals.originals(reversals))
            self.write()
        self._reversals.tell_held()
        self._judge_whole(settled)
        self.through_ms = settled.as_of_ms
        self._pinot.offer(settled)

    def _judge_whole(self, settled: Settled) -> None:
        due = self._state.intervals.due("whole", 0, settled.as_of_ms, settled.round, WHOLE_A_TIME)
        verdicts = {each.interval_ms: self._whole(each.interval_ms) for each in due}
        _tell(self._state.write_whole(verdicts, self._clock_ms()))

    def _whole(self, start_ms: int) -> list[Finding]:
        """What contradicts itself in one interval, unless single ids explain it."""
        explained = self._state.findings.has_id_finding(start_ms, start_ms + 1)
        return [
            Finding(Tier.ENTRIES, Kind(kind), start_ms, None, "", detail)
            for _, kind, detail in whole(self._state.intervals.cells(start_ms, start_ms + 1))
            if kind != Kind.UNEXPLAINED or not explained
        ]

    def _bring(self, found: dict[bytes, Open]) -> None:
        for id_, each in found.items():
            self._matching.open.setdefault(id_, each)

    def _make_room(self) -> None:
        """Leave in the file only what is judged, and of a great many the older half."""
        matching = self._matching
        keep = {id_: each for id_, each in matching.open.items() if not each.rests}
        if len(keep) > MAX_OPEN_IN_MEMORY:
            keep = dict(list(keep.items())[len(keep) // 2 :])
        matching.open = keep


def _tell(findings: Iterable[Finding]) -> None:
    """One line for all findings of one kind in one interval: a lost segment has a hundred thousand."""
    groups: dict[tuple[Tier, Kind, int], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.tier, each.kind, each.interval_ms), []).append(each)
    for group in groups.values():
        log.error("mismatch", extra={"findings": group})
