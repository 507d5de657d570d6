"""Outcomes against what the rules say of their raw records; what differs waits until it is known what was announced."""

from __future__ import annotations

import orjson

from stream_jobs.audit.announced import Announced
from stream_jobs.audit.by_key import ByKey
from stream_jobs.audit.expected import RECEIVED_SIDE, SENT_SIDE, Expected
from stream_jobs.audit.outcome_findings import OutcomeFindings
from stream_jobs.audit.outcomes import DUPLICATE, HELD, REFUSED, REJECTED, parsed, told_of
from stream_jobs.audit.placement import Placement
from stream_jobs.audit.readers import Record
from stream_jobs.audit.told_entry import ErasedEntry
from stream_jobs.events.reasons import BY_HISTORY

_BY_HISTORY = frozenset(reason.value for reason in BY_HISTORY)


class Matching:
    """`findings` are of outcomes that do not match; `awaited` are the entries still to come, by their bytes.

    What is right needs no reading: it is among the awaited.
    """

    def __init__(
        self, entries_topic: str, placement: Placement, announced: Announced, by_key: ByKey
    ) -> None:
        self.findings = OutcomeFindings(entries_topic)
        self.awaited: dict[bytes, Expected] = {}
        self._entries_topic = entries_topic
        self._placement = placement
        self._announced = announced
        self._by_key = by_key
        self._differing: list[tuple[Record, Expected]] = []
        self._erased: list[ErasedEntry] = []

    def await_entries(self, expected: Expected) -> None:
        """Those that have not come."""
        if expected.event is not None and not expected.final:
            if not expected.sides & RECEIVED_SIDE:
                self.awaited[expected.received] = expected
            if not expected.sides & SENT_SIDE:
                self.awaited[expected.sent] = expected

    def await_no_more(self, expected: Expected) -> None:
        """Neither of its entries."""
        self.awaited.pop(expected.received, None)
        self.awaited.pop(expected.sent, None)

    def match(self, record: Record, expected: Expected) -> None:
        """One outcome of a raw record."""
        if record.topic == self._entries_topic:
            self._match_entry(record, expected)
        else:
            self._match_told(record, expected)

    def judge_differing(self) -> list[Expected]:
        """What differs by pseudonyms alone as it may, or was refused as it may be, is right; all else is told.

        Gives the records of which this was judged.
        Raises what Kafka's client raises; then it is still to be done.
        """
        if not self._differing:
            return []
        self._announced.read_on()
        self._by_key.read_on()
        differing, self._differing = self._differing, []
        for record, expected in differing:
            if record.topic == self._entries_topic:
                self._judge_entry(record, expected)
            else:
                self._judge_told(record, expected)
        return [expected for _, expected in differing]

    def taken_erased(self) -> list[ErasedEntry]:
        """Entries that tell a pseudonym, as they may, since they were taken last."""
        erased, self._erased = self._erased, []
        return erased

    def _match_entry(self, record: Record, expected: Expected, account: str = "") -> None:
        # Java writes some characters as escapes, so what is not the same to the byte may still say the same.
        value = record.value
        if value not in (expected.received, expected.sent):
            value = orjson.dumps(parsed(value))
            self.awaited.pop(value, None)
        side = RECEIVED_SIDE if value == expected.received else SENT_SIDE
        if expected.event is None or value not in (expected.received, expected.sent):
            self._differing.append((record, expected))
            return
        if expected.outcome or expected.sides & side:
            self.findings.again(record, expected)
            return
        expected.sides |= side
        event = expected.event
        account = account or (
            event.to_account_id if side == RECEIVED_SIDE else event.from_account_id
        )
        if not self._placement.is_right(record, account):
            self.findings.misplaced(expected, account)

    def _match_told(self, record: Record, expected: Expected) -> None:
        told = told_of(record.value)
        if told.outcome == HELD and expected.is_reversal and not expected.held:
            expected.held = True
            return
        if expected.outcome or expected.sides:
            self.findings.again(record, expected)
            return
        expected.outcome = told.outcome or "?"
        if expected.rejection is not None:
            right = told == expected.refused
        elif told.outcome == REJECTED:
            right = expected.is_reversal and told.reason in _BY_HISTORY
        else:
            right = told.outcome == DUPLICATE
        if not right:
            self._differing.append((record, expected))

    def _judge_entry(self, record: Record, expected: Expected) -> None:
        erased = self._by_key.entry(record, expected)
        if erased is None:
            erased = self._announced.entry(record.value, expected)
        if erased is None:
            self.findings.differing(record, expected, self._by_key.doubt(record.value))
            return
        as_it_was = expected.entry(erased.was.direction)
        self.awaited.pop(as_it_was, None)
        self._match_entry(record._replace(value=as_it_was), expected, erased.told.account_id)
        self._erased.append(erased)

    def _judge_told(self, record: Record, expected: Expected) -> None:
        told = told_of(record.value)
        if self._by_key.explains(told, record.time_ms, expected):
            if expected.event is not None:
                expected.outcome = REFUSED
        elif not self._announced.explains(told, expected):
            outcome = f"{told.outcome or 'nothing known'} {told.reason}".strip()
            self.findings.changed(expected, outcome, self._by_key.doubt(record.value))
