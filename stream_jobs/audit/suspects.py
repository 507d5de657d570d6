"""What looks wrong by the ids that are remembered, and the proof in Pinot, which is exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from stream_jobs.audit.by_key import ByKey
from stream_jobs.audit.expected import Expected, content_of
from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.sums import Row
from stream_jobs.events.dedup_window import DedupWindow
from stream_jobs.events.entries import RECEIVED
from stream_jobs.events.erased_accounts import Names
from stream_jobs.topics.offsets import Offsets


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that may have counted, or not counted, wrongly; `committed` is how far the job had come by then."""

    expected: Expected
    kind: Kind
    why: str
    committed: Offsets

    @property
    def ids(self) -> list[str]:
        """The transactions whose rows decide."""
        each = self.expected
        return [each.id, each.reverses] if each.is_reversal else [each.id]


class Proof:
    """Judges suspects by the rows that Pinot has of their ids."""

    def __init__(self, window: DedupWindow, by_key: ByKey | None = None) -> None:
        self._window = window
        self._by_key = by_key or ByKey()

    def findings(self, suspects: Sequence[Suspect], rows: Sequence[Row]) -> list[Finding]:
        """What proved to be wrong; `rows` are those of all their ids. Raises what Kafka's client raises."""
        self._by_key.read_on()
        received = [row for row in rows if row.direction == RECEIVED]
        return [finding for each in suspects for finding in self._proven(each, received)]

    def _proven(self, suspect: Suspect, rows: Sequence[Row]) -> list[Finding]:
        """The findings, if Pinot's rows of the ids show it too: of two reversals in effect either may be the wrong one."""
        each = suspect.expected
        if self._is_explained(suspect, rows):
            return []
        detail = suspect.why + _told(rows, each)
        told = [(each.time_ms, *each.source, each.id)]
        if each.is_reversal:
            told += [
                (row.time_ms, row.partition, row.offset, row.transaction_id)
                for row in rows
                if row.reverses == each.reverses and row.transaction_id != each.id
            ]
        return [Finding(Tier.ENTRIES, suspect.kind, *which, detail) for which in told]

    def _is_explained(self, suspect: Suspect, rows: Iterable[Row]) -> bool:
        each = suspect.expected
        others = [row for row in rows if (row.partition, row.offset) != each.source]
        same = [row for row in others if row.transaction_id == each.id]
        if suspect.kind is Kind.DOUBLED:
            # A window apart both may count.
            return all(abs(row.time_ms - each.time_ms) > self._window.surely_ms for row in same)
        if not each.is_reversal:
            return bool(same)  # a duplicate, of what counted before the ids were remembered
        return self._reversal_is_explained(suspect, others)

    def _reversal_is_explained(self, suspect: Suspect, others: Sequence[Row]) -> bool:
        each = suspect.expected
        fits = _contents(each, self._by_key.names(each))
        fitting = [
            row
            for row in others
            if row.transaction_id == each.reverses and not row.reverses and row.content in fits
        ]
        reversed_ = [row for row in others if row.reverses == each.reverses]
        if suspect.kind is Kind.UNKNOWN:  # it has counted
            return bool(fitting) and not reversed_
        return not fitting or bool(reversed_)  # it has not


def _contents(each: Expected, names: Names) -> frozenset[int]:
    """What its transfer may say: the same, or pseudonyms of its accounts that were erased."""
    event = each.event
    if event is None:
        return frozenset()
    sides = [
        (id_, names[id_]) if id_ in names else (id_,)
        for id_ in (event.from_account_id, event.to_account_id)
    ]
    return frozenset(content_of(*pair, event.amount) for pair in product(sides[0], sides[1]))


def _told(rows: Sequence[Row], each: Expected) -> str:
    of = [f"[{row.partition}] {row.offset}" for row in rows if row.transaction_id == each.id]
    return f"; entries of its id are of raw records {', '.join(sorted(of)[:5])}" if of else ""
