"""Raw events matched with entries, id by id; what matches is forgotten, what cannot change any more is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.intervals import Changes, start_of
from stream_jobs.audit.rows import (
    RECEIVED,
    SENT,
    Entry,
    Transfer,
    id_text,
    likeliest,
    mix,
    money,
    partition_of_account,
)

DIRECTIONS = (RECEIVED, SENT)
MAX_CONFLICT_IDS = 100


@dataclass(slots=True)
class Open:
    """An id whose events and entries do not match (yet)."""

    round: int
    candidates: list[Transfer] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    # Known already, but so long ago that the job may have forgotten it: it may count anew, or not.
    optional: bool = False
    # Found wrong: the raw side is in the sums, and only the missing entries can still come.
    judged: bool = False
    told: int = 0  # so many of its entries were judged with it
    stored: bool = False
    dirty: bool = True  # the file has it otherwise, or not at all


@dataclass(slots=True)
class Outcome:
    """What came of a batch or a judgement, to be written with the offsets in one transaction."""

    changes: Changes = field(default_factory=Changes)
    counted: dict[bytes, int] = field(default_factory=dict)  # id -> content, now known
    closed: set[bytes] = field(default_factory=set)  # ids that are open no more
    healed: set[bytes] = field(default_factory=set)  # of these, ids whose findings are over
    findings: list[Finding] = field(default_factory=list)
    matched: int = 0
    duplicates: int = 0
    conflicts: dict[bytes, None] = field(default_factory=dict)


class Matching:
    """The open ids in memory, and what became of the others since the last `take`.

    `round` numbers the checks: what was touched before a check began carries a smaller number.
    """

    def __init__(self, partitions: int, round_: int = 0) -> None:
        self.open: dict[bytes, Open] = {}
        self.round = round_
        self._partitions = partitions
        self._outcome = Outcome()

    def take(self) -> Outcome:
        """What happened since; the caller writes it."""
        outcome, self._outcome = self._outcome, Outcome()
        return outcome

    def counted(self, id_: bytes) -> int | None:
        """The content under which an id was counted since the last `take`."""
        return self._outcome.counted.get(id_)

    def has_closed(self, id_: bytes) -> bool:
        """Whether an id that the file has was closed since the last `take`."""
        return id_ in self._outcome.closed

    def has_event(self, id_: bytes) -> bool:
        """Whether an event of this id waits for its entries."""
        open_ = self.open.get(id_)
        return open_ is not None and bool(open_.candidates)

    def add_transfer(
        self, id_: bytes, transfer: Transfer, known: int | None, optional: bool = False
    ) -> None:
        """An event. `known` is the content under which its id was counted within the dedup window."""
        if known is not None and not optional:
            self._duplicate(id_, known == transfer.content)
            return
        open_ = self._touched(id_)
        if open_.judged and open_.candidates:
            self._duplicate(id_, any(transfer.content == c.content for c in open_.candidates))
            return
        open_.optional = optional
        if open_.candidates:
            self._duplicate(id_, open_.candidates[0][:3] == transfer[:3])
        if transfer not in open_.candidates:
            open_.candidates.append(transfer)
        self._match(id_, open_)

    def add_entry(self, id_: bytes, entry: Entry) -> None:
        """An entry as it was read."""
        self._outcome.changes.add_entry(entry)
        open_ = self._touched(id_)
        open_.entries.append(entry)
        if len(open_.entries) > 1:
            self._match(id_, open_)

    def add_malformed(self, finding: Finding, time_ms: int) -> None:
        """A record that is no entry."""
        self._outcome.changes.touch(time_ms)
        self._outcome.findings.append(finding)

    def undecided(self, round_: int) -> list[bytes]:
        """Ids not touched since that round began, with something that was not judged before."""
        return [
            id_
            for id_, open_ in self.open.items()
            if open_.round < round_ and (not open_.judged or len(open_.entries) > open_.told)
        ]

    def judge(self, ids: list[bytes], known: Mapping[bytes, int]) -> None:
        """The verdict on ids of which no event and no entry can be under way.

        `known` holds the ids that were counted before, with their content.
        """
        for id_ in ids:
            open_ = self.open[id_]
            open_.dirty = True
            if open_.judged:
                self._surplus(id_, open_.entries[open_.told :], open_.candidates[0].content)
                open_.told = len(open_.entries)
            elif not open_.candidates:
                self._surplus(id_, open_.entries, known.get(id_))
                self._close(id_)
            elif open_.optional and not open_.entries:
                self._close(id_)
            else:
                self._incomplete(id_, open_)

    def _touched(self, id_: bytes) -> Open:
        open_ = self.open.get(id_)
        if open_ is None:
            open_ = self.open[id_] = Open(self.round)
        open_.round, open_.dirty = self.round, True
        return open_

    def _duplicate(self, id_: bytes, same: bool) -> None:
        self._outcome.duplicates += 1
        if not same and len(self._outcome.conflicts) < MAX_CONFLICT_IDS:
            self._outcome.conflicts[id_] = None

    def _match(self, id_: bytes, open_: Open) -> None:
        for candidate in open_.candidates:
            sides = [_side(open_.entries, direction, candidate) for direction in DIRECTIONS]
            received, sent = sides
            if received is None or sent is None:
                continue
            if open_.judged:
                self._outcome.healed.add(id_)
            else:
                for side in (received, sent):
                    self._expect(side.direction, candidate, side.mix)
                self._outcome.counted[id_] = candidate.content
            self._outcome.matched += 1
            open_.entries.remove(received)
            open_.entries.remove(sent)
            if open_.entries:  # a third entry: judged by itself, once nothing can come any more
                open_.candidates, open_.judged, open_.optional, open_.told = [], False, False, 0
                open_.dirty = True
            else:
                self._close(id_)
            return

    def _incomplete(self, id_: bytes, open_: Open) -> None:
        """Some of the two entries are missing or others than they should be; kept, for a repair may come."""
        most = max(_agreement(open_.entries, each) for each in open_.candidates)
        chosen = likeliest(
            each for each in open_.candidates if _agreement(open_.entries, each) == most
        )
        left = list(open_.entries)
        for direction in DIRECTIONS:
            self._expect(direction, chosen, mix(id_text(id_), direction, chosen))
        for direction in DIRECTIONS:
            right = _side(left, direction, chosen)
            if right is not None:
                left.remove(right)
                continue
            wrong = next((each for each in left if each.direction == direction), None)
            if wrong is not None:
                left.remove(wrong)
                self._find_changed(id_, chosen, wrong)
                continue
            lost = Kind.LOST_SIDE if open_.entries else Kind.LOST
            if lost is Kind.LOST and direction == SENT:
                continue  # one finding an event
            self._find_lost(lost, id_, direction, chosen)
        self._surplus(id_, left, chosen.content)
        self._outcome.counted[id_] = chosen.content
        open_.candidates, open_.judged, open_.told = [chosen], True, len(open_.entries)

    def _surplus(self, id_: bytes, entries: list[Entry], known: int | None) -> None:
        """Entries beyond the two that an event leaves."""
        for entry in entries:
            if known is None:
                kind, detail = Kind.UNKNOWN, "no event has this id"
            elif known == entry.transfer.content:
                kind, detail = Kind.DOUBLED, f"once more: {_said(entry)}"
            else:
                kind, detail = Kind.CHANGED, f"once more, with other content: {_said(entry)}"
            self._find(kind, id_, entry, detail)

    def _expect(self, direction: str, transfer: Transfer, mixed: int) -> None:
        partition = partition_of_account(transfer.account_id(direction), self._partitions)
        self._outcome.changes.add_raw(
            direction, partition, transfer.time_ms, transfer.amount, mixed
        )

    def _find(self, kind: Kind, id_: bytes, entry: Entry, detail: str) -> None:
        interval_ms = start_of(entry.transfer.time_ms)
        self._outcome.findings.append(
            Finding(Tier.ENTRIES, kind, interval_ms, entry.partition, id_text(id_), detail)
        )

    def _find_changed(self, id_: bytes, expected: Transfer, wrong: Entry) -> None:
        """In the interval that it is in, and in the one that misses it."""
        detail = "; ".join(_differences(expected, wrong.transfer))
        for time_ms in {start_of(expected.time_ms), start_of(wrong.transfer.time_ms)}:
            self._outcome.findings.append(
                Finding(
                    *(Tier.ENTRIES, Kind.CHANGED, time_ms),
                    *(wrong.partition, id_text(id_), f"{wrong.direction}: {detail}"),
                )
            )

    def _find_lost(self, kind: Kind, id_: bytes, direction: str, transfer: Transfer) -> None:
        partition = partition_of_account(transfer.account_id(direction), self._partitions)
        what = "no entry" if kind is Kind.LOST else f"no {direction} entry"
        detail = f"{what} of {money(transfer.amount)}"
        interval_ms = start_of(transfer.time_ms)
        self._outcome.findings.append(
            Finding(Tier.ENTRIES, kind, interval_ms, partition, id_text(id_), detail)
        )

    def _close(self, id_: bytes) -> None:
        open_ = self.open.pop(id_)
        if open_.stored:
            self._outcome.closed.add(id_)


def _side(entries: list[Entry], direction: str, transfer: Transfer) -> Entry | None:
    for entry in entries:
        if entry.direction == direction and entry.transfer == transfer:
            return entry
    return None


def _agreement(entries: list[Entry], candidate: Transfer) -> int:
    return sum(entry.transfer == candidate for entry in entries)


def _differences(expected: Transfer, found: Transfer) -> Iterator[str]:
    for name in ("from_account_id", "to_account_id", "time_ms"):
        right, wrong = getattr(expected, name), getattr(found, name)
        if right != wrong:
            yield f"{name} is {wrong!r}, not {right!r}"
    if expected.amount != found.amount:
        yield f"amount is {money(found.amount)}, not {money(expected.amount)}"


def _said(entry: Entry) -> str:
    transfer = entry.transfer
    return (
        f"{entry.direction} of {transfer.account_id(entry.direction)!r}, {money(transfer.amount)}"
    )
