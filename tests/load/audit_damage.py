"""Corruptions planted among the outcomes and in Pinot's rows, some of every kind at a time."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stream_jobs.audit.outcomes import Source, source_of
from stream_jobs.audit.readers import Record
from stream_jobs.audit.sums import Row
from stream_jobs.events.entries import entry_values
from stream_jobs.events.money import scaled, unscaled
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.topics.murmur2 import kafka_partition
from tests.audit_tiers import ENTRIES, RAW, REJECTED, UNCOUNTED, MemoryKafka, MemoryPinot

ROWS_OF_A_HOLE = 5


@dataclass(frozen=True, slots=True)
class Planted:
    """One corruption: its kind, and the raw record or the id by which a finding is known to be of it."""

    name: str
    source: Source
    transaction_id: str


class Damage:
    """Plants corruptions into a sound run, each into another raw record."""

    def __init__(self, kafka: MemoryKafka, chance: random.Random) -> None:
        self._kafka = kafka
        self._chance = chance
        self._outcomes: dict[Source, list[Record]] = {}
        for topic in (ENTRIES, REJECTED, UNCOUNTED):
            for record in (record for log in kafka.logs[topic] for record in log):
                source = source_of(record.value)
                assert source is not None  # the run is sound
                self._outcomes.setdefault(source, []).append(record)
        self._events = {
            (r.partition, r.offset): judge(r.value, r.time_ms)
            for log in kafka.logs[RAW]
            for r in log
        }
        self._gone: set[tuple[str, int, int]] = set()
        self._added: list[tuple[str, int, bytes, bytes | None]] = []
        self.spoilt: set[Source] = set()
        self.ids: set[str] = set()
        self._spoil_twins()

    def outcomes(self) -> list[Planted]:
        """One of each kind that the outcomes can have."""
        entry: dict[str, Callable[[Record, dict[str, Any]], None]] = {
            "entry lost": lambda record, _: self._remove(record),
            "entry doubled": lambda record, body: self._add(body),
            "amount changed": lambda r, body: self._replace(r, body, amount="0.00000001"),
            "one minor unit more": lambda r, body: self._replace(
                r, body, amount=unscaled(scaled(body["amount"]) + 1)
            ),
            "counterparty changed": lambda r, body: self._replace(r, body, counterparty_id="x"),
            "account changed": lambda r, body: self._replace(r, body, account_id="y"),
            "accounts swapped": lambda r, body: self._replace(
                r, body, account_id=body["counterparty_id"], counterparty_id=body["account_id"]
            ),
            "direction turned": lambda r, body: self._replace(r, body, direction=_other(body)),
            "moved by a millisecond": lambda r, body: self._replace(
                r, body, event_time_ms=body["event_time_ms"] ^ 1
            ),
            "id nobody sent": lambda r, body: self._add(body | {"transaction_id": self._id()}),
            "again with another amount": lambda r, body: self._add({**body, "amount": "7"}),
            "in another partition": self._elsewhere,
            "turned into a reversal": lambda r, body: self._replace(
                r, body, amount=f"-{body['amount']}", kind="REVERSAL", reverses=self._id()
            ),
            "of an offset that is another's": lambda r, body: self._replace(
                r, body, kafka_offset=self._pick_source(TransactionEvent)[1]
            ),
            "of an offset that is not yet": lambda r, body: self._replace(
                r, body, kafka_offset=10**12
            ),
            "of no offset": lambda r, body: self._replace(r, body, kafka_offset=None),
        }
        planted = []
        for name, plant in entry.items():
            source = self._pick_source(TransactionEvent, counted=True)
            record = self._chance.choice(self._outcomes[source])
            plant(record, json.loads(record.value or b""))
            planted.append(self._planted(name, source))
        return planted + self._whole_outcomes() + self._of_reversals()

    def _whole_outcomes(self) -> list[Planted]:
        plants: dict[str, tuple[type, bool, Callable[[Source], None]]] = {
            "event lost": (TransactionEvent, True, self._remove_all),
            "offset skipped: a duplicate": (TransactionEvent, False, self._remove_all),
            "offset skipped: a rejection": (Rejection, False, self._remove_all),
            "duplicate told of what counted": (TransactionEvent, True, self._call_duplicate),
            "first called a duplicate": (TransactionEvent, True, self._only_duplicate),
            "duplicate counted": (TransactionEvent, False, self._count_instead),
            "duplicate told twice": (TransactionEvent, False, self._call_duplicate),
            "rejection doubled": (Rejection, False, self._again),
            "rejection with another reason": (Rejection, False, self._for_no_reason),
            "rejected without a fault": (TransactionEvent, True, self._reject_instead),
        }
        planted = []
        for name, (kind, counted, plant) in plants.items():
            source = self._pick_source(kind, counted=counted)
            plant(source)
            planted.append(self._planted(name, source))
        return planted

    def _of_reversals(self) -> list[Planted]:
        plants: dict[str, tuple[str, Callable[[Source], None]]] = {
            "reversal lost": ("COUNTED", self._remove_all),
            "reversal's entry lost": ("COUNTED", lambda s: self._remove(self._outcomes[s][0])),
            "reversal's entry doubled": ("COUNTED", self._again),
            "reversal held for ever": ("COUNTED", self._hold),
            "held reversal not told": ("HELD", self._remove_all),
            "reversal of nothing counted": ("HELD", self._count_instead),
            "reversal without effect counted": ("REJECTED", self._count_instead),
        }
        planted = []
        for name, (outcome, plant) in plants.items():
            source = self._pick_reversal(outcome)
            plant(source)
            planted.append(self._planted(name, source))
        return planted

    def carry_out(self) -> None:
        """Rewrite the outcomes' topics as planted, with the offsets of a log."""
        for topic in (ENTRIES, REJECTED, UNCOUNTED):
            for partition, log in enumerate(self._kafka.logs[topic]):
                kept = [r for r in log if (topic, partition, r.offset) not in self._gone]
                self._kafka.logs[topic][partition] = [
                    record._replace(offset=offset) for offset, record in enumerate(kept)
                ]
        for topic, partition, value, key in self._added:
            self._kafka.append(topic, partition, 1, value, key)

    def pinot(self, pinot: MemoryPinot) -> list[Planted]:
        """One of each kind that Pinot can have; the outcomes stay sound."""
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
            "row of another raw record": lambda row: row._replace(offset=row.offset + 1),
            "row of another raw partition": lambda row: row._replace(partition=row.partition ^ 1),
        }
        planted = []
        for name, change in changes.items():
            row = self._pick_row(pinot)
            changed = change(row)
            if changed != row:
                del pinot.rows_[row]
            if changed is not None:
                pinot.rows_[changed] += 1
            planted.append(self._planted(name, (row.partition, row.offset)))
        return [*planted, *self._hole(pinot), self._swapped(pinot)]

    def _hole(self, pinot: MemoryPinot) -> list[Planted]:
        """Some neighbouring rows that are gone together, as of a segment."""
        rows = [self._pick_row(pinot) for _ in range(ROWS_OF_A_HOLE)]
        for row in rows:
            del pinot.rows_[row]
        return [self._planted("row of a hole", (row.partition, row.offset)) for row in rows]

    def _swapped(self, pinot: MemoryPinot) -> Planted:
        one, other = self._pick_row(pinot), self._pick_row(pinot)
        while other.amount == one.amount or other.direction != one.direction:
            other = self._pick_row(pinot)
        for row, amount in ((one, other.amount), (other, one.amount)):
            del pinot.rows_[row]
            pinot.rows_[row._replace(amount=amount)] += 1
        return self._planted("two amounts swapped", (one.partition, one.offset))

    def _pick_row(self, pinot: MemoryPinot) -> Row:
        rows = [r for r in pinot.rows_ if (r.partition, r.offset) not in self.spoilt]
        row = self._chance.choice(sorted(rows))
        if row.account_id == row.counterparty_id or row.kind != "TRANSFER":
            self.spoilt.add((row.partition, row.offset))
            return self._pick_row(pinot)
        self._spoil((row.partition, row.offset))
        return row

    def _pick_source(self, kind: type, *, counted: bool = True) -> Source:
        fit = [
            source
            for source, event in self._events.items()
            if isinstance(event, kind)
            and source not in self.spoilt
            and (isinstance(event, Rejection) or (event.reverses is None and _is_plain(event)))
            and (kind is Rejection or (self._outcome_of(source) == "COUNTED") == counted)
        ]
        return self._spoil(self._chance.choice(fit))

    def _pick_reversal(self, outcome: str) -> Source:
        fit = [
            source
            for source, event in self._events.items()
            if isinstance(event, TransactionEvent)
            and event.reverses is not None
            and source not in self.spoilt
            and self._outcome_of(source) == outcome
        ]
        return self._spoil(self._chance.choice(fit))

    def _outcome_of(self, source: Source) -> str:
        """What became of a raw record in the end."""
        outcomes = self._outcomes[source]
        if any(record.topic == ENTRIES for record in outcomes):
            return "COUNTED"
        if any(record.topic == REJECTED for record in outcomes):
            return "REJECTED"
        return str(json.loads(outcomes[0].value or b"")["outcome"])

    def _spoil(self, source: Source) -> Source:
        """Nothing else is done to the record, nor to those of its id or that have to do with it."""
        event = self._events[source]
        if isinstance(event, TransactionEvent):
            about = {event.transaction_id, event.reverses or ""} - {""}
            self.ids |= about
            self.spoilt |= {s for s, other in self._events.items() if _about(other) & about}
        self.spoilt.add(source)
        return source

    def _spoil_twins(self) -> None:
        """If one of two reversals of a transfer is lost and the other one counted, something else is wrong."""
        seen: dict[str, Source] = {}
        for source, event in self._events.items():
            if isinstance(event, TransactionEvent) and event.reverses is not None:
                twin = seen.setdefault(event.reverses, source)
                # Those without effect are wanted, those that have one beside them are not.
                if twin != source:
                    self.spoilt |= {s for s in (twin, source) if self._outcome_of(s) == "COUNTED"}

    def _remove(self, record: Record) -> None:
        self._gone.add((record.topic, record.partition, record.offset))

    def _remove_all(self, source: Source) -> None:
        for record in self._outcomes[source]:
            self._remove(record)

    def _add(self, body: dict[str, Any], partition: int | None = None) -> None:
        account = str(body["account_id"])
        home = kafka_partition(account, self._kafka.partitions) if partition is None else partition
        value = json.dumps(body, separators=(",", ":")).encode()
        self._added.append((ENTRIES, home, value, account.encode()))

    def _replace(self, record: Record, body: dict[str, Any], **changes: Any) -> None:
        self._remove(record)
        self._add({**body, **changes})

    def _elsewhere(self, record: Record, body: dict[str, Any]) -> None:
        self._remove(record)
        self._add(body, (record.partition + 1) % self._kafka.partitions)

    def _again(self, source: Source) -> None:
        record = self._chance.choice(self._outcomes[source])
        self._added.append((record.topic, record.partition, record.value or b"", record.key))

    def _tell(self, source: Source, outcome: str) -> None:
        event = self._events[source]
        id_ = event.transaction_id if isinstance(event, TransactionEvent) else ""
        where = {"kafka_partition": source[0], "kafka_offset": source[1]}
        body = {"outcome": outcome, "transaction_id": id_, **where}
        value = json.dumps(body, separators=(",", ":")).encode()
        self._added.append((UNCOUNTED, source[0], value, None))

    def _call_duplicate(self, source: Source) -> None:
        self._tell(source, "DUPLICATE")

    def _only_duplicate(self, source: Source) -> None:
        self._remove_all(source)
        self._tell(source, "DUPLICATE")

    def _hold(self, source: Source) -> None:
        self._remove_all(source)
        self._tell(source, "HELD")

    def _count_instead(self, source: Source) -> None:
        event = self._events[source]
        assert isinstance(event, TransactionEvent)  # nothing else is picked for it
        self._remove_all(source)
        for value in entry_values(event, *source):
            self._add(json.loads(value))

    def _reject_instead(self, source: Source) -> None:
        self._remove_all(source)
        self._reject(source, "AMOUNT_MALFORMED")

    def _for_no_reason(self, source: Source) -> None:
        self._remove_all(source)
        self._reject(source, "NO_SUCH_REASON")

    def _reject(self, source: Source, reason: str) -> None:
        where = {"kafka_partition": source[0], "kafka_offset": source[1]}
        value = json.dumps({"reason": reason, "payload_base64": "", **where}).encode()
        self._added.append((REJECTED, source[0], value, None))

    def _id(self) -> str:
        made = str(uuid.UUID(int=self._chance.getrandbits(128)))
        self.ids.add(made)
        return made

    def _planted(self, name: str, source: Source) -> Planted:
        event = self._events[source]
        return Planted(
            name, source, event.transaction_id if isinstance(event, TransactionEvent) else ""
        )


def _about(event: TransactionEvent | Rejection) -> set[str]:
    if isinstance(event, Rejection):
        return set()
    return {event.transaction_id, event.reverses or ""} - {""}


def _is_plain(event: TransactionEvent) -> bool:
    # Turning a transfer to oneself around changes nothing.
    return event.from_account_id != event.to_account_id


def _other(body: dict[str, Any]) -> str:
    return "SENT" if body["direction"] == "RECEIVED" else "RECEIVED"


def known_by(planted: Iterable[Planted]) -> set[Source]:
    """The raw records that something was done to."""
    return {each.source for each in planted}
