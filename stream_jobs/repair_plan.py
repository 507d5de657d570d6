"""Which entries of an interval are missing, told from all events and all entries; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import orjson

from stream_jobs.audit.rows import (
    RECEIVED,
    SENT,
    Entry,
    Malformed,
    Transfer,
    id_text,
    identified,
    likeliest,
    parsed_entry,
    raw_transfer,
)
from stream_jobs.event_rules import MAX_REVERSALS, Rejection, judge
from stream_jobs.topic_reader import Record

DIRECTIONS: Final = (RECEIVED, SENT)


@dataclass(frozen=True, slots=True)
class Missing:
    """The sides of one event that have no entry; `amount` as it was sent, of a reversal with a minus."""

    transaction_id: str
    transfer: Transfer
    amount: str
    directions: tuple[str, ...]

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Key and value of each entry, exactly as the job writes them."""
        for direction in self.directions:
            value = {
                "account_id": self.transfer.account_id(direction),
                "counterparty_id": self.transfer.counterparty_id(direction),
                "direction": direction,
                "transaction_id": self.transaction_id,
                "amount": self.amount,
                "event_time_ms": self.transfer.time_ms,
                "kind": self.transfer.kind,
                "reverses": self.transfer.reverses or None,
            }
            yield self.transfer.account_id(direction), orjson.dumps(value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a repair writes, and the ids whose entries contradict their events: those it cannot mend."""

    missing: tuple[Missing, ...]
    contradicting: tuple[str, ...]

    @property
    def entries(self) -> int:
        return sum(len(each.directions) for each in self.missing)

    @property
    def amount(self) -> int:
        """Of the missing entries, in units of 10^-8."""
        return sum(each.transfer.amount * len(each.directions) for each in self.missing)


@dataclass(frozen=True, slots=True)
class Asked:
    """The ids of which an event lies in an interval, and the transfers that reversals among them undo."""

    ids: frozenset[bytes]
    originals: frozenset[bytes]


@dataclass(slots=True)
class Written:
    """Of the ids asked for, those without both entries, with the entry that they have.

    `contents` has what the entries say of the transfers that are undone, `reversed` which of them are.
    """

    left: dict[bytes, tuple[Entry, ...]]
    contents: dict[bytes, int] = field(default_factory=dict)
    reversed: dict[bytes, bytes] = field(default_factory=dict)


def ids_between(records: Iterable[Record], start_ms: int, end_ms: int) -> Asked:
    """The ids of which an event that keeps the rules lies in the interval."""
    ids, originals = set(), set()
    for record in records:
        if start_ms <= record.time_ms < end_ms:
            found = raw_transfer(record.value, record.time_ms)
            if found is not None:
                ids.add(found[0])
                originals.update([found[1].original] if found[1].reverses else [])
    return Asked(frozenset(ids), frozenset(originals))


def incomplete(asked: Asked, records: Iterable[Record]) -> Written:
    """What the entries have of the ids asked for."""
    written = Written(dict.fromkeys(asked.ids, ()))
    for record in records:
        parsed = parsed_entry(record.value, record.partition, 0, record.time_ms)
        if isinstance(parsed, Malformed):
            continue
        id_, entry = parsed
        if id_ in asked.originals:
            written.contents[id_] = entry.transfer.content
        if entry.transfer.reverses:
            written.reversed[entry.transfer.original] = id_
        if id_ not in written.left:
            continue
        if any(each.direction != entry.direction for each in written.left[id_]):
            del written.left[id_]
        else:
            written.left[id_] = (*written.left[id_], entry)
    return written


class _Events:
    """The events of the ids that are incomplete, of the transfers that are undone, and of all that undo them."""

    def __init__(self, asked: Asked, written: Written, records: Iterable[Record]) -> None:
        self.of: dict[bytes, dict[Transfer, str]] = {id_: {} for id_ in written.left}
        self._written = written
        for record in records if written.left else ():
            event = judge(record.value, record.time_ms)
            if isinstance(event, Rejection):
                continue
            id_, transfer = identified(event, record.time_ms)
            undoes = bool(transfer.reverses) and transfer.original in asked.originals
            if id_ in self.of or id_ in asked.originals or undoes:
                sign = "-" if transfer.reverses else ""
                self.of.setdefault(id_, {}).setdefault(transfer, sign + event.amount)

    def take_effect(self) -> dict[bytes, bytes]:
        """By transfer the reversal that takes effect: as the entries have it, or as the audit says too."""
        rivals: dict[bytes, list[tuple[int, bytes]]] = {}
        for id_, events in self.of.items():
            for each in events:
                if each.reverses:
                    rivals.setdefault(each.original, []).append((each.time_ms, id_))
        chosen = {}
        for original, all_ in rivals.items():
            fits = [(at_ms, id_) for at_ms, id_ in all_ if self._undoes(id_, original)]
            if fits and len({id_ for _, id_ in all_}) <= MAX_REVERSALS:
                chosen[original] = min(fits)[1]
        return chosen | self._written.reversed

    def _undoes(self, id_: bytes, original: bytes) -> bool:
        content = self._written.contents.get(original)
        if content is None and self.of.get(original):
            content = likeliest(self.of[original]).content
        return any(each.original == original and each.undone == content for each in self.of[id_])


def plan(
    asked: Asked,
    written: Written,
    records: Iterable[Record],
    start_ms: int,
    end_ms: int,
) -> Plan:
    """What is missing of ids that are incomplete, out of all events there are.

    An event whose id came also outside of the interval is missing only where the audit says so too
    (rows.likeliest), so that two intervals never both repair it. A reversal is missing only if it takes effect.
    """
    events = _Events(asked, written, records)
    effective = events.take_effect()
    missing, contradicting = [], []
    for id_, entries in sorted(written.left.items()):
        fitting = [each for each in events.of[id_] if all(e.transfer == each for e in entries)]
        if not fitting or len(entries) > 1:
            contradicting.append(id_text(id_))
            continue
        transfer = likeliest(fitting)
        if transfer.reverses and effective.get(transfer.original) != id_:
            continue
        if start_ms <= transfer.time_ms < end_ms:
            there = {entry.direction for entry in entries}
            sides_left = tuple(each for each in DIRECTIONS if each not in there)
            missing.append(Missing(id_text(id_), transfer, events.of[id_][transfer], sides_left))
    return Plan(tuple(missing), tuple(contradicting))
