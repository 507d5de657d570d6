"""Which entries of an interval are missing, told from all events and all entries; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from stream_jobs.audit.rows import (
    RECEIVED,
    SENT,
    Entry,
    Malformed,
    Transfer,
    id_bytes,
    id_text,
    likeliest,
    parsed_entry,
)
from stream_jobs.event_rules import Rejection, judge
from stream_jobs.recount import scaled
from stream_jobs.topic_reader import Record

DIRECTIONS: Final = (RECEIVED, SENT)


@dataclass(frozen=True, slots=True)
class Missing:
    """The sides of one event that have no entry; `amount` digit for digit as it was sent."""

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


def ids_between(records: Iterable[Record], start_ms: int, end_ms: int) -> set[bytes]:
    """The ids of which an event that keeps the rules lies in the interval."""
    found = set()
    for record in records:
        if start_ms <= record.time_ms < end_ms:
            event = judge(record.value, record.time_ms)
            if not isinstance(event, Rejection):
                found.add(id_bytes(event.transaction_id))
    return found


def incomplete(ids: Iterable[bytes], records: Iterable[Record]) -> dict[bytes, tuple[Entry, ...]]:
    """Of these ids those without both entries, with the entry that they have."""
    left: dict[bytes, tuple[Entry, ...]] = dict.fromkeys(ids, ())
    for record in records:
        parsed = parsed_entry(record.value, record.partition, 0, record.time_ms)
        if isinstance(parsed, Malformed) or parsed[0] not in left:
            continue
        id_, entry = parsed
        if any(each.direction != entry.direction for each in left[id_]):
            del left[id_]
        else:
            left[id_] = (*left[id_], entry)
    return left


def plan(
    left: Mapping[bytes, tuple[Entry, ...]],
    records: Iterable[Record],
    start_ms: int,
    end_ms: int,
) -> Plan:
    """What is missing of ids that are incomplete, out of all events there are.

    An event whose id came also outside of the interval is missing only where the audit says so too
    (rows.likeliest), so that two intervals never both repair it.
    """
    events: dict[bytes, dict[Transfer, str]] = {id_: {} for id_ in left}
    for record in records if left else ():
        event = judge(record.value, record.time_ms)
        if isinstance(event, Rejection) or (id_ := id_bytes(event.transaction_id)) not in events:
            continue
        sides = (event.from_account_id, event.to_account_id)
        transfer = Transfer(*sides, scaled(event.amount), record.time_ms)
        events[id_].setdefault(transfer, event.amount)
    missing, contradicting = [], []
    for id_, entries in sorted(left.items()):
        fitting = [each for each in events[id_] if all(e.transfer == each for e in entries)]
        if not fitting or len(entries) > 1:
            contradicting.append(id_text(id_))
            continue
        transfer = likeliest(fitting)
        if start_ms <= transfer.time_ms < end_ms:
            there = {entry.direction for entry in entries}
            sides_left = tuple(each for each in DIRECTIONS if each not in there)
            missing.append(Missing(id_text(id_), transfer, events[id_][transfer], sides_left))
    return Plan(tuple(missing), tuple(contradicting))
