"""Corruptions planted among the entries and in Pinot's rows, one of every kind at a time."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stream_jobs.audit.intervals import start_of
from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.readers import Record
from stream_jobs.audit.rows import Transfer, id_text, is_reversal, money, raw_transfer
from stream_jobs.murmur2 import kafka_partition
from stream_jobs.recount import scaled
from tests.audit_tiers import TOPICS, MemoryTiers, bodies

ELSEWHERE = b"elsewhere"
NOWHERE = Record("", 0, 0, 0, None, None)
_Entry = tuple[Record, dict[str, Any]]
"""A record and what it says."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One corruption: its kind, and the interval or the id by which a finding is known to be of it."""

    name: str
    interval_ms: int
    transaction_id: str


class Damage:
    """Plants corruptions into copies of a sound run's intervals, each into another event."""

    def __init__(self, tiers: MemoryTiers, chance: random.Random) -> None:
        self._tiers = tiers
        self._chance = chance
        entries = [(r, _body(r)) for log in tiers.logs[TOPICS.entries] for r in log]
        chance.shuffle(entries)
        self._all = entries
        self._transfers = [each for each in entries if each[1]["kind"] == "TRANSFER"]
        self._without_effect = _without_effect(
            tiers, {body["transaction_id"] for _, body in entries}
        )
        # If one of two reversals of a transfer is lost and the other one counted, nothing is wrong.
        twice = {event.reverses for some in self._without_effect.values() for _, event in some}
        reversals = (each for each in entries if each[1]["kind"] == "REVERSAL")
        self._reversals = [each for each in reversals if each[1]["reverses"] not in twice]
        self._spoilt: set[str] = set()
        self._gone: set[tuple[int, int]] = set()
        self._added: list[tuple[Record, dict[str, Any]]] = []
        self.intervals: set[int] = set()

    @property
    def ids(self) -> set[str]:
        """Ids that something was done to."""
        return self._spoilt

    def entries(self) -> list[Planted]:
        """One of each kind that the entries can have."""
        kinds: dict[str, Callable[[Record, dict[str, Any]], None]] = {
            "entry lost": lambda record, _: self._remove(record),
            "entry doubled": self._add,
            "amount changed": lambda r, body: self._replace(r, body, amount="0.00000001"),
            "one minor unit more": lambda r, body: self._replace(
                r, body, amount=money(scaled(body["amount"]) + 1)
            ),
            "counterparty changed": lambda r, body: self._replace(r, body, counterparty_id="x"),
            "account changed": lambda r, body: self._replace(r, body, account_id="y"),
            "accounts swapped": lambda r, body: self._replace(
                r, body, account_id=body["counterparty_id"], counterparty_id=body["account_id"]
            ),
            "direction turned": lambda r, body: self._replace(
                r, body, direction="SENT" if body["direction"] == "RECEIVED" else "RECEIVED"
            ),
            "moved to another interval": lambda r, body: self._replace(
                r, body, event_time_ms=body["event_time_ms"] + 60_000
            ),
            "moved by a millisecond": lambda r, body: self._replace(
                r, body, event_time_ms=body["event_time_ms"] ^ 1
            ),
            "id nobody sent": lambda r, body: self._add(r, body | {"transaction_id": self._id()}),
            "again with another amount": lambda r, body: self._add(r, {**body, "amount": "7"}),
            "in another partition": self._elsewhere,
            "turned into a reversal": lambda r, body: self._replace(
                *(r, body), amount=f"-{body['amount']}", kind="REVERSAL", reverses=self._id()
            ),
        }
        planted = []
        for name, plant in kinds.items():
            record, body = self._next(self._transfers)
            plant(record, body)
            planted.append(_planted(name, body if name != "id nobody sent" else self._added[-1][1]))
        lost = self._next(self._transfers)[1]
        self._lose_event(lost)
        planted.append(_planted("event lost", lost))
        return planted + self._reversed()

    def _reversed(self) -> list[Planted]:
        """One of each kind that the entries of reversals can have."""
        kinds: dict[str, Callable[[Record, dict[str, Any]], None]] = {
            "reversal lost": lambda _, body: self._lose_event(body),
            "reversal's entry lost": lambda r, _: self._remove(r),
            "reversal's entry doubled": self._add,
            "reversal's amount changed": lambda r, body: self._replace(
                r, body, amount="-0.00000001"
            ),
            "reversal without its sign": lambda r, body: self._replace(
                r, body, amount=body["amount"].removeprefix("-")
            ),
            "reversal of another transfer": lambda r, body: self._replace(
                r, body, reverses=self._id()
            ),
            "reversal turned into a transfer": lambda r, body: self._replace(
                r, body, amount=body["amount"].removeprefix("-"), kind="TRANSFER", reverses=None
            ),
        }
        planted = []
        for name, plant in kinds.items():
            record, body = self._next(self._reversals)
            plant(record, body)
            planted.append(_planted(name, body))
        for name, events in self._without_effect.items():
            id_, event = events.pop()
            entries = bodies(id_, event)
            self._spoilt |= {id_text(id_), event.reverses}
            for entry in entries:
                self._add(NOWHERE, entry)
            planted.append(_planted(name, entries[0] | {"transaction_id": self._later(id_, event)}))
        return planted

    def _later(self, id_: bytes, event: Transfer) -> str:
        """Of two reversals in effect for one transfer the later is told, whichever the job took."""
        of_one = [
            (body["event_time_ms"], body["transaction_id"])
            for _, body in self._all
            if body["reverses"] == event.reverses
        ]
        self._spoilt |= {other for _, other in of_one}
        _, later = max([*of_one, (event.time_ms, id_text(id_))])
        return str(later)

    def carry_out(self, garbage_ms: int) -> None:
        """Rewrite the topic as planted, with the offsets of a log; one record more is no entry."""
        for partition, log in enumerate(self._tiers.logs[TOPICS.entries]):
            kept = [r for r in log if (partition, r.offset) not in self._gone]
            self._tiers.logs[TOPICS.entries][partition] = [
                record._replace(offset=offset) for offset, record in enumerate(kept)
            ]
        for record, body in self._added:
            key = body["account_id"].encode()
            where = record.partition if record.key == ELSEWHERE else self._home(body)
            value = json.dumps(body).encode()
            self._tiers.append(TOPICS.entries, where, 1, value, key)
        self._tiers.append(TOPICS.entries, 0, garbage_ms, b"{", b"k")
        self.intervals.add(start_of(garbage_ms))

    def _home(self, body: dict[str, Any]) -> int:
        return kafka_partition(body["account_id"], self._tiers.partitions)

    def pinot(self) -> list[Planted]:
        """One of each kind that Pinot can have; the entries stay sound."""
        changes: dict[str, Callable[[Row], Row | None]] = {
            "row lost": lambda row: None,
            "row doubled": lambda row: row,
            "row's amount changed": lambda row: row._replace(amount=row.amount + 1),
            "row's counterparty changed": lambda row: row._replace(counterparty_id="x"),
            "row's account changed": lambda row: row._replace(account_id="y"),
            "row's id changed": lambda row: row._replace(transaction_id=self._id()),
            "row's direction turned": lambda row: row._replace(
                direction="SENT" if row.direction == "RECEIVED" else "RECEIVED"
            ),
            "row moved by a millisecond": lambda row: row._replace(time_ms=row.time_ms ^ 1),
            "row's kind turned": lambda row: row._replace(kind="REVERSAL"),
            "row reverses another": lambda row: row._replace(reverses=self._id()),
            "row of a strange segment": lambda row: row._replace(partition=-1),
        }
        planted = []
        for name, change in changes.items():
            _, body = self._next(self._transfers)
            interval_ms = start_of(body["event_time_ms"])
            rows = self._tiers.pinot[interval_ms]
            row = next(
                r
                for r in rows
                if (r.transaction_id, r.direction) == (body["transaction_id"], body["direction"])
            )
            changed = change(row)
            if changed != row:
                rows[row] -= 1
                self._tiers.pinot[interval_ms] = rows = +rows
            if changed is not None:
                rows[changed] += 1
            planted.append(_planted(name, body))
        planted.append(self._swapped_rows())
        return planted

    def _next(self, entries: list[_Entry]) -> _Entry:
        while True:
            record, body = entries.pop()
            # Turning a transfer to oneself around changes nothing.
            fit = body["account_id"] != body["counterparty_id"]
            if fit and body["transaction_id"] not in self._spoilt:
                self._spoilt.add(body["transaction_id"])
                self.intervals.add(start_of(body["event_time_ms"]))
                return record, body

    def _id(self) -> str:
        made = str(uuid.UUID(int=self._chance.getrandbits(128)))
        self._spoilt.add(made)
        return made

    def _remove(self, record: Record) -> None:
        self._gone.add((record.partition, record.offset))

    def _add(self, record: Record, body: dict[str, Any]) -> None:
        self._added.append((record, body))
        self.intervals.add(start_of(body["event_time_ms"]))

    def _replace(self, record: Record, body: dict[str, Any], **changes: Any) -> None:
        self._remove(record)
        changed = {**body, **changes}
        self._add(record, changed)

    def _elsewhere(self, record: Record, body: dict[str, Any]) -> None:
        self._remove(record)
        other = (record.partition + 1) % self._tiers.partitions
        self._add(record._replace(partition=other, key=ELSEWHERE), body)

    def _lose_event(self, body: dict[str, Any]) -> None:
        for record, other in self._all:
            if other["transaction_id"] == body["transaction_id"]:
                self._remove(record)

    def _swapped_rows(self) -> Planted:
        _, body = self._next(self._transfers)
        interval_ms = start_of(body["event_time_ms"])
        rows = self._tiers.pinot[interval_ms]
        some = sorted(r for r in rows if r.transaction_id not in self._spoilt and rows[r] == 1)
        one = some[0]
        other = next(r for r in some if r.amount != one.amount and r.direction == one.direction)
        rows.subtract([one, other])
        self._tiers.pinot[interval_ms] = rows = +rows
        rows.update([one._replace(amount=other.amount), other._replace(amount=one.amount)])
        self._spoilt |= {one.transaction_id, other.transaction_id}
        return Planted("two amounts swapped", interval_ms, one.transaction_id)


def _body(record: Record) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(record.value or b"")
    return body


def _planted(name: str, body: dict[str, Any]) -> Planted:
    return Planted(name, start_of(body["event_time_ms"]), body["transaction_id"])


def _without_effect(
    tiers: MemoryTiers, counted: set[str]
) -> dict[str, list[tuple[bytes, Transfer]]]:
    """The reversals that rightly left no entries, by what is wrong if they leave some."""
    found: dict[str, list[tuple[bytes, Transfer]]] = {
        "reversal of nothing counted": [],
        "differing reversal counted": [],
        "second reversal counted": [],
    }
    raw = (raw_transfer(r.value, r.time_ms) for log in tiers.logs[TOPICS.raw] for r in log)
    events = {each[0]: each[1] for each in raw if each}
    nothing, differing, second = found.values()
    for id_, event in events.items():
        if not is_reversal(id_) or id_text(id_) in counted:
            continue
        original = events.get(event.original)
        if original is None:
            nothing.append((id_, event))
        else:
            (second if original.content == event.undone else differing).append((id_, event))
    return found
