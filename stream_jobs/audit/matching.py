"""Raw events matched with entries, id by id; what matches is forgotten, what cannot change any more is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.intervals import start_of
from stream_jobs.audit.outcome import Open, Outcome
from stream_jobs.audit.reversal_fates import Fate
from stream_jobs.audit.rows import (
    RECEIVED,
    SENT,
    Entry,
    Transfer,
    id_text,
    is_reversal,
    likeliest,
    mix,
    money,
    partition_of_account,
)

DIRECTIONS = (RECEIVED, SENT)
MAX_CONFLICT_IDS = 100


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

    def remember(self, id_: bytes, content: int) -> None:
        """The job has seen a counted id once more, and remembers it for a whole window again."""
        self._outcome.counted.setdefault(id_, content)

    def wake(self, ids: Iterable[bytes]) -> None:
        """Have reversals judged by the next check; those of these that are open."""
        for id_ in ids:
            if id_ in self.open:
                self._touched(id_)

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
            if not is_reversal(id_):
                self.remember(id_, known)
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
        return [id_ for id_, open_ in self.open.items() if open_.round < round_ and not open_.rests]

    def judge(self, ids: list[bytes], known: Mapping[bytes, int]) -> None:
        """The verdict on ids of which no event and no entry can be under way.

        `known` holds the ids that were counted before, with their content.
        """
        for id_ in ids:
            open_ = self.open[id_]
            open_.dirty = True
            if open_.judged:
                self.surplus(id_, open_.entries[open_.told :], open_.candidates[0].content)
                open_.told = len(open_.entries)
            elif not open_.candidates:
                self.surplus(id_, open_.entries, known.get(id_))
                self.close(id_)
            elif open_.optional and not open_.entries:
                self.remember(id_, open_.candidates[0].content)
                self.close(id_)
            else:
                self.incomplete(id_)

    def _touched(self, id_: bytes) -> Open:
        open_ = self.open.get(id_)
        if open_ is None:
            open_ = self.open[id_] = Open(self.round)
        open_.round, open_.dirty, open_.held = self.round, True, False
        return open_

    def decided(self, id_: bytes, reversal: Transfer, fate: Fate) -> None:
        """What became of a reversal; of one without entries, nothing is expected any more."""
        self._outcome.reversals[id_] = (reversal.original, fate)
        if fate is Fate.REJECTED:
            self._outcome.counted[id_] = reversal.content

    def _duplicate(self, id_: bytes, same: bool) -> None:
        self._outcome.duplicates += 1
        if not same and len(self._outcome.conflicts) < MAX_CONFLICT_IDS:
            self._outcome.conflicts[id_] = None

    def _match(self, id_: bytes, open_: Open) -> None:
        if is_reversal(id_) and not open_.judged:
            return  # it may match and yet be wrong: that is told when its transfer is certain
        for candidate in open_.candidates:
            if self.accept(id_, candidate):
                return

    def accept(self, id_: bytes, candidate: Transfer) -> bool:
        """Count an event if both its entries are there; whether they were."""
        open_ = self.open[id_]
        received, sent = (_side(open_.entries, each, candidate) for each in DIRECTIONS)
        if received is None or sent is None:
            return False
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
            self.close(id_)
        return True

    def incomplete(self, id_: bytes) -> None:
        """Some of the two entries are missing or others than they should be; kept, for a repair may come."""
        open_ = self.open[id_]
        chosen = fitting(open_)
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
        self.surplus(id_, left, chosen.content)
        self._outcome.counted[id_] = chosen.content
        open_.candidates, open_.judged, open_.told = [chosen], True, len(open_.entries)

    def surplus(
        self, id_: bytes, entries: list[Entry], known: int | None, why: str = "no event has this id"
    ) -> None:
        """Entries beyond the two that an event leaves; `why` there should be none of an id not counted."""
        for entry in entries:
            if known is None:
                kind, detail = Kind.UNKNOWN, why
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
        self._outcome.findings.append(_finding(kind, interval_ms, entry.partition, id_, detail))

    def _find_changed(self, id_: bytes, expected: Transfer, wrong: Entry) -> None:
        """In the interval that it is in, and in the one that misses it."""
        detail = "; ".join(_differences(expected, wrong.transfer))
        for time_ms in {start_of(expected.time_ms), start_of(wrong.transfer.time_ms)}:
            self._outcome.findings.append(
                _finding(
                    *(Kind.CHANGED, time_ms, wrong.partition, id_),
                    f"{wrong.direction}: {detail}",
                )
            )

    def _find_lost(self, kind: Kind, id_: bytes, direction: str, transfer: Transfer) -> None:
        partition = partition_of_account(transfer.account_id(direction), self._partitions)
        what = "no entry" if kind is Kind.LOST else f"no {direction} entry"
        detail = f"{what} of {money(transfer.amount)}"
        interval_ms = start_of(transfer.time_ms)
        self._outcome.findings.append(_finding(kind, interval_ms, partition, id_, detail))

    def close(self, id_: bytes) -> None:
        """Nothing is open of an id any more."""
        open_ = self.open.pop(id_)
        if open_.stored:
            self._outcome.closed.add(id_)


def _finding(kind: Kind, interval_ms: int, partition: int, id_: bytes, detail: str) -> Finding:
    told = (kind, interval_ms, partition, id_text(id_), detail)
    return Finding(Tier.ENTRIES, *told, reversal=is_reversal(id_))


def _side(entries: list[Entry], direction: str, transfer: Transfer) -> Entry | None:
    for entry in entries:
        if entry.direction == direction and entry.transfer == transfer:
            return entry
    return None


def fitting(open_: Open) -> Transfer:
    """Of the events of an id the one that most of its entries agree with."""
    most = max(_agreement(open_.entries, each) for each in open_.candidates)
    return likeliest(each for each in open_.candidates if _agreement(open_.entries, each) == most)


def _agreement(entries: list[Entry], candidate: Transfer) -> int:
    return sum(entry.transfer == candidate for entry in entries)


def _differences(expected: Transfer, found: Transfer) -> Iterator[str]:
    for name in ("from_account_id", "to_account_id", "time_ms"):
        right, wrong = getattr(expected, name), getattr(found, name)
        if right != wrong:
            yield f"{name} is {wrong!r}, not {right!r}"
    if expected.reverses != found.reverses:
        yield f"reverses is {found.reverses!r}, not {expected.reverses!r}"
    if expected.amount != found.amount:
        yield f"amount is {money(found.amount)}, not {money(expected.amount)}"


def _said(entry: Entry) -> str:
    transfer = entry.transfer
    return (
        f"{entry.direction} of {transfer.account_id(entry.direction)!r}, {money(transfer.amount)}"
    )
