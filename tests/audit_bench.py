"""One audit over tiers in memory, whose clock the test moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stream_jobs.audit.announced import Announced
from stream_jobs.audit.auditor import Auditor
from stream_jobs.audit.beginning import Beginning, beginning
from stream_jobs.audit.by_key import ByKey
from stream_jobs.audit.coverage import Coverage
from stream_jobs.audit.expected import Expected
from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.frontier import Frontier
from stream_jobs.audit.history import History
from stream_jobs.audit.ids import Ids
from stream_jobs.audit.pinot_check import PinotCheck
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.state import State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.sums import HOUR_MS, Row, rows_of
from stream_jobs.audit.suspects import Proof
from stream_jobs.events.dedup_window import DEFAULT, DedupWindow
from stream_jobs.events.settings import DEFAULT as RULES
from stream_jobs.topics.names import NAMES
from tests.audit_tiers import BEGIN_MS, RAW, MemoryKafka, MemoryPinot, MemoryReader, in_hour


class Bench:
    """One audit over tiers in memory; `clock_ms` moves by hand."""

    def __init__(
        self,
        kafka: MemoryKafka,
        pinot: MemoryPinot,
        folder: Path,
        window: DedupWindow = DEFAULT,
        known: ByKey | None = None,
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
            NAMES,
            Placement(kafka.partitions),
            self.begin.raw,
            frontier,
            positions.taken,
            Announced(kafka, NAMES.erased_outcomes_topic),
            RULES,
            known,
        )
        self.coverage.go_on_with(self.state.waiting(RULES))
        self.compared = State(folder / "audit.sqlite3")
        self.check = PinotCheck(
            self.compared,
            pinot,
            self._rows_of_raw,
            self.now,
            self.begin.whole_from_ms,
            Proof(window, known),
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
                    found.update(row for row in rows_of(expected) if in_hour(row, hour_ms))
        return found


def findings_of(bench: Bench) -> list[Finding]:
    """Everything open, whole."""
    rows = bench.state._db.execute(
        "SELECT tier, kind, time_ms, partition, offset, id, detail FROM findings ORDER BY 1, 2, 3, 4, 5"
    )
    return [Finding(Tier(tier), Kind(kind), *more) for tier, kind, *more in rows.fetchall()]
