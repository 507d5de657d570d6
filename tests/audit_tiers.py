"""Raw topic, outcomes and Pinot in memory, behind the audit's own ports, and the job between them in a few lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream_jobs.audit.auditor import Auditor
from stream_jobs.audit.beginning import Beginning, beginning
from stream_jobs.audit.coverage import Coverage
from stream_jobs.audit.expected import Expected
from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.frontier import Frontier
from stream_jobs.audit.history import History
from stream_jobs.audit.ids import Ids
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.readers import Record
from stream_jobs.audit.state import State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import HOUR_MS, Cell, Row, Sums, rows_of
from stream_jobs.audit.suspects import Proof
from stream_jobs.events.dedup_window import DEFAULT, DedupWindow
from stream_jobs.events.entries import entry_values
from stream_jobs.events.money import scaled
from stream_jobs.events.rejection import Rejection
from stream_jobs.events.reversals import Arrival, content, settle
from stream_jobs.events.rules import TransactionEvent, judge
from stream_jobs.events.settings import DEFAULT as RULES
from stream_jobs.topics.murmur2 import kafka_partition
from stream_jobs.topics.names import NAMES
from stream_jobs.topics.offsets import Gap, Offsets
from stream_jobs.topics.reader import Record as PlainRecord

BEGIN_MS = 1_795_000_000_000
RAW, ENTRIES = NAMES.transactions_topic, NAMES.entries_topic
REJECTED, UNCOUNTED = NAMES.rejected_topic, NAMES.uncounted_topic


@dataclass
class MemoryKafka:
    """Topics whose records are there at once; the job has finished as far as `committed` says."""

    partitions: int = 4
    logs: dict[str, list[list[Record]]] = field(default_factory=dict)
    firsts: dict[tuple[str, int], int] = field(default_factory=dict)
    job: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        topics = (RAW, ENTRIES, REJECTED, UNCOUNTED)
        self.logs = {topic: [[] for _ in range(self.partitions)] for topic in topics}

    def append(
        self,
        topic: str,
        partition: int,
        time_ms: int,
        value: bytes | None,
        key: bytes | None = None,
    ) -> Record:
        log = self.logs[topic][partition]
        record = Record(topic, partition, len(log), time_ms, key, value)
        log.append(record)
        return record

    def starts(self, topic: str) -> Offsets:
        return {p: self.firsts.get((topic, p), 0) for p in range(len(self.logs[topic]))}

    def ends(self, topic: str) -> Offsets:
        return {partition: len(log) for partition, log in enumerate(self.logs[topic])}

    stable_ends = ends

    def committed(self, topic: str) -> Offsets:
        return {p: self.job.get(p, end) for p, end in self.ends(topic).items()}

    def at_time(self, topic: str, time_ms: int) -> Offsets:
        return {
            p: next((r.offset for r in log if r.time_ms >= time_ms), len(log))
            for p, log in enumerate(self.logs[topic])
        }

    def read(self, topic: str, starts: Offsets, ends: Offsets) -> Iterator[PlainRecord]:
        for partition, end in ends.items():
            for r in self.logs[topic][partition][starts[partition] : end]:
                yield PlainRecord(r.partition, r.offset, r.time_ms, r.value)

    def first_records(self, topic: str, gaps: Mapping[int, Gap]) -> Mapping[int, int | None]:
        return {partition: gap.start for partition, gap in gaps.items()}


@dataclass
class MemoryPinot:
    """Rows with how often each is there."""

    rows_: Counter[Row] = field(default_factory=Counter)
    statements: int = 0
    has_read_all: bool = True
    followed: MemoryKafka | None = None
    read: dict[int, int] = field(default_factory=dict)

    def follow(self, kafka: MemoryKafka) -> None:
        """From now on have no entry more than it was seen to have reached."""
        self.followed, self.read, self.rows_ = kafka, {}, Counter()

    def has_reached(self, entry_ends: Offsets) -> bool:
        if self.followed is not None:
            logs = self.followed.logs[ENTRIES]
            for partition, end in entry_ends.items():
                fresh = logs[partition][self.read.get(partition, 0) : end]
                self.rows_.update(row for row in map(row_of, fresh) if row is not None)
                self.read[partition] = max(end, self.read.get(partition, 0))
        return self.has_read_all

    def sums(self, hours: Sequence[int], stretches: Sequence[Stretch]) -> dict[Cell, Sums]:
        self.statements += 1
        found: dict[Cell, Sums] = {}
        rows = (row for hour in hours for row in self._of(hour, stretches).elements())
        for row in rows:
            one = Sums(1, row.amount, row.mix)
            found[row.cell] = found.get(row.cell, Sums()).plus(one)
        return found

    def coarse(self, hours: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for row in self.rows_.elements():
            hour_ms = row.time_ms - row.time_ms % HOUR_MS
            if min(hours) <= hour_ms <= max(hours):
                count, amount = found.get((hour_ms, row.direction), (0, 0))
                found[hour_ms, row.direction] = (count + 1, amount + row.amount)
        return found

    def rows(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> Counter[Row] | None:
        found = self._of(hour_ms, stretches)
        return None if found.total() > limit else found

    def strange(self, hour_ms: int, stretches: Sequence[Stretch], limit: int) -> list[Row]:
        inside = self._of(hour_ms, stretches)
        return [row for row in self.rows_ if _in_hour(row, hour_ms) and row not in inside][:limit]

    def rows_of_ids(self, transaction_ids: Sequence[str]) -> list[Row]:
        ids = set(transaction_ids)
        return [r for r in self.rows_.elements() if r.transaction_id in ids or r.reverses in ids]

    def _of(self, hour_ms: int, stretches: Sequence[Stretch]) -> Counter[Row]:
        return Counter(
            {
                row: times
                for row, times in self.rows_.items()
                if _in_hour(row, hour_ms)
                and any(
                    s.partition == row.partition and s.start <= row.offset < s.end
                    for s in stretches
                )
            }
        )


def _in_hour(row: Row, hour_ms: int) -> bool:
    return hour_ms <= row.time_ms < hour_ms + HOUR_MS


class Job:
    """What the Flink job does, in the order of the records it is given; one memory, no window."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._next = dict.fromkeys(range(kafka.partitions), 0)
        self._transfers: dict[str, int] = {}
        self._seen: set[str] = set()
        self._reversals: dict[str, list[str]] = {}
        self.counted: list[tuple[TransactionEvent, int, int, int]] = []

    def run(self) -> None:
        """Leave the outcomes of everything new."""
        fresh = [
            record
            for p, log in enumerate(self._kafka.logs[RAW])
            for record in log[self._next.get(p, 0) :]
        ]
        self._next = {p: len(log) for p, log in enumerate(self._kafka.logs[RAW])}
        for record in sorted(fresh, key=lambda r: (r.time_ms, r.partition, r.offset)):
            judged = judge(record.value, record.time_ms)
            if isinstance(judged, Rejection):
                self.reject(record, judged)
            elif judged.reverses is None:
                self._transfer(record, judged)
            else:
                self._reversal(record, judged, judged.reverses)

    def count(self, event: TransactionEvent, time_ms: int, partition: int, offset: int) -> None:
        """Both entries of an event."""
        self.counted.append((event, time_ms, partition, offset))
        sides = (event.to_account_id, event.from_account_id)
        values = entry_values(event, partition, offset)
        for account, value in zip(sides, values, strict=True):
            home = kafka_partition(account, self._kafka.partitions)
            self._kafka.append(ENTRIES, home, time_ms, value, account.encode())

    def reject(self, record: Record, judged: Rejection) -> None:
        body = {
            "reason": judged.reason.value,
            "detail": judged.detail,
            "payload_base64": judged.payload_base64,
            "kafka_partition": record.partition,
            "kafka_offset": record.offset,
        }
        self._kafka.append(REJECTED, record.partition, record.time_ms, json.dumps(body).encode())

    def uncounted(self, outcome: str, id_: str, record: Record) -> None:
        body = {
            "outcome": outcome,
            "transaction_id": id_,
            "kafka_partition": record.partition,
            "kafka_offset": record.offset,
        }
        value = json.dumps(body, separators=(",", ":")).encode()
        self._kafka.append(UNCOUNTED, record.partition, record.time_ms, value)

    def _transfer(self, record: Record, event: TransactionEvent) -> None:
        if event.transaction_id in self._transfers:
            self.uncounted("DUPLICATE", event.transaction_id, record)
            return
        self._transfers[event.transaction_id] = content(event)
        self.count(event, record.time_ms, record.partition, record.offset)
        self._settle(None, event.transaction_id)

    def _reversal(self, record: Record, event: TransactionEvent, undone: str) -> None:
        if event.transaction_id in self._seen:
            self.uncounted("DUPLICATE", event.transaction_id, record)
            return
        self._seen.add(event.transaction_id)
        where = (record.partition, record.offset, content(event))
        arrival = Arrival(record.value or b"", record.time_ms, *where).packed()
        self._reversals.setdefault(undone, []).append(arrival)
        if undone in self._transfers:
            self._settle(arrival, undone)
        else:
            self.uncounted("HELD", event.transaction_id, record)

    def _settle(self, arrival: str | None, id_: str) -> None:
        kept = self._reversals.get(id_)
        if not kept:
            return
        for each in settle(arrival, self._transfers[id_], ",".join(kept)):
            came, verdict = each.arrival, each.verdict
            place = (came.kafka_partition, came.kafka_offset)
            if isinstance(verdict, Rejection):
                raw = self._kafka.logs[RAW][place[0]][place[1]]
                self.reject(raw, verdict)
            else:
                self.count(verdict, came.recorded_ms, *place)


