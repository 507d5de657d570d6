"""Outcomes that are right because an account was erased before they came: told by its pseudonym, or refused.

Whoever has the key of erasures knows by an event's ids which accounts were erased, and when. From then on the job may keep
the ids, tell the pseudonyms or refuse the event, as it is set; of no other account and not before may it do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

from stream_jobs.audit.expected import Expected
from stream_jobs.audit.outcomes import REJECTED, Told, parsed
from stream_jobs.audit.readers import Record
from stream_jobs.audit.told_entry import ErasedEntry, told_entry
from stream_jobs.events.erased_accounts import PREFIX, Names, accounts_of, read_key, refusal
from stream_jobs.events.reasons import RejectReason
from stream_jobs.job.erasures import Erasures
from stream_jobs.topics.read_on import Readable

# Brokers write down when an erasure and an outcome came, each by its own clock.
CLOCKS_DIFFER_MS: Final = 10_000
NO_KEY: Final = "; whether an account was erased cannot be told without --erasure-key"


class ByKey:
    """What is known of erased accounts; without `erasures`, which need the key, nothing."""

    def __init__(self, erasures: Erasures | None = None) -> None:
        self._erasures = erasures

    def read_on(self) -> None:
        """All erasures that there are by now. Raises what Kafka's client raises."""
        if self._erasures is not None:
            self._erasures.read_on()

    def names(self, expected: Expected, at_ms: int | None = None) -> Names:
        """Of the accounts that an event names those that were erased, at an instant of an outcome or by now."""
        judged = expected.event or expected.rejection
        if self._erasures is None or judged is None:
            return {}
        by_ms = None if at_ms is None else at_ms + CLOCKS_DIFFER_MS
        return self._erasures.accounts.names(accounts_of(judged, expected.value), by_ms)

    def entry(self, record: Record, expected: Expected) -> ErasedEntry | None:
        """What an entry tells that differs from its event by the pseudonyms of its own accounts alone; None of any other."""
        names = self.names(expected, record.time_ms)
        return told_entry(record.value, expected, lambda id_: {names[id_]} if id_ in names else ())

    def explains(self, told: Told, at_ms: int, expected: Expected) -> bool:
        """Whether a record was refused for erased accounts, or rejected as it must be, but for their pseudonyms."""
        names = self.names(expected, at_ms)
        reason = expected.rejection.reason if expected.rejection else RejectReason.ACCOUNT_ERASED
        return (
            told.outcome == REJECTED
            and told.reason == reason.value
            and told.payload_base64 in _payloads(expected.value or b"", names)
        )

    def doubt(self, value: bytes | None) -> str:
        """What is to be said of an outcome that differs and looks as if an account was erased, if there is no key."""
        body = parsed(value)
        ids = (str(body.get("account_id")), str(body.get("counterparty_id")))
        looks_so = body.get("reason") == RejectReason.ACCOUNT_ERASED.value or any(
            each.startswith(PREFIX) for each in ids
        )
        return NO_KEY if looks_so and self._erasures is None else ""


def by_key(kafka: Readable, topic: str, key: Path | None) -> ByKey:
    """With the key in a file, if there is one. Raises AccessError for one that cannot be read."""
    if key is None:
        return ByKey()
    return ByKey(Erasures(kafka, topic, read_key("--erasure-key", key)))


def _payloads(payload: bytes, names: Names) -> Iterator[str]:
    """The payload without one or more of the ids: a worker of the job may not have known of the last erasure yet."""
    for count in range(1, len(names) + 1):
        for some in combinations(names.items(), count):
            yield refusal(payload, dict(some)).payload_base64
