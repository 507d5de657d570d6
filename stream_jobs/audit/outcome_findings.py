"""What is wrong with an outcome, in words that name its raw record, where it stands, and what the rules say."""

from __future__ import annotations

from typing import Any

import orjson

from stream_jobs.audit.expected import BOTH_SIDES, RECEIVED_SIDE, SENT_SIDE, Expected
from stream_jobs.audit.findings import NOWHERE, Finding, Kind, Tier
from stream_jobs.audit.outcomes import REJECTED, Source, parsed
from stream_jobs.audit.readers import Record
from stream_jobs.events.entries import RECEIVED


class OutcomeFindings:
    """Findings of the entries' tier, until they are taken."""

    def __init__(self, entries_topic: str) -> None:
        self._entries_topic = entries_topic
        self._found: list[Finding] = []

    def taken(self) -> list[Finding]:
        """What was found since they were taken last."""
        found, self._found = self._found, []
        return found

    def misplaced(self, expected: Expected, account: str) -> None:
        """An entry is in another kafka partition than its account's."""
        self._tell(Kind.MISPLACED, expected, f"the entry of {account!r} is not where its key says")

    def changed(self, expected: Expected, outcome: str, doubt: str = "") -> None:
        """A record has another outcome than the rules give it; `doubt` is what cannot be told of that."""
        detail = f"its outcome is {outcome}; the rules say {_said(expected)}{doubt}"
        self._tell(Kind.CHANGED, expected, detail)

    def lost(self, expected: Expected) -> None:
        """A record has no outcome, or one entry of two."""
        sides = expected.sides | expected.wrong
        if sides == BOTH_SIDES and expected.wrong:
            return  # told as CHANGED
        if sides:
            side = "SENT" if sides == RECEIVED_SIDE else RECEIVED
            self._tell(Kind.LOST_SIDE, expected, f"its {side} entry is missing")
        else:
            self._tell(Kind.LOST, expected, f"it has no outcome; the rules say {_said(expected)}")

    def differing(self, record: Record, expected: Expected, doubt: str = "") -> None:
        """An entry of this record that is not as it must be; of another id it is nobody's."""
        body = parsed(record.value)
        if expected.event is None or _id_of(body) != expected.id:
            self.strange(record, expected.source, "the raw record has another id")
            return
        side = RECEIVED_SIDE if body.get("direction") == RECEIVED else SENT_SIDE
        if expected.sides & side:
            self.again(record, expected)
            return
        expected.wrong |= side
        self._tell(
            Kind.CHANGED,
            expected,
            f"the entry says {_shown(body)}; the rules say {_said(expected)}{doubt}",
        )

    def again(self, record: Record, expected: Expected) -> None:
        """One outcome more of a record that has its own."""
        body = parsed(record.value)
        is_entry = record.topic == self._entries_topic
        if not is_entry or orjson.dumps(body) in (expected.received, expected.sent):
            where = f"{record.topic} [{record.partition}] {record.offset}"
            self._tell(Kind.DOUBLED, expected, f"{where} is one outcome too many")
        elif _id_of(body) == expected.id:
            self._tell(Kind.CHANGED, expected, f"one entry more, and another: {_shown(body)}")
        else:
            self.strange(record, expected.source, "the raw record has another id")

    def strange(self, record: Record, source: Source, why: str, kind: Kind = Kind.UNKNOWN) -> None:
        """An outcome of a raw record that it cannot be of."""
        body = parsed(record.value)
        time_ms, id_ = body.get("event_time_ms"), _id_of(body)
        where = f"{record.topic} [{record.partition}] {record.offset}"
        self._found.append(
            Finding(
                Tier.ENTRIES,
                kind,
                time_ms if type(time_ms) is int else record.time_ms,
                *source,
                id_,
                f"{where} says it is of raw record [{source[0]}] {source[1]}: {why}",
            )
        )

    def malformed(self, record: Record) -> None:
        """An outcome that does not say of what."""
        id_ = _id_of(parsed(record.value))
        detail = f"{record.topic} [{record.partition}] {record.offset} does not say which raw record it is of"
        self._found.append(
            Finding(Tier.ENTRIES, Kind.MALFORMED, record.time_ms, NOWHERE, NOWHERE, id_, detail)
        )

    def _tell(self, kind: Kind, expected: Expected, detail: str) -> None:
        self._found.append(
            Finding(Tier.ENTRIES, kind, expected.time_ms, *expected.source, expected.id, detail)
        )


def _said(expected: Expected) -> str:
    if expected.rejection is not None:
        return f"{REJECTED} {expected.rejection.reason.value}"
    return f"entries of {_shown(parsed(expected.received))}"


def _id_of(body: dict[str, Any]) -> str:
    """The id that an outcome names, whoever wrote it."""
    return str(body.get("transaction_id") or "")[:64]


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    names = (
        "account_id",
        "counterparty_id",
        "direction",
        "transaction_id",
        "amount",
        "event_time_ms",
        "reverses",
    )
    return {name: body.get(name) for name in names}
