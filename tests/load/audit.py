"""The audit judged: corruptions of every kind planted, found or not; and what an event costs it."""

from __future__ import annotations

import argparse
import json
import logging
import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_jobs.audit.intervals import Cell, Sums, start_of
from stream_jobs.audit.pinot_tier import Row
from stream_jobs.audit.readers import Record
from stream_jobs.murmur2 import kafka_partition
from tests.audit_tiers import TOPICS, Bench, MemoryTiers, count_events, fill
from tests.load.events import events

BEGIN_MS = 1_795_000_000_000
RATE = 10_000
ELSEWHERE = b"elsewhere"
EVENTS_A_RUN = 4_000


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
        self._records = [record for log in tiers.logs[TOPICS.entries] for record in log]
        chance.shuffle(self._records)
        self._spoilt: set[str] = set()
        self._gone: set[tuple[int, int]] = set()
        self._added: list[tuple[Record, dict[str, Any]]] = []
        self.intervals: set[int] = {BEGIN_MS}

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
                r, body, amount=f"{body['amount']}00000001"
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
        }
        planted = []
        for name, plant in kinds.items():
            record, body = self._next()
            plant(record, body)
            told_of = body if name != "id nobody sent" else self._added[-1][1]
            id_ = told_of["transaction_id"]
            planted.append(Planted(name, start_of(body["event_time_ms"]), id_))
        planted.append(self._lost_event())
        return planted

    def carry_out(self) -> None:
        """Rewrite the topic as planted, with the offsets of a log."""
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
        self._tiers.append(TOPICS.entries, 0, BEGIN_MS, b"{", b"k")

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
            "row of a strange segment": lambda row: row._replace(partition=-1),
        }
        planted = []
        for name, change in changes.items():
            _, body = self._next()
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
            planted.append(Planted(name, interval_ms, body["transaction_id"]))
        planted.append(self._swapped_rows())
        return planted

    def _next(self) -> tuple[Record, dict[str, Any]]:
        while True:
            record = self._records.pop()
            body = json.loads(record.value or b"")
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

    def _lost_event(self) -> Planted:
        _, body = self._next()
        for partition, log in enumerate(self._tiers.logs[TOPICS.entries]):
            for record in log:
                if body["transaction_id"].encode() in (record.value or b""):
                    self._gone.add((partition, record.offset))
        return Planted("event lost", start_of(body["event_time_ms"]), body["transaction_id"])

    def _swapped_rows(self) -> Planted:
        _, body = self._next()
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


def measure(arguments: list[str]) -> dict[str, Any]:
    """Corruptions planted into copies of a generated run, and the cost of an event.

    The audit's own code runs whole: parsing, matching, the state file, comparison. In memory are the three tiers
    that it reads; how long it takes on the real ones is in tests/integration/test_audit.py.
    """
    parser = argparse.ArgumentParser(prog="./dev bench audit", description=measure.__doc__)
    parser.add_argument("--corruptions", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=300_000, help="of the cost's measurement")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    options = parser.parse_args(arguments)
    logging.getLogger("audit").setLevel(logging.CRITICAL)
    return {
        "seed": options.seed,
        **_power(options.corruptions, options.seed),
        **_cost(options.events, options.seed),
    }


def _power(wanted: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    planted: Counter[str] = Counter()
    checks: Counter[int] = Counter()
    missed: list[str] = []
    false: list[str] = []
    while planted.total() < wanted:
        tiers = _sound(EVENTS_A_RUN, chance.getrandbits(31))
        damage = Damage(tiers, chance)
        mine = [each for _ in range(5) for each in damage.entries()]
        damage.carry_out()
        tiers.serve()
        mine += [each for _ in range(3) for each in damage.pinot()]
        told = _told(tiers)
        for each in mine:
            planted[each.name] += 1
            if each.transaction_id in told:
                checks[told[each.transaction_id]] += 1
            else:
                missed.append(each.name)
        fine = damage.ids | {str(start) for start in damage.intervals}
        false += [key for key in told if key not in fine]
    clean = _sound(50_000, seed)
    clean.serve()
    false += _told(clean)
    return {
        "planted": planted.total(),
        "kinds": dict(sorted(planted.items())),
        "found": planted.total() - len(missed),
        "missed": missed[:20],
        "false_alarms": len(false),
        "first_false_alarms": false[:5],
        "checks_until_told": dict(sorted(checks.items())),
    }


def _sound(count: int, seed: int) -> MemoryTiers:
    """Some minutes of events and their entries."""
    tiers = MemoryTiers()
    made = events(count, seed)
    fill(tiers, ((value, BEGIN_MS + number * 30) for number, value in enumerate(made)))
    count_events(tiers)
    return tiers


def _told(tiers: MemoryTiers) -> dict[str, int]:
    """After how many checks each id, or each interval without ids, was told as wrong."""
    told: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tiers, Path(folder) / "audit.sqlite3", BEGIN_MS + 3_600_000)
        for check in range(1, 5):
            bench.check()
            for each in bench.state.findings.mismatches(10**6, 10**6):
                for key in each.transaction_ids or (str(each.interval_ms),):
                    told.setdefault(key, check)
        bench.state.close()
    return told


class _Agreeing(MemoryTiers):
    """A Pinot that has what the audit has, so that only the audit's own work is measured."""

    bench: Bench

    def sums(self, start_ms: int, end_ms: int) -> dict[Cell, Sums]:
        cells = self.bench.state.intervals.cells(start_ms, end_ms)
        return {cell: tiers.entries for cell, tiers in cells.items() if tiers.entries.rows}

    def hours(self) -> dict[tuple[int, str], tuple[int, int]]:
        return self.bench.state.intervals.hours(0)[0]


def _cost(count: int, seed: int) -> dict[str, Any]:
    """CPU an event at 10,000 events a second of event time, a second behind the job."""
    tiers = _Agreeing()
    made, spent_s, known = events(count, seed), 0.0, set[bytes]()
    gone = Record("", 0, 0, 0, None, None)
    with tempfile.TemporaryDirectory() as folder:
        bench = tiers.bench = Bench(tiers, Path(folder) / "audit.sqlite3", BEGIN_MS)
        for second in range(count // RATE):
            some = made[second * RATE : (second + 1) * RATE]
            time_ms = BEGIN_MS + second * 1_000
            last = MemoryTiers()
            fill(last, ((value, time_ms + n // 10) for n, value in enumerate(some)))
            count_events(last, known)
            for topic, logs in last.logs.items():
                for home, log in zip(tiers.logs[topic], logs, strict=True):
                    start = len(home)
                    home += [record._replace(offset=start + n) for n, record in enumerate(log)]
            bench.clock_ms = time_ms
            began_s = time.process_time()
            bench.check()
            spent_s += time.process_time() - began_s
            for logs in tiers.logs.values():
                for log in logs:
                    log[:] = [gone] * len(log)
        size, matched = bench.state.size_bytes(), bench.state.number("matched")
        consistent = not bench.kinds()
        bench.state.close()
    return {
        "cost_events": count,
        "cost_consistent": consistent,
        "cpu_us_per_event": round(spent_s / count * 1e6, 1),
        "cpu_share_of_a_core_at_10000_events_s": round(spent_s / count * RATE, 3),
        "state_bytes_per_transfer": round(size / matched, 1),
    }
