"""Which entries of an interval are missing, told from all events and all entries; pure."""

from __future__ import annotations

import base64
import binascii
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
from stream_jobs.dedup_window import DedupWindow, met
from stream_jobs.event_rules import BY_HISTORY, MAX_REVERSALS, Rejection, judge
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
    """What a repair writes, and the ids whose entries contradict their events: those it cannot mend.

    `held` are reversals that fit, but came when the job had forgotten their transfer, or it them.
    """

    missing: tuple[Missing, ...]
    contradicting: tuple[str, ...]
    held: tuple[str, ...] = ()

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


def rejected_reversals(records: Iterable[Record]) -> frozenset[bytes]:
    """The reversals that the job rejected for their history, out of `transactions-rejected`."""
    found = set()
    for record in records:
        try:
            said = orjson.loads(record.value or b"")
            by_history = said["reason"] in BY_HISTORY
            payload = base64.b64decode(said["payload_base64"]) if by_history else None
            event = raw_transfer(payload, said["event_time_ms"]) if payload else None
        except (orjson.JSONDecodeError, binascii.Error, KeyError, TypeError):
            continue
        found.update([] if event is None else [event[0]])
    return frozenset(found)


class _Events:
    """The events of the ids that are incomplete, of the transfers that are undone, and of all that undo them."""

    def __init__(
        self,
        asked: Asked,
        written: Written,
        records: Iterable[Record],
        rejected: frozenset[bytes],
        window: DedupWindow,
    ) -> None:
        self.of: dict[bytes, dict[Transfer, str]] = {id_: {} for id_ in written.left}
        self.held: set[bytes] = set()
        self._written = written
        self._rejected = rejected
        self._window = window
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
        """By transfer the reversal that takes effect: as the entries have it, or as the audit says too.

        Those that fit and that the job holds are in `held` from now on.
        """
        rivals: dict[bytes, dict[bytes, int]] = {}
        for id_, events in self.of.items():
            for each in events:
                if each.reverses:
                    first_ms = rivals.setdefault(each.original, {})
                    first_ms[id_] = min(each.time_ms, first_ms.get(id_, each.time_ms))
        chosen = {}
        for original, first_ms in rivals.items():
            transfers_ms = [each.time_ms for each in self.of.get(original, ())]
            seen_ms = met(transfers_ms, first_ms.values(), self._window.surely_ms)
            fits = {i: at for i, at in first_ms.items() if self._undoes(i, original)}
            self.held |= {id_ for id_, at_ms in fits.items() if at_ms not in seen_ms}
            left = [(at_ms, id_) for id_, at_ms in fits.items() if at_ms in seen_ms]
            if left and len(first_ms) <= MAX_REVERSALS:
                chosen[original] = min(left)[1]
        return chosen | self._written.reversed

    def _undoes(self, id_: bytes, original: bytes) -> bool:
        if id_ in self._rejected:
            return False
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
    *,
    rejected: frozenset[bytes],
    window: DedupWindow,
) -> Plan:
    """What is missing of ids that are incomplete, out of all events there are.

    An event whose id came also outside of the interval is missing only where the audit says so too
    (rows.likeliest), so that two intervals never both repair it. A reversal is missing only if it takes effect: not if
    the job rejected it, or holds it since its transfer came a dedup window before or after.
    """
    events = _Events(asked, written, records, rejected, window)
    effective = events.take_effect()
    missing, contradicting, held = [], [], []
    for id_, entries in sorted(written.left.items()):
        fitting = [each for each in events.of[id_] if all(e.transfer == each for e in entries)]
        if not fitting or len(entries) > 1:
            contradicting.append(id_text(id_))
            continue
        transfer = likeliest(fitting)
        inside = start_ms <= transfer.time_ms < end_ms
        if transfer.reverses and effective.get(transfer.original) != id_:
            held += [id_text(id_)] if inside and id_ in events.held else []
            continue
        if inside:
            there = {entry.direction for entry in entries}
            sides_left = tuple(each for each in DIRECTIONS if each not in there)
            missing.append(Missing(id_text(id_), transfer, events.of[id_][transfer], sides_left))
    return Plan(tuple(missing), tuple(contradicting), tuple(held))