class MemoryReader:
    """Reads all topics, a stretch of each partition in turn."""

    def __init__(self, kafka: MemoryKafka, starts: Mapping[str, Offsets]) -> None:
        self._kafka = kafka
        self._positions = {topic: dict(offsets) for topic, offsets in starts.items()}
        self.paused: dict[str, set[int]] = {}
        # Of these kafka partitions nothing comes.
        self.stuck: set[tuple[str, int]] = set()

    def add(self, topic: str, starts: Offsets) -> None:
        for partition, offset in starts.items():
            self._positions[topic].setdefault(partition, offset)

    def pause(self, topic: str, partitions: set[int]) -> None:
        self.paused[topic] = set(partitions)

    def read(self, limit: int, timeout_s: float) -> list[Record]:
        records: list[Record] = []
        for topic, positions in self._positions.items():
            for partition, offset in positions.items():
                if partition in self.paused.get(topic, ()) or (topic, partition) in self.stuck:
                    continue
                some = self._kafka.logs[topic][partition][offset : offset + limit // 16]
                positions[partition] += len(some)
                records += some
        return records

    def positions(self, topic: str) -> Offsets:
        return self._positions[topic]

    def close(self) -> None:
        """Nothing is held."""


class Bench:
    """One audit over tiers in memory; `clock_ms` moves by hand."""

    def __init__(
        self,
        kafka: MemoryKafka,
        pinot: MemoryPinot,
        folder: Path,
        window: DedupWindow = DEFAULT,
    ) -> None:
        self.clock_ms = BEGIN_MS + 10 * HOUR_MS
        self.kafka, self.pinot = kafka, pinot
        self.state = State(folder / "audit.sqlite3")
        positions = self.state.positions()
        self.begin = self._begun()
        starts = {**self.begin.starts, **positions.restart}
        self.reader = MemoryReader(kafka, starts)
        self.ids = Ids(folder / "ids")
        frontier = {each.partition: each.end for each in self.state.vouched()} or self.begin.raw
        self.coverage = Coverage(
            NAMES, Placement(kafka.partitions), self.begin.raw, frontier, positions.taken
        )
        self.coverage.go_on_with(self.state.waiting(RULES))
        self.compared = State(folder / "audit.sqlite3")
        self.check = PinotCheck(
            self.compared,
            pinot,
            self._rows_of_raw,
            self.now,
            self.begin.whole_from_ms,
            Proof(window),
        )
        self.auditor = Auditor(
            NAMES,
            self.state,
            self.reader,
            Frontier(kafka, NAMES, self.reader.positions, self.now),
            self.coverage,
            History(self.ids),
            self.check,
            self.now,
        )

    def close(self) -> None:
        self.ids.close()
        self.state.close()
        self.compared.close()

    def now(self) -> int:
        self.clock_ms += 1
        return self.clock_ms

    def look(self, times: int = 1) -> None:
        """Whole rounds: everything is read, closed and compared, and ten seconds go by."""
        for _ in range(times):
            while self.auditor.read(0):
                pass
            self.auditor.look()
            while self.check.step():
                pass
            self.clock_ms += 10_001
            self.check.step()

    def kinds(self) -> Counter[str]:
        """Tier and kind of everything open."""
        return Counter(
            f"{tier} {kind}"
            for (tier, kind), n in self.state.findings.counts().items()
            for _ in range(n)
        )

    def told(self) -> set[str]:
        """The ids, and raw records, of everything open."""
        mismatches = self.state.findings.mismatches(10**6, 10**6)
        return {id_ for each in mismatches for id_ in each.transaction_ids}

    def _begun(self) -> Beginning:
        vouched = self.state.vouched()
        if not vouched:
            return beginning(self.kafka, NAMES)
        starts = {topic: self.kafka.starts(topic) for topic in (RAW, *NAMES.outcomes)}
        return Beginning(starts, {each.partition: each.start for each in vouched}, None)

    def _rows_of_raw(self, hour_ms: int, stretches: Sequence[Stretch]) -> Counter[Row]:
        found: Counter[Row] = Counter()
        for each in stretches:
            for r in self.kafka.logs[RAW][each.partition][each.start : each.end]:
                expected = Expected(r.value, r.partition, r.offset, r.time_ms)
                if expected.event is not None:
                    found.update(row for row in rows_of(expected) if _in_hour(row, hour_ms))
        return found


def row_of(record: Record) -> Row | None:
    """The row that Pinot makes of an entry."""
    try:
        body: dict[str, Any] = json.loads(record.value or b"")
        return Row(
            body["account_id"],
            body["counterparty_id"],
            body["direction"],
            body["transaction_id"],
            body["event_time_ms"],
            body["kind"],
            body["reverses"] or "",
            -1 if body["kafka_partition"] is None else body["kafka_partition"],
            -1 if body["kafka_offset"] is None else body["kafka_offset"],  # as Pinot's default
            scaled(body["amount"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def serve(kafka: MemoryKafka) -> MemoryPinot:
    """A Pinot that has exactly the entries."""
    rows = (row_of(record) for log in kafka.logs[ENTRIES] for record in log)
    return MemoryPinot(Counter(row for row in rows if row is not None))


def fill(kafka: MemoryKafka, events: Iterable[tuple[bytes, int]]) -> None:
    """Events with their times, spread over the raw topic's partitions."""
    for number, (value, time_ms) in enumerate(events):
        kafka.append(RAW, number % kafka.partitions, time_ms, value)


def transfer(
    id_: str, amount: str = "5", sender: str = "ann", receiver: str = "bob", **more: str
) -> bytes:
    """An event as its producer sends it."""
    body = {
        "from_account_id": sender,
        "to_account_id": receiver,
        "transaction_id": id_,
        "amount": amount,
    }
    return json.dumps({**body, **more}).encode()


def reversal(id_: str, reverses: str, amount: str = "5", **more: str) -> bytes:
    """A reversal of a transfer between the same accounts."""
    return transfer(id_, amount, type="reversal", reverses=reverses, **more)


def uuid(number: int) -> str:
    """An id, by number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def findings_of(bench: Bench) -> list[Finding]:
    """Everything open, whole."""
    rows = bench.state._db.execute(
        "SELECT tier, kind, time_ms, partition, offset, id, detail FROM findings ORDER BY 1, 2, 3, 4, 5"
    )
    return [Finding(Tier(tier), Kind(kind), *more) for tier, kind, *more in rows.fetchall()]
